package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;
import static org.repopt4j.io.InvalidFileException.oneLine;
import static org.repopt4j.io.InvalidFileException.printable;

import com.google.common.base.Ascii;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.repopt4j.io.InvalidFileException;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code repopt convert}: tensors from one file to another one. */
@Command(
    name = "convert",
    description = {
      "Writes the tensors of a .pth or safetensors file into another file, in the format of its name:"
          + " names, order, types and bits stay the same.",
      "With --to scales: the scales of a hyper-search, for 'repopt train --scales'. With --to deploy:"
          + " trained weights with every BatchNorm and branch folded into one convolution."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ConvertCommand implements Callable<Integer> {
  private static final List<String> TARGETS = List.of("scales", "deploy");

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "IN",
      description = "A safetensors file (or the index of several), or a .pth saved by Python.")
  private Path in;

  @Parameters(
      index = "1",
      paramLabel = "OUT",
      description = "Ends in .safetensors, .pth or .pt; .pth has no place for metadata.")
  private Path out;

  @Option(
      names = "--to",
      paramLabel = "WHAT",
      description = "scales or deploy (default: the tensors as they are).")
  private String to;

  @Mixin private ArchitectureOptions architecture = new ArchitectureOptions();

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description = "--to deploy: target, csla, hs or repvgg (default: what the file says).")
  private String mode;

  @Option(
      names = "--strict",
      negatable = true,
      description =
          "--to deploy: refuse weights that do not fit (default), or take what fits and say what was skipped.")
  private Boolean strict;

  @Option(names = "--overwrite", description = "Replace OUT if it exists.")
  private boolean overwrite;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    checkOptions();
    checkOut();
    try (TensorFile file = StateDicts.readOrMap(in);
        Conversion conversion = convert(file)) {
      List<String> dropped = new ArrayList<>(file.skipped());
      boolean pth = !Ascii.toLowerCase(out.toString()).endsWith(".safetensors");
      if (pth) {
        conversion
            .metadata()
            .forEach((key, value) -> dropped.add(printable(key) + "=" + printable(value)));
      }
      StateDicts.write(out, conversion.tensors(), pth ? Map.of() : conversion.metadata());
      report(conversion, dropped);
    }
    return Failures.OK;
  }

  private Conversion convert(TensorFile file) throws IOException {
    if (file.tensors().isEmpty()) {
      throw new InvalidFileException(in, "it holds no tensors");
    }
    if (to == null) {
      return Conversion.same(file);
    }
    if (to.equals("scales")) {
      return Conversion.scales(in, file, SavedWeights.architecture(in, file, architecture));
    }
    return Conversion.deploy(
        in,
        file,
        SavedWeights.architecture(in, file, architecture),
        SavedWeights.mode(in, file, mode),
        strict == null || strict);
  }

  private void checkOptions() {
    checkArgument(
        to == null || TARGETS.contains(to), "--to must be scales or deploy, got: '%s'", to);
    checkArgument(
        to != null || !architecture.given(), "--arch goes with --to scales or --to deploy");
    boolean deploy = "deploy".equals(to);
    checkArgument(deploy || mode == null, "--mode goes with --to deploy");
    checkArgument(deploy || strict == null, "--strict and --no-strict go with --to deploy");
  }

  private void checkOut() throws IOException {
    String name = Ascii.toLowerCase(out.toString());
    checkArgument(
        name.endsWith(".safetensors") || name.endsWith(".pth") || name.endsWith(".pt"),
        "OUT must end in .safetensors, .pth or .pt, got: '%s'",
        out);
    if (!Files.exists(out)) {
      return;
    }
    checkArgument(
        !Files.exists(in) || !Files.isSameFile(in, out),
        "IN and OUT must be two files, both are %s",
        (Object) out);
    checkArgument(overwrite, "%s exists; give --overwrite to replace it", (Object) out);
  }

  private void report(Conversion conversion, List<String> dropped) throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    if (!conversion.misfit().isComplete()) {
      err.println(
          "repopt: " + in + " does not fit, skipped: " + oneLine(conversion.misfit().toString()));
    }
    if (!dropped.isEmpty()) {
      err.println("repopt: not in " + out + ": " + String.join(", ", dropped));
    }
    err.flush();
    int tensors = conversion.tensors().size();
    long bytes = Files.size(out);
    PrintWriter print = spec.commandLine().getOut();
    if (json) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("in", in.toString());
      map.put("out", out.toString());
      map.put("tensors", tensors);
      map.put("bytes", bytes);
      map.put("done", conversion.done());
      map.put("dropped", dropped);
      print.println(Json.of(map));
    } else {
      print.printf("%s: %d tensors, %d bytes, %s%n", out, tensors, bytes, conversion.done());
    }
    print.flush();
  }
}
