package org.repopt4j.cli;

import java.util.Optional;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.CheckpointSettings.Interval;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;
import org.repopt4j.train.CheckpointSettings.OnNan;
import picocli.CommandLine.Option;

/** What {@code train} and {@code search} do so that no work is lost. */
final class CheckpointOptions {
  @Option(
      names = "--checkpoint-every",
      paramLabel = "N|TIME",
      description =
          "Steps, or a time like 90s, 10m or 2h, from one checkpoint to the next; or off (default: ${DEFAULT-VALUE}).")
  private String every = "10m";

  @Option(
      names = "--keep",
      paramLabel = "K",
      description = "Checkpoints that stay, at least 2 (default: ${DEFAULT-VALUE}).")
  private int keep = 2;

  @Option(
      names = "--resume",
      paramLabel = "auto|PATH",
      description =
          "Go on from a checkpoint: auto takes the newest whole one in --output, and begins a run where there is none.")
  private String resume;

  @Option(
      names = "--resume-anyway",
      description = "Go on although settings changed that decide the trajectory.")
  private boolean resumeAnyway;

  @Option(
      names = "--save-on-error",
      description = "Write a checkpoint when the run fails for another reason than its loss.")
  private boolean saveOnError;

  @Option(
      names = "--on-nan",
      paramLabel = "stop|skip|rollback",
      description =
          "When the loss is no finite number: end the run, pass over the batch, or go back to the last checkpoint and"
              + " pass over it (default: ${DEFAULT-VALUE}).")
  private String onNan = "stop";

  @Option(
      names = "--max-bad-samples",
      paramLabel = "N",
      description =
          "Images that cannot be read and are passed over before the run ends (default: ${DEFAULT-VALUE}).")
  private int maxBadSamples;

  @Option(
      names = "--on-disk-full",
      paramLabel = "continue|stop",
      description =
          "When a checkpoint cannot be written: train on, or end the run (default: ${DEFAULT-VALUE}).")
  private String onDiskFull = "continue";

  CheckpointSettings settings() {
    return new CheckpointSettings(
        Interval.parse(every),
        keep,
        Optional.ofNullable(resume),
        resumeAnyway,
        saveOnError,
        Choice.of("--on-nan", OnNan.class, onNan),
        maxBadSamples,
        Choice.of("--on-disk-full", OnDiskFull.class, onDiskFull));
  }
}
