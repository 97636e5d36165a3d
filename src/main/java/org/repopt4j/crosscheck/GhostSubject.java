package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.CslaBlock;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.KernelShape;
import org.repopt4j.nn.GhostModule;
import org.repopt4j.nn.Layer;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;

/** Two Ghost modules one after the other, the second without ReLUs, and global average pooling. */
final class GhostSubject implements Subject {
  private static final String KERNEL = "cheap_operation.0.weight";

  private final List<GhostModule> modules = new ArrayList<>();
  private final List<KernelShape> shapes = new ArrayList<>();

  GhostSubject(JsonNode json, String mode) {
    int channels = json.get("channels").asInt();
    for (int i = 0; i < 2; i++) {
      int k = json.get("dw").get(i).asInt();
      int in = i == 0 ? json.get("in").asInt() : channels;
      int place = json.get("places").get(i).asInt();
      modules.add(new GhostModule(in, channels, k, i == 0, Mode.parse(mode), place));
      shapes.add(KernelShape.depthwise(channels, k));
    }
  }

  @Override
  public Tensor logits(Tensor images) {
    Tensor output = images;
    for (GhostModule module : modules) {
      output = module.forward(output);
    }
    return output.mean(2, 3);
  }

  @Override
  public Map<String, Tensor> state() {
    return named(Layer::stateDict);
  }

  @Override
  public Map<String, Tensor> parameters() {
    return named(Layer::namedParameters);
  }

  private Map<String, Tensor> named(Function<Layer, Map<String, Tensor>> members) {
    Map<String, Tensor> all = new LinkedHashMap<>();
    for (int i = 0; i < modules.size(); i++) {
      String prefix = i + ".";
      members.apply(modules.get(i)).forEach((name, tensor) -> all.put(prefix + name, tensor));
    }
    return all;
  }

  @Override
  public void training(boolean on) {
    modules.forEach(module -> module.train(on));
  }

  @Override
  public void toDouble() {
    modules.forEach(module -> module.to(ScalarType.Double, /* non_blocking= */ false));
  }

  private CslaBlock block(int i, Map<String, Tensor> searched) {
    KernelShape shape = shapes.get(i);
    return CslaBlock.of(shape)
        .conv(shape.kh(), shape.kw(), searched.get(i + ".cheap_operation.1.weight"))
        .identity();
  }

  @Override
  public GradMults gradMults(Map<String, Tensor> searched) {
    GradMults mults = GradMults.none();
    for (int i = 0; i < modules.size(); i++) {
      mults = mults.and(state().get(i + "." + KERNEL), block(i, searched).gradMult());
    }
    return mults;
  }

  @Override
  public void reinitialize(Map<String, Tensor> searched, boolean useIdentityScales) {
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      for (int i = 0; i < modules.size(); i++) {
        Tensor weight = state().get(i + "." + KERNEL);
        Tensor identity = searched.get(i + ".fusion_scale.weight");
        Tensor start = useIdentityScales ? identity : identity.new_ones(identity.size(0));
        weight.copy_(block(i, searched).equivalentKernel(weight, start));
      }
    }
  }

  @Override
  public void close() {
    modules.forEach(Layer::close);
  }
}
