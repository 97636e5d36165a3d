import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.csla.GradMults;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.data.Augmentation;
import org.repopt4j.data.InMemoryImages;
import org.repopt4j.data.Normalization;
import org.repopt4j.data.Split;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.nn.Network;
import org.repopt4j.train.CheckpointSettings;
import org.repopt4j.train.DataSettings;
import org.repopt4j.train.OptimSettings;
import org.repopt4j.train.RunSettings;
import org.repopt4j.train.RunSettings.Precision;
import org.repopt4j.train.ScheduleSettings;
import org.repopt4j.train.Session;
import org.repopt4j.train.TrainConfig;
import org.repopt4j.train.TrainListener;
import org.repopt4j.train.Trainer;

/** Times training with checkpoints against training without: {@code STEPS FOLDER}. */
final class CheckpointCost {
  private static final int SIDE = 128;
  private static final int BATCH = 8;
  private static final int EVERY = 50;

  private CheckpointCost() {}

  public static void main(String[] args) throws Exception {
    int steps = Math.max(2 * EVERY, Integer.parseInt(args[0]));
    Path folder = Path.of(args[1]);
    double[] without = new double[2];
    double[] with = new double[2];
    double[] writing = new double[1];
    // In turn, the other way round at the second time, so that a machine that tires is fair to
    // both.
    for (int round = 0; round < 2; round++) {
      for (int half = 0; half < 2; half++) {
        boolean checkpoints = half == 1 ^ round == 1;
        double seconds =
            secondsAStep(
                folder.resolve("r" + round + checkpoints), steps / 2, checkpoints, writing);
        (checkpoints ? with : without)[round] = seconds;
        System.out.printf(
            "%s checkpoints: %.3f s a step%n", checkpoints ? "with" : "without", seconds);
      }
    }
    double a = Arrays.stream(without).average().orElseThrow();
    double b = Arrays.stream(with).average().orElseThrow();
    System.out.printf(
        "a checkpoint every %d steps costs %.2f %% of the training time (%.3f against %.3f s a"
            + " step); writing one took %.2f s beside training%n",
        EVERY, 100 * (b / a - 1), b, a, writing[0]);
  }

  private static double secondsAStep(Path folder, int steps, boolean checkpoints, double[] writing)
      throws Exception {
    Architecture arch = Architecture.named("RepOpt-VGG-B1");
    int images = BATCH * (steps + 3);
    TrainConfig config =
        new TrainConfig(
            arch,
            Mode.TARGET,
            null,
            new DataSettings("synthetic", null, BATCH, BATCH, 1, true, true),
            new OptimSettings(UpdateRule.SGD, 1e-4, 0.9, 0.9, 0.999, 1e-8, 4e-5, 0, false, 1, 0.1),
            new ScheduleSettings(ScheduleSettings.Curve.CONSTANT, 1, 0, 0, 0, 1, 0.1),
            new RunSettings("cpu", Precision.FP32, false, false, 0, false, 7, 0, 1, folder));
    CheckpointSettings settings =
        checkpoints
            ? new CheckpointSettings(
                CheckpointSettings.Interval.parse("" + EVERY),
                2,
                Optional.empty(),
                false,
                false,
                CheckpointSettings.OnNan.STOP,
                0,
                CheckpointSettings.OnDiskFull.CONTINUE)
            : CheckpointSettings.OFF;
    Network network = arch.build(Mode.TARGET, 1000);
    Session session = Session.of(config, data(images), network, GradMults.none(), settings);
    long[] times = new long[steps + 4];
    int[] asked = new int[1];
    TrainListener listener =
        new TrainListener() {
          @Override
          public void checkpointWritten(Path checkpoint, double seconds) {
            writing[0] = seconds;
          }
        };
    new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> {
              times[asked[0]++] = System.nanoTime();
              return asked[0] > steps + 2;
            })
        .run();
    // The first steps warm up. With checkpoints the stretch holds exactly one of them.
    return (times[steps + 2] - times[2]) / 1e9 / steps;
  }

  private static Split data(int count) {
    byte[] pixels = new byte[count * 3 * SIDE * SIDE];
    new Random(1).nextBytes(pixels);
    InMemoryImages images =
        InMemoryImages.of(
            "synthetic",
            List.of("a", "b"),
            3,
            SIDE,
            SIDE,
            pixels,
            new int[count],
            Normalization.CIFAR100,
            new Augmentation(0, false));
    return new Split(images, images);
  }
}
