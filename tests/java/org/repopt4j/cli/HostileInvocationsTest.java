package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.io.StateDicts;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Scales;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.search.ScalesFile;

/** Values that no person would mean: exit code 2, one printable line, nothing written. */
class HostileInvocationsTest {
  @TempDir static Path folder;

  @BeforeAll
  static void files() throws IOException {
    Files.createFile(folder.resolve("empty.safetensors"));
    Files.createFile(folder.resolve("empty.pth"));
    Files.write(folder.resolve("zeros.safetensors"), new byte[4096]);
    Files.write(folder.resolve("zeros.pth"), new byte[4096]);
    Files.write(folder.resolve("high.safetensors"), new byte[] {-1, -1, -1, -1, -1, -1, -1, -1});
    Files.createDirectories(folder.resolve("dir.safetensors"));
    Files.createDirectories(folder.resolve("dir.pth"));
    Files.createSymbolicLink(folder.resolve("loop"), folder.resolve("loop"));
    Files.createSymbolicLink(folder.resolve("nowhere"), folder.resolve("missing"));
    Files.createDirectories(folder.resolve("left/checkpoints/step-000000000010"));
    Files.createDirectories(folder.resolve("file"));
    Files.writeString(folder.resolve("file/checkpoints"), "a file");
    Files.createDirectories(folder.resolve("lost"));
    Files.createSymbolicLink(folder.resolve("lost/checkpoints"), folder.resolve("missing"));
    Files.createDirectories(folder.resolve("bad/manifest"));
    Files.writeString(folder.resolve("bad/manifest.json"), "{");
    Files.createDirectories(folder.resolve("data/train.bin"));
    Files.createDirectories(folder.resolve("labels"));
    byte[] record = new byte[3074];
    record[1] = 100;
    for (String name : List.of("train.bin", "test.bin")) {
      Files.write(folder.resolve("labels").resolve(name), record);
    }
    Files.writeString(folder.resolve("labels/fine_label_names.txt"), "a\n".repeat(100));
    try (StepScope scope = StepScope.open()) {
      Architecture a0 = Architecture.named("RepOpt-VGG-A0");
      ScalesFile.write(
          folder.resolve("a0-scales.safetensors"),
          Scales.of(a0.build(Mode.HS, 10)),
          java.util.Map.of());
      StateDicts.write(
          folder.resolve("deploy.safetensors"),
          Architecture.named("RepOpt-VGG-tiny").build(Mode.CSLA, 10).stateDict(),
          java.util.Map.of());
    }
  }

  /** {@code @} stands for the temporary folder. */
  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "train --resume auto --no-output",
        "search --resume auto --no-output",
        "train --resume @/bad",
        "train --resume @/loop",
        "train --resume @/nowhere",
        "train --resume @/dir.pth",
        "train --output @/left",
        "search --output @/left",
        "train --output @/file",
        "train --output @/file --resume auto",
        "train --output @/lost",
        "train --output @/lost --resume auto",
        "train --output @/loop/x",
        "train --output @/nowhere/../empty.pth/x",
        "train --lr 1e400",
        "train --lr -1e400",
        "train --lr inf",
        "train --lr Infinity",
        "train --lr -0",
        "train --lr -0.0",
        "train --lr 0x",
        "train --lr 1_000",
        "train --lr ",
        "train --lr １",
        "train --momentum NaN",
        "train --momentum -0.1",
        "train --momentum 1e400",
        "train --opt-eps -1e-8",
        "train --opt-eps NaN",
        "train --opt-betas NaN,NaN",
        "train --opt-betas 0.9,1e400",
        "train --opt-betas ,",
        "train --opt-betas 0.9,0.99,0.999",
        "train --opt-betas -0.1,0.5",
        "train --weight-decay NaN",
        "train --weight-decay inf",
        "train --clip-grad inf",
        "train --clip-grad NaN",
        "train --smoothing -0.1",
        "train --smoothing NaN",
        "train --smoothing 1e400",
        "train --min-lr inf",
        "train --warmup-lr NaN",
        "train --warmup-epochs -1",
        "train --warmup-epochs 1e300",
        "train --warmup-epochs NaN",
        "train --sched step --decay-rate 0",
        "train --decay-rate -1",
        "train --decay-epochs NaN",
        "train --decay-epochs -5",
        "train --epochs 2147483648",
        "train --epochs -2147483648",
        "train --epochs 99999999999999999999999999",
        "train --epochs 0x10",
        "train --epochs ٣x",
        "train -b 0",
        "train -b -1",
        "train -b 2147483647",
        "train -b 2147483648",
        "train -b 1.0",
        "train --val-batch-size 2147483648",
        "train --val-batch-size 2147483647",
        "train --workers -2147483648",
        "train --workers 2147483647",
        "train --threads 1025",
        "train --threads 2147483647",
        "train --seed 9223372036854775808",
        "train --seed -9223372036854775809",
        "train --seed 1e3",
        "train --grad-accum-steps 2147483647",
        "train --grad-accum-steps 23 -b 64",
        "train --grad-accum-steps -1",
        "train --model-ema-decay -0.5",
        "train --model-ema-decay NaN",
        "train --model-ema-decay 1e400",
        "train --eval-every -1",
        "train --eval-every 2147483648",
        "train --keep 1000001",
        "train --keep 2147483648",
        "train --keep NaN",
        "train --checkpoint-every ",
        "train --checkpoint-every 1e3",
        "train --checkpoint-every 5x",
        "train --checkpoint-every 10M",
        "train --checkpoint-every 0h",
        "train --checkpoint-every ١٠m",
        "train --checkpoint-every 1h30m",
        "train --checkpoint-every OFF",
        "train --max-bad-samples 2147483648",
        "train --max-bad-samples NaN",
        "train --on-nan ",
        "train --on-disk-full ignore",
        "train --device ",
        "train --device cuda:-1",
        "train --device cuda:99999999999999999999",
        "train --precision FP64",
        "train --mode ",
        "train --arch ",
        "train --arch RepOpt-VGG-",
        "train --arch ../../etc/passwd",
        "train --arch custom --num-blocks 1,1,1,1 --width 0,1,1,1",
        "train --arch custom --num-blocks 1,1,1,1 --width -1,1,1,1",
        "train --arch custom --num-blocks 1,1,1,1 --width 1e-9,1,1,1",
        "train --arch custom --num-blocks 1,1,1,1 --width inf,1,1,1",
        "train --arch custom --num-blocks 2147483647,1,1,1 --width 1,1,1,1",
        "train --arch custom --num-blocks 1,1,1,1 --width 1,1,1,1 --strides 2,2,2,2,-2",
        "train --arch RepOpt-VGG-A0 --scales @/deploy.safetensors",
        "train --scales @/a0-scales.safetensors",
        "train --scales @/empty.safetensors",
        "train --scales @/empty.pth",
        "train --scales @/zeros.safetensors",
        "train --scales @/zeros.pth",
        "train --scales @/high.safetensors",
        "train --scales @/dir.safetensors",
        "train --scales @/dir.pth",
        "train --scales @/loop",
        "train --scales @/nowhere",
        "train --scales /dev/null",
        "train --scales /proc/self/mem",
        "train --mode csla --scales @/a0-scales.safetensors",
        "train --data cifar100 --data-dir @/data",
        "train --data cifar100 --data-dir @/labels -b 2",
        "train --data cifar100 --data-dir @/loop",
        "train --data cifar10 --data-dir /dev/null",
        "train --data digits --recipe ",
        "train digits",
        "train -",
        "eval @/empty.safetensors",
        "eval @/zeros.pth",
        "eval @/dir.pth",
        "eval @/loop",
        "eval /dev/null",
        "eval @/deploy.safetensors",
        "eval @/a0-scales.safetensors",
        "convert @/zeros.safetensors @/out.pth",
        "convert @/dir.safetensors @/out.pth",
        "convert @/deploy.safetensors @/dir.safetensors",
        "convert @/deploy.safetensors @/none/out.safetensors",
        "convert @/deploy.safetensors @/loop.pth/out.pth",
        "bench --steps 1",
        "models --image-size 2147483648",
        "verify --steps 2147483648",
      })
  void isRefusedInOneLine(String line) throws IOException {
    assertRefused(words(line));
  }

  /** {@code @} stands for the temporary folder. */
  private static List<String> words(String line) {
    List<String> args = new ArrayList<>();
    for (String arg : Splitter.on(' ').split(line)) {
      args.add(arg.replace("@", folder.toString()));
    }
    return args;
  }

  @Test
  void longAndStrangeTextIsRefusedInOneShortLine() throws IOException {
    String rocket = new String(Character.toChars(0x1F680));
    for (String text : List.of("x".repeat(100_000), rocket, "a\nb", "\u001b[2J", "\u202e", "\0")) {
      for (String option :
          List.of("--arch", "--lr", "--epochs", "--mode", "--checkpoint-every", "--device")) {
        CapturedRun run = assertRefused(new ArrayList<>(List.of("train", option, text)));
        assertTrue(run.err().length() < 4200, option);
        assertTrue(run.err().strip().chars().noneMatch(Character::isISOControl), option + run);
      }
    }
  }

  /** What a variable of the shell that is not set makes of a command. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "train --output ",
        "train --output  --resume auto",
        "search --output ",
        "demo --output ",
        "train --scales ",
        "train --data cifar10 --data-dir ",
        "eval ",
        "convert  @/out.pth",
        "convert @/deploy.safetensors ",
        "bench --scales ",
        "crosscheck --official ",
      })
  void anEmptyPathIsRefused(String line) throws IOException {
    CapturedRun run = assertRefused(words(line));
    assertTrue(run.err().contains("'' names no file or folder"), run::toString);
  }

  /** As any letter but those of ASCII is where the locale is C. */
  @Test
  void aPathThatTheSystemCannotHaveIsRefused() throws IOException {
    CapturedRun run = assertRefused(new ArrayList<>(List.of("train", "--output", "a\0b")));
    assertTrue(run.err().contains("'a?b' cannot be a file's name"), run::toString);
  }

  /** It stands for no file of options, which may be a folder or name itself. */
  @Test
  void aWordThatBeginsWithAnAtIsAWord() throws IOException {
    Path itself = folder.resolve("itself");
    Files.writeString(itself, "@" + itself);
    for (Path path : List.of(folder, itself, folder.resolve("nowhere"))) {
      assertTrue(CapturedRun.of("@" + path).err().contains("'@" + path + "'"));
      assertRefused(new ArrayList<>(List.of("@" + path)));
      assertRefused(new ArrayList<>(List.of("train", "@" + path)));
      assertRefused(new ArrayList<>(List.of("train", "--lr", "@" + path)));
    }
  }

  private static CapturedRun assertRefused(List<String> args) throws IOException {
    boolean runs = List.of("train", "search").contains(args.get(0));
    if (!args.remove("--no-output") && runs && !args.contains("--output")) {
      args.add(1, "--output");
      args.add(2, folder.resolve("new").toString());
    }
    List<String> before = content();
    CapturedRun run = CapturedRun.of(args);
    run.assertRefused();
    assertFalse(run.err().contains(" null"), run::toString);
    assertEquals(before, content());
    return run;
  }

  private static List<String> content() throws IOException {
    List<String> content = new ArrayList<>();
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted().toList()) {
        content.add(path + (Files.isRegularFile(path) ? " " + Files.size(path) : ""));
      }
    }
    return content;
  }
}
