import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

/**
 * Times training with checkpoints against training without: {@code ROUNDS FOLDER}. Two runs of one
 * process take turns of as many steps as there are from checkpoint to checkpoint, so that a machine
 * whose pace changes is fair to both.
 */
final class CheckpointCost {
  private static final int SIDE = 128;
  private static final int BATCH = 8;
  private static final int EVERY = 50;

  private CheckpointCost() {}

  public static void main(String[] args) throws Exception {
    int rounds = Math.max(1, Integer.parseInt(args[0]));
    Path folder = Path.of(args[1]);
    // A turn begins and ends in the middle between two checkpoints, so that each holds a whole one.
    int steps = EVERY / 2 + (rounds + 1) * EVERY;
    Split data = data(BATCH * (steps + 1));
    Turns turns = new Turns(rounds + 2);
    double[] writing = new double[1];
    ExecutorService two = Executors.newFixedThreadPool(2);
    try {
      Future<?> without = two.submit(() -> train(folder, data, false, turns, writing));
      Future<?> with = two.submit(() -> train(folder, data, true, turns, writing));
      without.get();
      with.get();
    } finally {
      two.shutdownNow();
    }
    double[] costs = new double[rounds];
    for (int round = 0; round <= rounds; round++) {
      double without = turns.seconds[0][round + 1] / EVERY;
      double with = turns.seconds[1][round + 1] / EVERY;
      double cost = 100 * (with / without - 1);
      System.out.printf(
          "%s: %.4f s a step without checkpoints, %.4f s with one every %d steps: %+.2f %%%n",
          round == 0 ? "warm-up" : "round " + round, without, with, EVERY, cost);
      if (round > 0) {
        costs[round - 1] = cost;
      }
    }
    Arrays.sort(costs);
    System.out.printf(
        "a checkpoint every %d steps costs %.2f %% of the training time (median of %d rounds, %.2f"
            + " to %.2f); the last was written in %.2f s beside training%n",
        EVERY,
        (costs[rounds / 2] + costs[(rounds - 1) / 2]) / 2,
        rounds,
        costs[0],
        costs[rounds - 1],
        writing[0]);
  }

  /** Lets one of two runs go on at a time. */
  private static final class Turns {
    /** Of each run's turns. */
    final double[][] seconds;

    private int turn;
    private long begun;

    Turns(int turns) {
      seconds = new double[2][turns];
    }

    /** Whose turn it is: 0 1, 1 0, 0 1, and so on. */
    private int whose() {
      return (turn & 1) ^ (turn >> 1 & 1);
    }

    synchronized void await(int run) throws InterruptedException {
      while (turn < 2 * seconds[0].length && whose() != run) {
        wait();
      }
      begun = System.nanoTime();
    }

    /** Ends a run's turn, and waits for its next if there is one. */
    synchronized void next(int run) throws InterruptedException {
      seconds[run][turn / 2] = (System.nanoTime() - begun) / 1e9;
      boolean last = turn / 2 == seconds[run].length - 1;
      turn++;
      notifyAll();
      if (!last) {
        await(run);
      }
    }
  }

  private static Void train(
      Path folder, Split data, boolean checkpoints, Turns turns, double[] writing)
      throws Exception {
    int run = checkpoints ? 1 : 0;
    turns.await(run);
    Architecture arch = Architecture.named("RepOpt-VGG-B1");
    TrainConfig config =
        new TrainConfig(
            arch,
            Mode.TARGET,
            null,
            new DataSettings("synthetic", null, BATCH, BATCH, 1, true, true),
            new OptimSettings(UpdateRule.SGD, 1e-4, 0.9, 0.9, 0.999, 1e-8, 4e-5, 0, false, 1, 0.1),
            new ScheduleSettings(ScheduleSettings.Curve.CONSTANT, 1, 0, 0, 0, 1, 0.1),
            new RunSettings(
                "cpu", Precision.FP32, false, false, 0, false, 7, 0, 1, folder.resolve("" + run)));
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
    Session session = Session.of(config, data, network, GradMults.none(), settings);
    TrainListener listener =
        new TrainListener() {
          @Override
          public void checkpointWritten(Path checkpoint, double seconds) {
            writing[0] = seconds;
          }
        };
    int end = EVERY / 2 + (turns.seconds[run].length - 1) * EVERY;
    int[] steps = new int[1];
    new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> {
              if (++steps[0] % EVERY == EVERY / 2) {
                try {
                  turns.next(run);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              }
              return steps[0] >= end;
            })
        .run();
    return null;
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
