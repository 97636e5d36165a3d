package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkNotNull;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Images that were passed over because they cannot be read. An image counts once, however often it
 * comes. For many threads at once.
 */
public final class BadSamples {
  private final int most;
  private final Consumer<String> log;
  private final Set<Sample> seen = ConcurrentHashMap.newKeySet();

  /** A number alone may be that of a training image and of a test image. */
  private record Sample(ImageDataSet images, int number) {}

  /**
   * A count that begins at none.
   *
   * @param most how many may be passed over, at least 0
   * @param log told one sentence for each
   */
  public BadSamples(int most, Consumer<String> log) {
    checkArgument(most >= 0, "most must not be negative, got: %s", most);
    this.most = most;
    this.log = checkNotNull(log, "log");
  }

  /** None may be passed over. */
  static BadSamples none() {
    return new BadSamples(0, sentence -> {});
  }

  /**
   * Counts one.
   *
   * @throws CorruptImageException if it is one too many
   */
  void pass(ImageDataSet images, int sample, CorruptImageException why) {
    if (!seen.add(new Sample(images, sample))) {
      return;
    }
    if (seen.size() > most) {
      throw new CorruptImageException(
          "sample "
              + sample
              + " cannot be read ("
              + why.getMessage()
              + "); "
              + (most == 0
                  ? "repair it, or pass over such samples with --max-bad-samples N"
                  : "more than --max-bad-samples " + most + " are bad"));
    }
    log.accept("sample " + sample + " is passed over: " + why.getMessage());
  }

  /** How many images were passed over. */
  public int count() {
    return seen.size();
  }
}
