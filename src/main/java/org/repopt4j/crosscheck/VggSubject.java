package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.csla.GradMults;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;

/** A whole network: a random RepOpt-VGG, or one of the catalog. */
final class VggSubject implements Subject {
  private final Network network;

  VggSubject(JsonNode json, String mode) {
    this(architecture(json).build(Mode.parse(mode), json.get("classes").asInt()));
  }

  VggSubject(Network network) {
    this.network = network;
  }

  private static Architecture architecture(JsonNode json) {
    Architecture plain =
        Architecture.custom(
            Values.integers(json.get("blocks")),
            Values.doubles(json.get("widths")),
            Values.integers(json.get("strides")));
    return json.get("se").asBoolean() ? plain.withPostSe() : plain;
  }

  @Override
  public Tensor logits(Tensor images) {
    return network.forward(images);
  }

  @Override
  public Map<String, Tensor> state() {
    return network.stateDict();
  }

  @Override
  public Map<String, Tensor> parameters() {
    return network.namedParameters();
  }

  @Override
  public void training(boolean on) {
    network.train(on);
  }

  @Override
  public void toDouble() {
    network.to(ScalarType.Double, /* non_blocking= */ false);
  }

  @Override
  public GradMults gradMults(Map<String, Tensor> searched) {
    return network.gradMults(Scales.fromStateDict(searched, network.architecture()));
  }

  @Override
  public void reinitialize(Map<String, Tensor> searched, boolean useIdentityScales) {
    Scales scales = Scales.fromStateDict(searched, network.architecture());
    network.reinitialize(scales, useIdentityScales);
  }

  @Override
  public void close() {
    network.close();
  }
}
