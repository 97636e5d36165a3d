package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Deploy;
import org.repopt4j.nn.LoadReport;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;

/**
 * What {@code repopt convert} makes of a file.
 *
 * @param tensors to write, in order; valid until this is closed
 * @param metadata to write with them
 * @param done what was done, in words
 * @param misfit what of the file did not fit the network
 * @param owner frees the tensors that were made for this
 */
record Conversion(
    Map<String, Tensor> tensors,
    Map<String, String> metadata,
    String done,
    LoadReport misfit,
    Runnable owner)
    implements AutoCloseable {
  private static final LoadReport FITS =
      new LoadReport(ImmutableList.of(), ImmutableList.of(), ImmutableList.of());

  /** The tensors as they are. */
  static Conversion same(TensorFile file) {
    return new Conversion(file.tensors(), file.metadata(), "the same tensors", FITS, () -> {});
  }

  /** The scales in the state dict of a hyper-search. */
  static Conversion scales(Path in, TensorFile file, Architecture arch) {
    Scales scales;
    try {
      scales = Scales.fromStateDict(file.tensors(), arch);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(in + ": " + e.getMessage(), e);
    }
    Map<String, String> metadata = provenance(in, file, arch);
    metadata.remove("mode");
    Map<String, Tensor> tensors = scales.toStateDict();
    return new Conversion(
        tensors,
        metadata,
        "the scales of " + arch,
        FITS,
        () -> tensors.values().forEach(Tensor::close));
  }

  /** The network of these weights with everything folded into convolutions. */
  static Conversion deploy(Path in, TensorFile file, Architecture arch, Mode mode, boolean strict) {
    OptionalInt found = SavedWeights.classes(file);
    checkArgument(
        found.isPresent(),
        "%s has no linear.weight or classifier.weight [classes, features], so it holds no network's weights",
        (Object) in);
    int classes = found.getAsInt();
    SavedWeights.checkSize(in, file, arch, mode, classes);
    Network network = arch.build(mode, classes);
    try {
      LoadReport misfit = load(in, network, file, strict);
      Network deployed = Deploy.fold(network);
      Map<String, String> metadata = provenance(in, file, arch);
      metadata.put("mode", Mode.DEPLOY.toString());
      metadata.put("num_classes", Integer.toString(classes));
      return new Conversion(
          deployed.stateDict(),
          metadata,
          arch + " " + mode + " folded for deployment",
          misfit,
          deployed::close);
    } finally {
      network.close();
    }
  }

  private static LoadReport load(Path in, Network network, TensorFile file, boolean strict) {
    try {
      return network.loadStateDict(file.tensors(), strict);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(in + " is not for " + network + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, String> provenance(Path in, TensorFile file, Architecture arch) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.putAll(file.metadata());
    metadata.put("architecture", arch.spec());
    metadata.put("source", String.valueOf(in.getFileName()));
    return metadata;
  }

  @Override
  public void close() {
    owner.run();
  }
}
