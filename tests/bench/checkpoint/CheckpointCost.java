import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
 * What checkpoints cost a training run: {@code ROUNDS SIDE FOLDER}. A round is an interval from the
 * middle between two checkpoints to the next such place. Its cost is what the steps during which
 * the checkpoint was copied and written took longer than as many others: a machine's pace changes
 * by more from minute to minute than a checkpoint costs, so that whole intervals with and without
 * one differ by chance.
 */
final class CheckpointCost {
  private static final int BATCH = 8;
  private static final int EVERY = 50;

  private CheckpointCost() {}

  /** Steps from one place to another, and the checkpoint between them. */
  private static final class Round {
    final long[] begun = new long[EVERY + 1];
    volatile long from = Long.MAX_VALUE;
    volatile long to = Long.MAX_VALUE;
    volatile double writing;

    private boolean isDisturbed(int step) {
      return begun[step + 1] > from && begun[step] < to;
    }

    private double seconds(int step) {
      return (begun[step + 1] - begun[step]) / 1e9;
    }

    double median() {
      return DoubleStream.of(
              IntStream.range(0, EVERY)
                  .filter(step -> !isDisturbed(step))
                  .mapToDouble(this::seconds)
                  .toArray())
          .sorted()
          .skip((EVERY - disturbed()) / 2)
          .findFirst()
          .orElseThrow();
    }

    long disturbed() {
      return IntStream.range(0, EVERY).filter(this::isDisturbed).count();
    }

    double excess() {
      double all =
          IntStream.range(0, EVERY).filter(this::isDisturbed).mapToDouble(this::seconds).sum();
      return all - disturbed() * median();
    }

    double percent() {
      return 100 * excess() / (EVERY * median());
    }
  }

  public static void main(String[] args) throws Exception {
    int rounds = Math.max(1, Integer.parseInt(args[0]));
    int side = Integer.parseInt(args[1]);
    List<Round> all = train(Path.of(args[2]), side, rounds + 1);
    for (int i = 0; i <= rounds; i++) {
      Round round = all.get(i);
      System.out.printf(
          "%s: a step takes %.3f s; %d steps while a checkpoint was copied and written (%.2f s)"
              + " took %.2f s longer than as many others: %.2f %% of the interval%n",
          i == 0 ? "first checkpoint" : "round " + i,
          round.median(),
          round.disturbed(),
          round.writing,
          round.excess(),
          round.percent());
    }
    double[] percents = all.stream().skip(1).mapToDouble(Round::percent).sorted().toArray();
    System.out.printf(
        "a checkpoint every %d steps of %dx%d, batch %d, costs %.2f %% of the training time (median"
            + " of %d rounds, %.2f to %.2f)%n",
        EVERY,
        side,
        side,
        BATCH,
        (percents[rounds / 2] + percents[(rounds - 1) / 2]) / 2,
        rounds,
        percents[0],
        percents[rounds - 1]);
  }

  private static List<Round> train(Path folder, int side, int rounds) throws Exception {
    Architecture arch = Architecture.named("RepOpt-VGG-B1");
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
        new CheckpointSettings(
            CheckpointSettings.Interval.parse("" + EVERY),
            2,
            Optional.empty(),
            false,
            false,
            CheckpointSettings.OnNan.STOP,
            0,
            CheckpointSettings.OnDiskFull.CONTINUE);
    Network network = arch.build(Mode.TARGET, 1000);
    Session session =
        Session.of(
            config, data(side, BATCH * (rounds + 1) * EVERY), network, GradMults.none(), settings);
    List<Round> all = Stream.generate(Round::new).limit(rounds).toList();
    int[] steps = new int[1];
    TrainListener listener =
        new TrainListener() {
          @Override
          public void checkpointBegun(long step) {
            // The copy is made by now, in the time since the loop was last asked.
            if (step % EVERY == 0) {
              Round round = all.get((int) (step / EVERY) - 1);
              round.from = round.begun[EVERY / 2];
            }
          }

          @Override
          public void checkpointWritten(Path checkpoint, double seconds) {
            int step = Integer.parseInt(checkpoint.getFileName().toString().substring(5));
            if (step % EVERY == 0) {
              all.get(step / EVERY - 1).writing = seconds;
              all.get(step / EVERY - 1).to = System.nanoTime();
            }
          }
        };
    new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> {
              long now = System.nanoTime();
              int at = ++steps[0] - EVERY / 2;
              if (at >= 0 && at / EVERY < rounds) {
                all.get(at / EVERY).begun[at % EVERY] = now;
              }
              if (at > 0 && at % EVERY == 0) {
                all.get(at / EVERY - 1).begun[EVERY] = now;
              }
              return at == rounds * EVERY;
            })
        .run();
    return all;
  }

  /** Enough for one epoch: at its end a run does other things, too. */
  private static Split data(int side, int count) {
    byte[] pixels = new byte[count * 3 * side * side];
    new Random(1).nextBytes(pixels);
    InMemoryImages images =
        InMemoryImages.of(
            "synthetic",
            List.of("a", "b"),
            3,
            side,
            side,
            pixels,
            new int[count],
            Normalization.CIFAR100,
            new Augmentation(0, false));
    return new Split(images, images);
  }
}
