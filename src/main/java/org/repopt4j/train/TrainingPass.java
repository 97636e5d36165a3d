package org.repopt4j.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.StepScope;

/**
 * A batch's way through a network and back. With recomputation it keeps what goes into the {@link
 * Network#segments}, not what goes on in them: backward takes segment after segment, from the last
 * to the first, forward once more and then back (as {@code torch.utils.checkpoint_sequential}).
 * That costs about a third more arithmetic; gradients and buffers are the same.
 *
 * <pre>{@code
 * TrainingPass pass = TrainingPass.of(forward, network, images, recompute);
 * Tensor loss = crossEntropy(pass.logits(), labels, 0.1);
 * pass.backward(loss);
 * }</pre>
 */
public abstract class TrainingPass {
  private final Tensor logits;

  private TrainingPass(Tensor logits) {
    this.logits = logits;
  }

  /**
   * The way forward. What it makes belongs to the {@link StepScope} that is open.
   *
   * @param images {@code [n, 3, h, w]}, floating-point, anywhere
   * @param recompute whether to compute activations again instead of keeping them
   */
  public static TrainingPass of(
      ForwardPass forward, Network network, Tensor images, boolean recompute) {
    return recompute
        ? Recomputing.begin(forward, network, images)
        : new Keeping(forward.logits(network, images));
  }

  /** The network's output in the images' own type: {@code [n, classes]}. */
  public final Tensor logits() {
    return logits;
  }

  /**
   * The way back, once: adds the loss's gradients to those of the parameters.
   *
   * @param loss one number that was computed from {@link #logits}
   */
  public abstract void backward(Tensor loss);

  private static final class Keeping extends TrainingPass {
    Keeping(Tensor logits) {
      super(logits);
    }

    @Override
    public void backward(Tensor loss) {
      loss.backward();
    }
  }

  private static final class Recomputing extends TrainingPass {
    private final ForwardPass forward;
    private final Network network;
    private final List<UnaryOperator<Tensor>> segments;
    private final List<Tensor> inputs;

    private Recomputing(
        ForwardPass forward,
        Network network,
        List<UnaryOperator<Tensor>> segments,
        List<Tensor> inputs,
        Tensor logits) {
      super(logits);
      this.forward = forward;
      this.network = network;
      this.segments = segments;
      this.inputs = inputs;
    }

    static Recomputing begin(ForwardPass forward, Network network, Tensor images) {
      List<UnaryOperator<Tensor>> segments = network.segments();
      int last = segments.size() - 1;
      List<Tensor> inputs = new ArrayList<>();
      Tensor input = forward.moved(images).detach();
      inputs.add(input);
      for (UnaryOperator<Tensor> segment : segments.subList(0, last)) {
        try (StepScope scope = StepScope.open()) {
          // With autograd, so that the kernels are those of ordinary training; the graph goes with
          // the scope.
          input = scope.keep(forward.through(segment, input).detach().requires_grad_(true));
        }
        inputs.add(input);
      }
      // What would be the first to be computed again stays.
      Tensor logits = forward.through(x -> network.head(segments.get(last).apply(x)), input);
      return new Recomputing(forward, network, segments, inputs, logits.to(images.scalar_type()));
    }

    @Override
    public void backward(Tensor loss) {
      loss.backward();
      int last = segments.size() - 1;
      if (last == 0) {
        return;
      }
      // grad() shows a place in its tensor, which is about to go: a Tensor of our own holds it.
      Tensor gradient = new Tensor(inputs.get(last).grad());
      inputs.get(last).close();
      try (KeptBuffers buffers = new KeptBuffers()) {
        buffers.keep(network);
        try {
          for (int i = last - 1; i >= 0; i--) {
            Tensor next = back(i, gradient);
            gradient.close();
            gradient = next;
          }
        } finally {
          // Statistics have been updated in the first pass, and are to be so once.
          buffers.putBack(network);
        }
      }
    }

    /** A segment's way forward and back; the gradient of its input, null for the images. */
    private Tensor back(int segment, Tensor gradient) {
      Tensor input = inputs.get(segment);
      try (StepScope scope = StepScope.open()) {
        Tensor output = forward.through(segments.get(segment), input);
        output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
        return segment == 0 ? null : scope.keep(new Tensor(input.grad()));
      } finally {
        input.close();
      }
    }
  }
}
