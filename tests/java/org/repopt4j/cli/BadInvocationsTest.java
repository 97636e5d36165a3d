package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Bad input gets exit code 2 and one line that names the option and the bad value; nothing is
 * written.
 */
class BadInvocationsTest {
  private static final Map<String, String> CONFIGS =
      ImmutableMap.<String, String>builder()
          .put("open", "epochs: [1, 2\n")
          .put("tab", "seed: 1\nepochs:\t3\n  x: 1\n")
          .put("deep", "[".repeat(100_000))
          .put("twice", "epochs: 1\nseed: 2\nepochs: 3\n")
          .put("two", "epochs: 1\n---\nepochs: 2\n")
          .put("list", "- epochs\n")
          .put("nothing", "# nothing\n")
          .put("tagged", "!!javax.script.ScriptEngineManager [x]\n")
          .put("bomb", "epochs: &a [1, 1]\nseed: [*a, *a]\n")
          .put("typo", "epcohs: 3\n")
          .put("itself", "config: itself.yaml\n")
          .put("help", "help: true\n")
          .put("word", "epochs: three\n")
          .put("nan", "lr: .nan\n")
          .put("map", "epochs: {a: 1}\n")
          .put("flag", "no_flip: perhaps\n")
          .put("betas", "opt_betas: [0.9, x]\n")
          .put("negative", "batch_size: -8\n")
          .put("mode", "mode: repvgg\n")
          .buildOrThrow();

  @TempDir static Path folder;

  @BeforeAll
  static void files() throws IOException {
    Files.writeString(folder.resolve("text"), "hello, these are no tensors");
    Files.createDirectories(folder.resolve("empty"));
    Files.createDirectories(folder.resolve("used"));
    Files.writeString(folder.resolve("used/args.yaml"), "arch: x\n");
    for (Map.Entry<String, String> file : CONFIGS.entrySet()) {
      Files.writeString(folder.resolve(file.getKey() + ".yaml"), file.getValue());
    }
    Files.write(folder.resolve("bytes.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    Files.write(folder.resolve("large.yaml"), new byte[2 << 20]);
    Files.createDirectories(folder.resolve("cut"));
    Files.writeString(folder.resolve("cut/train.bin"), "too short");
    Files.writeString(folder.resolve("cut/test.bin"), "too short");
    Files.writeString(folder.resolve("cut/fine_label_names.txt"), "a\n".repeat(100));
  }

  /** {@code @} in an argument or a part stands for the temporary folder. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "train --data digits --checkpoint-every 0 | --checkpoint-every | '0'",
        "train --data digits --checkpoint-every -5 | --checkpoint-every | '-5'",
        "train --data digits --checkpoint-every 10d | --checkpoint-every | '10d'",
        "train --data digits --checkpoint-every m | --checkpoint-every | 'm'",
        "train --data digits --checkpoint-every 99999999999 | --checkpoint-every | 99999999999",
        "train --data digits --keep 1 | --keep | 1",
        "train --data digits --keep -2 | --keep | -2",
        "train --data digits --keep two | --keep | 'two'",
        "train --data digits --max-bad-samples -1 | --max-bad-samples | -1",
        "train --data digits --on-nan panic | --on-nan | 'panic'",
        "train --data digits --on-nan rollback --checkpoint-every off | --on-nan rollback |"
            + " --checkpoint-every",
        "train --data digits --on-disk-full wait | --on-disk-full | 'wait'",
        "train --data digits --resume-anyway | --resume-anyway | --resume",
        "train --data digits --output @/empty --resume @/lost | @/lost | --resume must be auto",
        "train --data digits --output @/text --resume auto | @/text | is a file",
        "search --data digits --keep 0 | --keep | 0",
        "search --data digits --output @/used | @/used | --resume auto",
        "search --data digits --resume-anyway | --resume-anyway | --resume",
        "train --config @/lost.yaml | @/lost.yaml | no such file",
        "train --config @/empty | @/empty | not a file",
        "train --config @/bytes.yaml | @/bytes.yaml | UTF-8",
        "train --config @/large.yaml | @/large.yaml | 1048576 bytes",
        "train --config @/open.yaml | @/open.yaml | line",
        "train --config @/tab.yaml | line 2 | TAB",
        "train --config @/deep.yaml | @/deep.yaml | depth",
        "train --config @/twice.yaml | line 3 | 'epochs'",
        "train --config @/two.yaml | @/two.yaml | one mapping",
        "train --config @/list.yaml | @/list.yaml | one mapping",
        "train --config @/nothing.yaml | @/nothing.yaml | one mapping",
        "train --config @/tagged.yaml | @/tagged.yaml | one mapping",
        "train --config @/bomb.yaml | --epochs | '1,1'",
        "train --config @/typo.yaml | 'epcohs' | '--epcohs'",
        "train --config @/itself.yaml | 'config' | that a file can set",
        "train --config @/help.yaml | 'help' | that a file can set",
        "train --config @/word.yaml | --epochs | 'three'",
        "train --config @/nan.yaml | @/nan.yaml | .nan",
        "train --config @/map.yaml | --epochs | {\"a\":1}",
        "train --config @/flag.yaml | --no-flip | true or false",
        "train --config @/betas.yaml | --opt-betas | 0.9,x",
        "train --config @/negative.yaml | --batch-size | -8",
        "train --config @/word.yaml --config @/nan.yaml | --config | only once",
        "search --config @/mode.yaml | 'mode' | '--mode'",
        "trian | 'trian' | did you mean train",
        "--nonsense | '--nonsense' | repopt --help",
        "doctor extra | 'extra' | not expected",
        "doctor --jsonx | '--jsonx' | repopt doctor --help",
        "doctor --arch x | '--arch' | no option",
        "verify --steps 0 | --steps | 0",
        "verify --steps -5 | --steps | -5",
        "verify --steps 100001 | --steps | 100001",
        "verify --steps ten | --steps | 'ten'",
        "verify --steps 1.5 | --steps | '1.5'",
        "verify --seed x | --seed | 'x'",
        "verify --seed 99999999999999999999 | --seed | 99999999999999999999",
        "models --arch RepOpt-VGG-B9 | 'RepOpt-VGG-B9' | did you mean RepOpt-VGG-B",
        "models --num-classes 0 | --num-classes | 0",
        "models --num-classes many | --num-classes | 'many'",
        "models --image-size -1 | --image-size | -1",
        "models --strides 1,1,1,1,1 | --strides 1,1,1,1,1 | --arch",
        "models --post-se | --post-se | --arch",
        "models --arch custom | --num-blocks | --width",
        "models --arch custom --num-blocks 1,2,2 --width 1,1,1,1 | --num-blocks | '1,2,2'",
        "models --arch custom --num-blocks 1,2,2,0 --width 1,1,1,1 | --num-blocks | '1,2,2,0'",
        "models --arch custom --num-blocks 1,b,2,1 --width 1,1,1,1 | --num-blocks | '1,b,2,1'",
        "models --arch custom --num-blocks 1,2,2,1 --width 1,1,1 | --width | '1,1,1'",
        "models --arch custom --num-blocks 1,2,2,1 --width 1,1,1,w | --width | '1,1,1,w'",
        "models --arch custom --num-blocks 1,2,2,1 --width 1,1,1,NaN | --width | '1,1,1,NaN'",
        "models --arch custom --num-blocks 1,2,2,1 --width 1e9,1,1,1 | width | 1.0E9",
        "models --arch RepOpt-VGG-A0 --num-blocks 1,1,1,1 | --num-blocks | RepOpt-VGG-A0",
        "models --arch RepOpt-VGG-A0 --strides 1,1 | --strides | '1,1'",
        "models --arch RepOpt-VGG-A0 --strides 0,1,1,1,1 | --strides | '0,1,1,1,1'",
        "models --arch RepOpt-GhostNet-0.5x --post-se | RepOpt-GhostNet-0.5x | post-SE",
        "train --output | --output | DIR",
        "train --data-dir @/none | --data-dir names @/none | add --data cifar10",
        "search --data digits --data-dir @/empty | --data-dir names @/empty | add --data cifar10",
        "train --output @/text | --output | @/text",
        "train --output @/text/sub | --output | @/text/sub",
        "train --output @/used | --output | @/used",
        "train --epoch 3 | '--epoch' | did you mean --epochs",
        "train --epochs 0 | --epochs | 0",
        "train --epochs -3 | --epochs | -3",
        "train --epochs 1e3 | --epochs | '1e3'",
        "train --batch-size 1 | --batch-size | 1",
        "train --batch-size 70000 | --batch-size | 70000",
        "train --batch-size 99999999999 | --batch-size | '99999999999'",
        "train -b 2000 | --batch-size | 2000",
        "train --val-batch-size 0 | --val-batch-size | 0",
        "train --workers 0 | --workers | 0",
        "train --workers 1000 | --workers | 1000",
        "train --mode plain | --mode | 'plain'",
        "train --mode deploy | --mode | deploy",
        "train --opt adam | --opt must be sgd, adamw or adamw-official | 'adam'",
        "train --sched cos | --sched must be cosine, linear, step or constant | 'cos'",
        "train --precision fp8 | --precision must be fp32, tf32, bf16 or fp16 | 'fp8'",
        "train --precision tf32 --device cpu | --precision tf32 | cpu",
        "search --precision tf32 --device cpu | --precision tf32 | cpu",
        "search --precision double | --precision | 'double'",
        "train --recompute 4 | '4' | not expected",
        "eval @/none --recompute | '--recompute' | no option",
        "train --recipe mine | --recipe must be one of digits | 'mine'",
        "train --data mnist | --data must be digits, cifar10 or cifar100 | 'mnist'",
        "train --data cifar10 | --data-dir | cifar10",
        "train --data cifar100 --data-dir @/none | @/none | does not exist",
        "train --data cifar100 --data-dir @/text | @/text | not a folder",
        "train --data cifar100 --data-dir @/empty | @/empty | train.bin",
        "train --data cifar100 --data-dir @/cut | @/cut/train.bin | 9 bytes",
        "train --lr 0 | --lr | 0.0",
        "train --lr -0.1 | --lr | -0.1",
        "train --lr nan | --lr | 'nan'",
        "train --lr NaN | --lr | 'NaN'",
        "train --lr fast | --lr | 'fast'",
        "train --lr 0,1 | --lr | '0,1'",
        "train --lr 1f | --lr | '1f'",
        "train --lr 1d | --lr | '1d'",
        "train --lr 0x1p-3 | --lr | '0x1p-3'",
        "train --opt-betas 0.9f,0.99 | --opt-betas | '0.9f,0.99'",
        "train --momentum 1 | --momentum | 1.0",
        "train --opt-betas 0.9 | --opt-betas | '0.9'",
        "train --opt-betas 0.9,x | --opt-betas | '0.9,x'",
        "train --opt-betas 0.9,1 | --opt-betas | 0.9,1.0",
        "train --opt-eps 0 | --opt-eps | 0.0",
        "train --weight-decay -1 | --weight-decay | -1.0",
        "train --clip-grad -1 | --clip-grad | -1.0",
        "train --grad-accum-steps 0 | --grad-accum-steps | 0",
        "train --smoothing 1 | --smoothing | 1.0",
        "train --warmup-epochs 5 --epochs 5 | --warmup-epochs | 5.0",
        "train --warmup-lr -1 | --warmup-lr | -1.0",
        "train --min-lr -1 | --min-lr | -1.0",
        "train --decay-epochs 0 | --decay-epochs | 0.0",
        "train --decay-rate 2 | --decay-rate | 2.0",
        "train --threads -1 | --threads | -1",
        "train --device gpu | --device | 'gpu'",
        "train --device cuda:999 | --device | 'cuda:999'",
        "train --model-ema-decay 1 | --model-ema-decay | 1.0",
        "train --eval-every 0 | --eval-every | 0",
        "train --scales @/none | @/none | no such file",
        "train --scales @/text | @/text | neither",
        "train --scales @/empty | @/empty | folder",
        "train --scales @/text --clip-grad 1 | --clip-grad | 1.0",
        "train --scales @/text --mode repvgg | --scales | multi-branch",
        "train --lr 0.1 --lr 0.2 | '--lr' | only once",
        "train --output /proc/new | /proc/new | no such file",
        "train --output @/used --resume auto --keep 1 | --keep | 1",
        "train --output @/used --resume auto --resume none | '--resume' | only once",
        "train --resume auto --checkpoint-every off --on-nan rollback | --on-nan rollback | off",
        "train --checkpoint-every 1.5m | --checkpoint-every | '1.5m'",
        "train --checkpoint-every -10m | --checkpoint-every | '-10m'",
        "train --output @/used --resume @/none | @/none | --resume must be auto",
        "train --output @/used --resume @/text | @/text | --resume must be auto",
        "train --output @/used --resume @/empty | @/empty | --resume must be auto",
        "search --checkpoint-every soon | --checkpoint-every | 'soon'",
        "search --on-nan undo | --on-nan | 'undo'",
        "search --max-bad-samples all | --max-bad-samples | 'all'",
        "convert | IN | repopt convert --help",
        "convert @/none @/x.safetensors | @/none | no such file",
        "convert @/text @/x.safetensors | @/text | neither",
        "convert @/text @/x.zip | x.zip | .safetensors",
        "convert @/text @/x.pth --to onnx | --to | 'onnx'",
        "convert @/empty @/x.pth | @/empty | folder",
        "eval @/text --threads 0 | @/text | neither",
        "eval @/none --val-batch-size -1 | @/none | no such file",
        "eval @/text --precision half | @/text | neither",
        "search --mode csla | '--mode' | no option",
        "search --epochs x | --epochs | 'x'",
        "demo --clip-grad 1 | --clip-grad | 1.0",
        "demo --output @/text | --output | @/text",
        "bench --what speed | --what must be train, inference or update | 'speed'",
        "bench --mode deploy | --mode deploy | --what inference",
        "bench --mode plain | --mode | 'plain'",
        "bench --arch RepOpt-VGG-B9 | 'RepOpt-VGG-B9' | did you mean RepOpt-VGG-B",
        "bench --batch-size 1 | --batch-size must be from 2 | got: 1",
        "bench --what inference --batch-size 0 | --batch-size must be from 1 | got: 0",
        "bench --resolution 0 | --resolution | got: 0",
        "bench --num-classes 0 | --num-classes | got: 0",
        "bench --warmup -1 | --warmup | got: -1",
        "bench --repeats 0 | --repeats | got: 0",
        "bench --repeats many | --repeats | 'many'",
        "bench --threads -1 | --threads | -1",
        "bench --device gpu | --device | 'gpu'",
        "bench --device cuda:999 | --device | 'cuda:999'",
        "bench --precision fp8 | --precision | 'fp8'",
        "bench --precision tf32 --device cpu | --precision tf32 | cpu",
        "bench --what inference --recompute | --recompute | --what train",
        "bench --what update --recompute | --recompute | update",
        "bench --find-batch --device cpu | --find-batch needs a CUDA device | cpu",
        "bench --what inference --find-batch --device cpu | --find-batch | --what train",
        "bench --find-batch 64 | '64' | not expected",
        "bench --opt adam | --opt must be sgd, adamw or adamw-official | 'adam'",
        "bench --engine steam | --engine must be | 'steam'",
        "bench --scales @/none | @/none | no such file",
        "bench --scales @/text | @/text | neither",
        "bench --mode repvgg --scales @/text | --scales | multi-branch",
        "bench --what inference --scales @/text | --scales | inference",
        "bench --json @/none/x.json | --json | folder does not exist",
        "bench --json @/used | --json | is a folder",
        "bench --json | --json | FILE",
        "eval | WEIGHTS | repopt eval --help",
        "eval @/none | @/none | no such file",
        "eval @/text | @/text | neither",
        "eval @/empty | @/empty | folder",
      })
  void isRefusedInOneLine(String line, String part, String other) throws IOException {
    List<String> args = new ArrayList<>();
    for (String arg : Splitter.on(' ').split(line)) {
      args.add(arg.replace("@", folder.toString()));
    }
    boolean runs = List.of("train", "search", "demo").contains(args.get(0));
    if (runs && !args.contains("--output")) {
      args.add("--output");
      args.add(folder.resolve("new").toString());
    }
    List<Path> before = content();

    CapturedRun run = CapturedRun.of(args);

    run.assertRefused();
    for (String wanted : List.of(part, other)) {
      String text = wanted.replace("@", folder.toString());
      assertTrue(run.err().contains(text), () -> "no " + text + " in " + run);
    }
    assertEquals(before, content());
  }

  private static List<Path> content() throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths.sorted().toList();
    }
  }
}
