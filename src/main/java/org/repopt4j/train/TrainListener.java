package org.repopt4j.train;

import java.nio.file.Path;

/** Whoever wants to know how a run goes. Called on the training thread, so it should be quick. */
public interface TrainListener {

  /** The run begins. */
  default void started(Start start) {}

  /** Some steps are done; called a few times a second at most. */
  default void progress(Progress progress) {}

  /** An epoch is done. */
  default void epochFinished(EpochRow row) {}

  /** One sentence that whoever watches the run should know; may come from another thread. */
  default void notice(String sentence) {}

  /** A copy of the run after this step was taken, which is now being written. */
  default void checkpointBegun(long step) {}

  /** A checkpoint is on the disk; called on the writer's thread. */
  default void checkpointWritten(Path checkpoint, double seconds) {}

  /** The run was stopped before its end, and what was reached is kept. */
  default void stopped(long step) {}

  /**
   * What is about to run.
   *
   * @param parameters trainable numbers
   * @param gradMults parameters that have a Grad Mult
   * @param realLr the base learning rate after scaling with the batch
   * @param device the device and why
   * @param epochs passes over the training images
   * @param stepsPerEpoch batches an epoch
   * @param trainImages training images
   * @param testImages test images
   * @param folder where the run's files are
   */
  record Start(
      long parameters,
      int gradMults,
      double realLr,
      String device,
      int epochs,
      long stepsPerEpoch,
      int trainImages,
      int testImages,
      Path folder) {}

  /**
   * Where the run is.
   *
   * @param epoch the epoch, from 0
   * @param epochs how many there are
   * @param step batches done in this epoch
   * @param stepsPerEpoch batches an epoch
   * @param loss mean loss of this epoch so far
   * @param accuracy training accuracy of this epoch so far, 0 to 1
   * @param imagesPerSecond training speed of this epoch so far
   * @param lr learning rate now
   * @param secondsLeft training time left at this speed
   */
  record Progress(
      int epoch,
      int epochs,
      long step,
      long stepsPerEpoch,
      double loss,
      double accuracy,
      double imagesPerSecond,
      double lr,
      double secondsLeft) {}
}
