package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a run does so that no work is lost.
 *
 * @param every from one checkpoint to the next ({@code --checkpoint-every})
 * @param keep checkpoints that stay, at least 2 ({@code --keep})
 * @param resume {@code auto} or a checkpoint's folder, empty for a fresh run ({@code --resume})
 * @param resumeAnyway go on although settings changed that decide the trajectory ({@code
 *     --resume-anyway})
 * @param saveOnError write a checkpoint when the run fails ({@code --save-on-error})
 * @param onNan what to do about a loss that is no number ({@code --on-nan})
 * @param maxBadSamples images that cannot be read and are passed over ({@code --max-bad-samples})
 * @param onDiskFull what to do when a checkpoint cannot be written ({@code --on-disk-full})
 */
public record CheckpointSettings(
    Interval every,
    int keep,
    Optional<String> resume,
    boolean resumeAnyway,
    boolean saveOnError,
    OnNan onNan,
    int maxBadSamples,
    OnDiskFull onDiskFull) {

  /** No checkpoint is written, and a fresh run begins. */
  public static final CheckpointSettings OFF =
      new CheckpointSettings(
          Interval.OFF, 2, Optional.empty(), false, false, OnNan.STOP, 0, OnDiskFull.CONTINUE);

  /** When the loss is infinite or no number. */
  public enum OnNan {
    /** The run ends. */
    STOP,
    /** The batch is passed over. */
    SKIP,
    /** The run goes back to its last checkpoint, and the batch is passed over when it comes. */
    ROLLBACK
  }

  /** When a checkpoint cannot be written. */
  public enum OnDiskFull {
    /** Training goes on; the next checkpoint is another chance. */
    CONTINUE,
    /** The run ends. */
    STOP
  }

  /** Checks the numbers against each other. */
  public CheckpointSettings {
    checkNotNull(every, "every");
    checkNotNull(resume, "resume");
    checkNotNull(onNan, "onNan");
    checkNotNull(onDiskFull, "onDiskFull");
    checkArgument(
        keep >= 2 && keep <= 1_000_000,
        "--keep must be at least 2, because the newest checkpoint may turn out damaged, got: %s",
        keep);
    checkArgument(
        maxBadSamples >= 0, "--max-bad-samples must not be negative, got: %s", maxBadSamples);
    checkArgument(
        !resumeAnyway || resume.isPresent(), "--resume-anyway goes with --resume auto or a path");
    checkArgument(
        onNan != OnNan.ROLLBACK || every.isOn(),
        "--on-nan rollback needs checkpoints to go back to; do not set --checkpoint-every off");
  }

  /** Whether any checkpoint is written. */
  public boolean isOn() {
    return every.isOn();
  }

  /** Whether the run goes on where another stopped. */
  public boolean resumes() {
    return resume.isPresent();
  }

  /** Whether it goes on from the newest checkpoint in its own folder, if there is one. */
  boolean resumesAuto() {
    return resume.map("auto"::equals).orElse(false);
  }

  /**
   * Steps or time from one checkpoint to the next.
   *
   * @param steps updates, 0 where time decides
   * @param time zero where steps decide
   */
  public record Interval(long steps, Duration time) {
    /** None at all. */
    public static final Interval OFF = new Interval(0, Duration.ZERO);

    private static final Pattern TEXT = Pattern.compile("(\\d{1,9})([smh]?)");

    /**
     * From {@code 500} (steps), {@code 90s}, {@code 10m}, {@code 2h} or {@code off}.
     *
     * @throws IllegalArgumentException if it is none of them
     */
    public static Interval parse(String text) {
      if (text.equals("off")) {
        return OFF;
      }
      Matcher matcher = TEXT.matcher(text);
      checkArgument(
          matcher.matches() && Long.parseLong(matcher.group(1)) > 0,
          "--checkpoint-every must be a number of steps, a time like 90s, 10m or 2h, or off, got: '%s'",
          text);
      long number = Long.parseLong(matcher.group(1));
      return switch (matcher.group(2)) {
        case "s" -> new Interval(0, Duration.ofSeconds(number));
        case "m" -> new Interval(0, Duration.ofMinutes(number));
        case "h" -> new Interval(0, Duration.ofHours(number));
        default -> new Interval(number, Duration.ZERO);
      };
    }

    boolean isOn() {
      return steps > 0 || !time.isZero();
    }
  }
}
