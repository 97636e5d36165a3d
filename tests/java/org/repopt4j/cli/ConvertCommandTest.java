package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertRelative;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.io.PythonTorch;
import org.repopt4j.io.SampleTensors;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.search.ScalesFile;
import picocli.CommandLine;

class ConvertCommandTest {
  private static final String SPEC =
      "custom:blocks=1,2,2,1;width=0.125,0.125,0.125,0.125;strides=1,1,2,2,2;se=true";
  private static final List<String> OPTIONS =
      List.of(
          "--arch custom --num-blocks 1,2,2,1 --width 0.125,0.125,0.125,0.125 --strides 1,1,2,2,2 --post-se"
              .split(" "));
  private static final Architecture ARCH = Architecture.parse(SPEC);
  private static final String GHOST = "RepOpt-GhostNet-0.5x";

  @TempDir Path folder;

  private record Run(int code, String out, String err) {}

  private Run convert(Object... arguments) {
    return run("convert", arguments);
  }

  private static Run run(String command, Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    String[] words = new String[arguments.length + 1];
    words[0] = command;
    for (int i = 0; i < arguments.length; i++) {
      words[i + 1] = arguments[i].toString();
    }
    return new Run(line.execute(words), out.toString(), err.toString());
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private static void assertDone(Run run, String err) {
    assertEquals(0, run.code, run.err);
    assertEquals(1, run.out.lines().count(), run.out);
    assertEquals(err, run.err);
  }

  private static List<String> lines(Path file) throws IOException {
    try (TensorFile read = StateDicts.read(file)) {
      return SampleTensors.describe(read.tensors());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyTypeGoesThroughBothFormatsBitForBit(long seed) throws IOException {
    List<String> expected;
    try (StepScope scope = StepScope.open()) {
      Map<String, Tensor> tensors = SampleTensors.everyType(seed);
      expected = SampleTensors.describe(tensors);
      StateDicts.write(path("a.pth"), tensors);
      StateDicts.write(path("b.safetensors"), tensors);
    }
    for (String[] pair :
        new String[][] {
          {"a.pth", "aa.safetensors"},
          {"aa.safetensors", "aaa.pt"},
          {"b.safetensors", "bb.pth"},
          {"bb.pth", "bbb.SafeTensors"},
          {"a.pth", "ab.pth"}
        }) {
      assertDone(convert(path(pair[0]), path(pair[1])), "");
      assertEquals(expected, lines(path(pair[1])), "seed " + seed + ": " + Arrays.toString(pair));
    }
  }

  @Test
  void pythonReadsTheSameBits() throws IOException {
    List<String> expected;
    try (StepScope scope = StepScope.open()) {
      Map<String, Tensor> tensors = SampleTensors.everyType(4);
      tensors.keySet().removeIf(name -> name.contains("\n"));
      tensors.put("w", Tensors.of(new float[] {1, Float.NaN, -0.0f}, 3));
      expected = SampleTensors.describe(tensors);
      StateDicts.write(path("a.safetensors"), tensors);
    }
    convert(path("a.safetensors"), path("b.pth"));
    convert(path("b.pth"), path("c.safetensors"));
    assertEquals(expected, PythonTorch.tensorFiles("describe", path("b.pth")));
    assertEquals(expected, PythonTorch.tensorFiles("describe", path("c.safetensors")));
  }

  @Test
  void aPythonModuleTakesItsOwnWeightsBackStrictly() throws IOException {
    PythonTorch.tensorFiles("make", folder);
    for (String saved : new String[] {"module", "ddp"}) {
      assertDone(convert(path(saved + ".pth"), path(saved + ".safetensors")), "");
      assertDone(convert(path(saved + ".safetensors"), path(saved + "-back.pth")), "");
      assertEquals(
          List.of("<All keys matched successfully>"),
          PythonTorch.tensorFiles("strict", path(saved + "-back.pth")));
    }
    Run run = convert(path("checkpoint.pth"), path("checkpoint.safetensors"));
    assertEquals(0, run.code);
    assertTrue(run.err.contains("optimizer (dict), lr_scheduler (dict)"), run.err);
    assertEquals(lines(path("module.pth")), lines(path("checkpoint.safetensors")));
  }

  @Test
  void metadataIsKeptOrSaidToBeDropped() throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("mode", "target");
    metadata.put("note", "two\nlines");
    try (StepScope scope = StepScope.open()) {
      StateDicts.write(
          path("a.safetensors"), Map.of("w", Tensors.of(new float[] {1}, 1)), metadata);
    }
    assertDone(convert(path("a.safetensors"), path("b.safetensors")), "");
    try (TensorFile read = StateDicts.read(path("b.safetensors"))) {
      assertEquals(List.copyOf(metadata.entrySet()), List.copyOf(read.metadata().entrySet()));
    }
    Run run = convert(path("a.safetensors"), path("b.pth"), "--json");
    assertEquals("repopt: not in " + path("b.pth") + ": mode=target, note=two?lines\n", run.err);
    JsonNode json = new ObjectMapper().readTree(run.out);
    assertEquals(1, json.get("tensors").asInt());
    assertEquals(Files.size(path("b.pth")), json.get("bytes").asLong());
    assertEquals(2, json.get("dropped").size());
  }

  @ParameterizedTest
  @CsvSource({"VGG, false", "VGG, true", "ghost, false"})
  void scalesAreThoseOfTheSearchedNetwork(String family, boolean python) throws IOException {
    Architecture arch = family.equals("VGG") ? ARCH : Architecture.parse(GHOST);
    Network network = trained(arch, Mode.HS, 5, 11);
    StateDicts.write(path("latest.pth"), network.stateDict());
    StateDicts.write(
        path("last.safetensors"),
        network.stateDict(),
        Map.of("architecture", arch.spec(), "mode", "hs", "data", "digits"));
    if (python) {
      PythonTorch.tensorFiles("checkpoint", path("latest.pth"));
      for (List<String> named : List.of(List.of("--arch", SPEC), OPTIONS)) {
        List<Object> args =
            new ArrayList<>(
                List.of(
                    path("latest.pth"), path("a.safetensors"), "--to", "scales", "--overwrite"));
        args.addAll(named);
        assertDone(
            convert(args.toArray()),
            "repopt: not in " + path("a.safetensors") + ": optimizer (dict), epoch (int)\n");
      }
    } else {
      assertDone(convert(path("last.safetensors"), path("a.safetensors"), "--to", "scales"), "");
    }
    assertEquals(Scales.of(network), ScalesFile.read(path("a.safetensors"), arch));
    try (TensorFile read = StateDicts.read(path("a.safetensors"))) {
      assertEquals(arch.spec(), read.metadata().get("architecture"));
      assertEquals(python ? "latest.pth" : "last.safetensors", read.metadata().get("source"));
      assertEquals(python ? null : "digits", read.metadata().get("data"));
      assertFalse(read.metadata().containsKey("mode"));
    }
    network.close();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void deployComputesWhatTheTrainedNetworkDoes(Mode mode) throws IOException {
    for (Architecture arch : new Architecture[] {ARCH, Architecture.parse(GHOST)}) {
      Network network = trained(arch, mode, 7, 20220530);
      StateDicts.write(
          path("w.safetensors"),
          network.stateDict(),
          Map.of("architecture", arch.spec(), "mode", mode.toString()));
      assertDone(
          convert(path("w.safetensors"), path("d.safetensors"), "--to", "deploy", "--overwrite"),
          "");
      Network deployed = arch.build(Mode.DEPLOY, 7);
      try (TensorFile read = StateDicts.read(path("d.safetensors"));
          StepScope scope = StepScope.open();
          NoGrad noGrad = NoGrad.open()) {
        assertEquals("deploy", read.metadata().get("mode"));
        assertEquals("7", read.metadata().get("num_classes"));
        deployed.loadStateDict(read.tensors(), true);
        deployed.eval();
        network.eval();
        Tensor images = torch.rand(new long[] {2, 3, 48, 48});
        assertRelative(arch + " " + mode, 1e-5, network.forward(images), deployed.forward(images));
      }
      network.close();
      deployed.close();
    }
  }

  @Test
  void evalTakesADeployFile() throws IOException {
    Network network = trained(ARCH, Mode.TARGET, 10, 3);
    StateDicts.write(path("w.pth"), network.stateDict());
    network.close();
    String[] arch = {
      "--arch",
      "custom",
      "--num-blocks",
      "1,2,2,1",
      "--width",
      "0.125,0.125,0.125,0.125",
      "--strides",
      "1,1,2,2,2",
      "--post-se"
    };
    assertDone(
        convert(with(arch, path("w.pth"), path("d.safetensors"), "--to=deploy", "--mode=target")),
        "");
    Run before = run("eval", with(arch, path("w.pth"), "--data", "digits", "--json"));
    Run after = run("eval", path("d.safetensors"), "--data", "digits", "--json");
    assertEquals(0, before.code, before.err);
    assertEquals(0, after.code, after.err);
    JsonNode expected = new ObjectMapper().readTree(before.out);
    JsonNode actual = new ObjectMapper().readTree(after.out);
    assertEquals("deploy", actual.get("mode").asText());
    assertEquals(expected.get("top1").asDouble(), actual.get("top1").asDouble(), 0.003);
    assertEquals(
        expected.get("loss").asDouble(),
        actual.get("loss").asDouble(),
        1e-4 * expected.get("loss").asDouble());
  }

  @Test
  void whatDoesNotFitIsListedOrSkippedAloud() throws IOException {
    Network network = trained(ARCH, Mode.TARGET, 4, 8);
    Map<String, Tensor> state = new LinkedHashMap<>(network.stateDict());
    Tensor stem = state.remove("stage0.conv.weight");
    assertTrue(stem != null, state.keySet()::toString);
    Tensor three = Tensors.of(new float[3], 3);
    state.put("extra\u001b[2J", three);
    state.put("stage1.0.bn.bias", three);
    StateDicts.write(path("w.safetensors"), state, Map.of("architecture", SPEC, "mode", "target"));
    Run strict = convert(path("w.safetensors"), path("d.safetensors"), "--to", "deploy");
    assertRefused(strict, "missing [stage0.conv.weight]; unexpected [extra?[2J]; of another shape");
    assertRefused(
        convert(path("w.safetensors"), path("d.safetensors"), "--to", "deploy", "--strict"),
        "stage1.0.bn.bias (needs [8], got [3])");
    assertFalse(Files.exists(path("d.safetensors")));
    Run loose = convert(path("w.safetensors"), path("d.safetensors"), "--to=deploy", "--no-strict");
    assertEquals(0, loose.code, loose.err);
    assertTrue(
        loose.err.contains("missing [stage0.conv.weight]; unexpected [extra?[2J]"), loose.err);
    network.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a.safetensors | a.txt                |               | must end in .safetensors, .pth or .pt
          a.safetensors | a                    |               | must end in .safetensors, .pth or .pt
          a.safetensors | old.pth              |               | exists; give --overwrite to replace it
          a.safetensors | a.safetensors        | --overwrite   | IN and OUT must be two files
          a.safetensors | ./x/../a.safetensors | --overwrite   | IN and OUT must be two files
          a.safetensors | link.safetensors     | --overwrite   | IN and OUT must be two files
          a.safetensors | x.pth                | --overwrite   | it is a folder
          a.safetensors | nowhere/b.pth        |               | its folder does not exist
          none.pth      | b.safetensors        |               | there is no such file
          empty.safetensors | b.pth            |               | it holds no tensors
          a.safetensors | b.pth                | --to=onnx     | --to must be scales or deploy, got: 'onnx'
          a.safetensors | b.pth                | --mode=hs     | --mode goes with --to deploy
          a.safetensors | b.pth                | --no-strict   | go with --to deploy
          a.safetensors | b.pth                | --arch=custom | --arch goes with --to scales or --to deploy
          a.safetensors | b.pth                | --to=scales   | does not say which architecture
          a.safetensors | b.pth                | --to=deploy --arch=RepOpt-VGG-B1 | does not say which mode
          a.safetensors | b.pth                | --to=scales --arch=RepOpt-VGG-B1 | no scales among the 1 entries
          a.safetensors | b.pth                | --to=deploy --arch=RepOpt-VGG-B1 --mode=hs | no linear.weight or classifier.weight
          odd.safetensors | b.pth              | --to=scales   | odd.safetensors says what cannot be: no architecture is named 'x?y'
          odd.safetensors | b.pth              | --to=deploy --arch=RepOpt-VGG-tiny | odd.safetensors says what cannot be: mode must be one of
          small.safetensors | b.pth            | --to=deploy --arch=RepOpt-VGG-L2 --mode=hs | holds 1000000 numbers, but
          """)
  void refusals(String in, String out, String options, String sentence) throws IOException {
    try (StepScope scope = StepScope.open()) {
      StateDicts.write(path("a.safetensors"), Map.of("w", Tensors.of(new float[] {1}, 1)));
      StateDicts.write(
          path("small.safetensors"),
          Map.of("linear.weight", Tensors.of(new float[1000000], 1000000, 1)));
      StateDicts.write(
          path("odd.safetensors"),
          Map.of("w", Tensors.of(new float[] {1}, 1)),
          Map.of("architecture", "x\u001by", "mode", "z"));
    }
    StateDicts.write(path("empty.safetensors"), Map.of());
    Files.writeString(path("old.pth"), "old");
    Files.createDirectory(path("x"));
    Files.createDirectory(path("x.pth"));
    Files.createSymbolicLink(path("link.safetensors"), path("a.safetensors"));
    List<String> before = listing();
    String[] more = options == null ? new String[0] : options.split(" ");
    assertRefused(convert(with(more, path(in), folder + "/" + out)), sentence);
    assertEquals(before, listing());
  }

  private List<String> listing() throws IOException {
    try (var files = Files.walk(folder)) {
      return files
          .map(file -> file + " " + file.toFile().length() + " " + file.toFile().lastModified())
          .sorted()
          .toList();
    }
  }

  private static void assertRefused(Run run, String sentence) {
    assertEquals(2, run.code, run.err);
    assertEquals("", run.out);
    assertEquals(1, run.err.lines().count(), run.err);
    assertTrue(run.err.contains(sentence), run.err);
  }

  private static Object[] with(String[] more, Object... arguments) {
    Object[] all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return all;
  }

  /** A network whose statistics, factors and scales are far from their initial values. */
  private static Network trained(Architecture arch, Mode mode, int classes, long seed) {
    Natives.manualSeed(seed);
    Network network = arch.build(mode, classes);
    Random random = new Random(seed);
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      network
          .stateDict()
          .forEach(
              (name, tensor) -> {
                if (tensor.dim() == 1 && tensor.is_floating_point()) {
                  boolean mean = name.endsWith("running_mean") || name.endsWith("bias");
                  float[] values = new float[(int) tensor.numel()];
                  for (int i = 0; i < values.length; i++) {
                    values[i] = (mean ? -0.5f : 0.3f) + random.nextFloat();
                  }
                  tensor.copy_(Tensors.of(values, values.length));
                }
              });
    }
    return network;
  }
}
