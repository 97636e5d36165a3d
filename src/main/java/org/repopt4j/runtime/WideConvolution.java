package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorTensorHook;
import org.bytedeco.pytorch.VoidTensorHook;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A 3x3 convolution in training on a CPU that libtorch's autograd knows, though its arithmetic is
 * {@link ConvolutionKernels}'. libtorch records cheap operators of the same inputs and the same
 * output's shape, {@code sum(x) + sum(w)} spread over the output; the values of the output are then
 * overwritten, and hooks put the convolution's gradients in the place of theirs.
 *
 * <p>Under autocast to bfloat16 libtorch computes the output and the gradient of the input; only
 * the gradient of the kernel is ours, where the rows of the output are shorter than those that
 * libtorch is fast at.
 *
 * <p>One object serves one layer and lives as long as it. The output's gradient must be computed
 * while the scope is open in which the output was made, and only once.
 */
public final class WideConvolution {
  /** With fewer channels the direct convolution is as fast; by stride. */
  private static final int[] CHANNELS = {0, 128, 512};

  /** In bfloat16, on a processor that multiplies tiles. */
  private static final int HALF_OUT = 512, HALF_IN = 256, HALF_ROW = 8;

  /** libtorch holds hooks weakly: what a graph may still call must be reachable from here. */
  private static final Set<Call> AWAITED = ConcurrentHashMap.newKeySet();

  private static final long[] ONE = {1, 1};
  private static final Scalar ZERO = Retained.retain(new Scalar(0.0));
  private static final TensorOptional NO_BIAS = Retained.retain(Tensors.optional(null));

  private final int stride;
  private final Deque<Call> idle = new ArrayDeque<>();

  /**
   * A convolution with padding 1.
   *
   * @param stride 1 or 2
   */
  public WideConvolution(int stride) {
    checkArgument(stride == 1 || stride == 2, "the stride must be 1 or 2, got: %s", stride);
    this.stride = stride;
  }

  /** Whether such a convolution of this input and kernel is for us. */
  public boolean applies(Tensor input, Tensor weight) {
    if (!GradMode.is_enabled()
        || !weight.requires_grad()
        || !input.is_cpu()
        || input.dim() != 4
        || input.size(1) != weight.size(1)
        || Tensors.type(weight) != ScalarType.Float
        || !input.is_contiguous()
        || !weight.is_contiguous()) {
      return false;
    }
    if (torch.is_autocast_enabled(DeviceType.CPU)) {
      return torch.get_autocast_dtype(DeviceType.CPU).intern() == ScalarType.BFloat16
          && weight.size(0) >= HALF_OUT
          && weight.size(1) >= HALF_IN
          && (input.size(3) - 1) / stride < HALF_ROW
          && ConvolutionKernels.multipliesTiles();
    }
    return weight.size(0) >= CHANNELS[stride]
        && weight.size(1) >= CHANNELS[stride]
        && Tensors.type(input) == ScalarType.Float
        && ConvolutionKernels.available();
  }

  /** The output {@code [n, out, ceil(h/stride), ceil(w/stride)]} for {@code [n, in, h, w]}. */
  public Tensor forward(Tensor input, Tensor weight) {
    Call call = idle.isEmpty() ? new Call() : idle.pop();
    return torch.is_autocast_enabled(DeviceType.CPU)
        ? call.halfForward(input, weight)
        : call.forward(input, weight);
  }

  /**
   * From an output to its gradients. A call whose gradients are never asked for is not used again,
   * so that no graph that is left over finds another call's values.
   */
  private final class Call {
    private Tensor input;
    private Tensor weight;
    private Tensor gradient;
    private long inputVersion;
    private long weightVersion;
    private int awaited;

    private final VoidTensorHook ofOutput =
        Retained.retain(
            new VoidTensorHook() {
              @Override
              public void call(TensorBase grad) {
                gradient = new Tensor(grad).contiguous();
              }
            });
    private final TensorTensorHook ofInput =
        replacing(() -> ConvolutionKernels.inputGradient(gradient, weight, input, stride));
    private final TensorTensorHook ofWeight =
        replacing(() -> ConvolutionKernels.weightGradient(input, gradient, weight, stride));

    private TensorTensorHook replacing(Supplier<Tensor> ours) {
      return Retained.retain(
          new TensorTensorHook() {
            @Override
            public TensorBase call(TensorBase unused) {
              check();
              return finished(ours.get());
            }
          });
    }

    Tensor forward(Tensor x, Tensor w) {
      Tensor carrier = begin(x, w);
      long[] shape = {
        x.size(0), w.size(0), (x.size(2) - 1) / stride + 1, (x.size(3) - 1) / stride + 1
      };
      if (x.requires_grad()) {
        Tensor planes = x.view(Tensors.shape(x));
        planes.register_hook(ofInput);
        carrier = carrier.add(planes.sum());
        awaited = 2;
      }
      Tensor output = carrier.expand(shape).contiguous();
      output.register_hook(ofOutput);
      ConvolutionKernels.convolve(input, weight, output, stride);
      return output;
    }

    Tensor halfForward(Tensor x, Tensor w) {
      Tensor half = x.to(ScalarType.BFloat16);
      Tensor carrier = begin(half, w);
      long[] strides = {stride, stride};
      // Without the kernel's gradient; a zero that depends on the kernel brings that back in.
      Tensor output =
          torch
              .conv2d(half, weight.to(ScalarType.BFloat16), NO_BIAS, strides, ONE, ONE, 1)
              .add_(carrier.mul(ZERO));
      output.register_hook(ofOutput);
      return output;
    }

    /** Takes what the gradients will need; what depends on the kernel alone as autograd sees it. */
    private Tensor begin(Tensor x, Tensor w) {
      AWAITED.add(this);
      input = x.detach();
      weight = w.detach();
      inputVersion = input._version();
      weightVersion = weight._version();
      awaited = 1;
      // The gradient of a view is a tensor of its own, which libtorch can keep without a copy.
      Tensor kernel = w.view(Tensors.shape(w));
      kernel.register_hook(ofWeight);
      return kernel.sum();
    }

    private void check() {
      checkState(
          input != null && !input.isNull() && !gradient.isNull(),
          "the gradient of a convolution was asked for twice, or after the end of the StepScope of its output");
      checkState(
          input._version() == inputVersion && weight._version() == weightVersion,
          "the input or the kernel of a convolution was changed in place before its gradient was computed");
    }

    private Tensor finished(Tensor result) {
      if (--awaited == 0) {
        input = null;
        weight = null;
        gradient = null;
        AWAITED.remove(this);
        idle.push(this);
      }
      return result;
    }
  }
}
