package org.repopt4j.train;

import com.google.common.base.Throwables;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.data.Batch;
import org.repopt4j.data.BatchLoader;
import org.repopt4j.data.Epoch;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.ComputeDevice;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.train.RunSettings.Precision;

/**
 * Loss and accuracy of a network on a data set, in evaluation mode (official {@code
 * main_repopt.py}, {@code validate}).
 */
public final class Evaluator {
  private final ComputeDevice device;
  private final ForwardPass forward;

  /** An evaluator that computes here, in this precision. */
  public Evaluator(ComputeDevice device, Precision precision) {
    this.device = device;
    this.forward = new ForwardPass(device, precision);
  }

  /**
   * The result of an evaluation.
   *
   * @param images how many images were seen; fewer than there are if it was stopped
   * @param loss mean cross entropy, without label smoothing
   * @param top1 share of images whose likeliest class is right
   * @param top5 share of images whose class is among the five likeliest
   * @param imagesPerSecond speed, loading included
   */
  public record Result(
      long images, double loss, double top1, double top5, double imagesPerSecond) {}

  /**
   * Evaluates the network on everything that the loader gives. The network comes back in the mode
   * (training or evaluation) in which it was.
   *
   * @param stop asked after each batch; true ends the evaluation with the images seen so far
   */
  public Result evaluate(Network network, BatchLoader loader, BooleanSupplier stop) {
    boolean training = network.is_training();
    network.eval();
    long begin = System.nanoTime();
    try (RunningMean mean = new RunningMean(device);
        NoGrad noGrad = NoGrad.open();
        Epoch batches = loader.epoch(0)) {
      for (Batch batch : batches) {
        try (batch;
            StepScope scope = StepScope.open()) {
          Tensor labels = forward.labels(batch);
          Tensor logits = forward.logits(network, batch);
          mean.add(Losses.crossEntropy(logits, labels, 0), logits, labels);
        } catch (RuntimeException | Error e) {
          Throwable said =
              MemoryUsedUpException.inEvaluation(
                  e, device, "--val-batch-size", batch.sampleIds().length);
          Throwables.throwIfUnchecked(said);
          throw e;
        }
        if (stop.getAsBoolean()) {
          break;
        }
      }
      RunningMean.Means means = mean.read();
      double seconds = (System.nanoTime() - begin) / 1e9;
      return new Result(
          mean.images(), means.loss(), means.top1(), means.top5(), mean.images() / seconds);
    } finally {
      network.train(training);
    }
  }
}
