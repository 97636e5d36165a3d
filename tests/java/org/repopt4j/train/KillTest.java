package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.checkpoint.CheckpointFolder;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;

/**
 * {@code kill -9} at random moments of real runs: each run is killed ten times, resumed after each,
 * then goes on to its end. {@code -Drepopt.kills=N -Drepopt.kills.seed=S} chooses how many kills
 * there are, and which.
 */
@Tag("slow")
class KillTest {
  private static final int KILLS = Integer.getInteger("repopt.kills", 200);
  private static final long SEED = Long.getLong("repopt.kills.seed", 20230501);
  private static final int LIVES = 10;

  /** Steps that a life makes, fewer than this; the run must not reach its end before its kills. */
  private static final int STEPS = 26;

  /** Milliseconds after the last of those steps, fewer than this: a step and a write. */
  private static final int WITHIN = 40;

  /** Milliseconds from the start of the process, of those that are killed while they start. */
  private static final int STARTING = 2000;

  /** Runs with different seeds and optimizers, with which the others are compared. */
  private static final int WHOLE = 4;

  private Path folder;

  /**
   * In memory, where there is such a folder: what is tested is the process's death, not the disk's
   * speed.
   */
  @BeforeEach
  void makeFolder() throws IOException {
    Path memory = Path.of("/dev/shm");
    folder =
        Files.isWritable(memory)
            ? Files.createTempDirectory(memory, "repopt-kill")
            : Files.createTempDirectory("repopt-kill");
  }

  @AfterEach
  void removeFolder() throws IOException {
    MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
  }

  /** What the kills of one run met. */
  private record Outcome(int kills, int starting, int writing, int mostWithout, int oldest) {
    Outcome and(Outcome other) {
      return new Outcome(
          kills + other.kills,
          starting + other.starting,
          writing + other.writing,
          Math.max(mostWithout, other.mostWithout),
          Math.max(oldest, other.oldest));
    }
  }

  @Test
  void afterEveryKillThereIsACheckpointAndTheRunCanEndAsIfNothingHadBeen() throws Exception {
    System.out.printf("kills %d, seed %d%n", KILLS, SEED);
    int runs = Math.max(1, KILLS / LIVES);
    List<Callable<Outcome>> whole = new ArrayList<>();
    for (int seed = 0; seed < Math.min(runs, WHOLE); seed++) {
      long of = seed;
      whole.add(
          () -> {
            finish(whole(of), of);
            return new Outcome(0, 0, 0, 0, 0);
          });
    }
    List<Callable<Outcome>> killed = new ArrayList<>();
    for (int run = 0; run < runs; run++) {
      int number = run;
      killed.add(() -> tenLives(number, Math.min(KILLS, LIVES)));
    }
    // One more than there are processors, because the runs sleep now and then.
    ExecutorService beside =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors() + 1);
    Outcome all = new Outcome(0, 0, 0, 0, 0);
    try {
      for (List<Callable<Outcome>> tasks : List.of(whole, killed)) {
        for (Future<Outcome> outcome : beside.invokeAll(tasks)) {
          all = all.and(outcome.get());
        }
      }
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause().getMessage(), e.getCause());
    } finally {
      beside.shutdownNow();
    }
    System.out.printf(
        "%d kills, of which %d before the life's first step and %d while a checkpoint was written;"
            + " steps since the last copy, but for those while one was written: %d at most"
            + " (interval %d); steps lost with a kill: %d at most; runs resumed to the end and"
            + " bit-equal: %d%n",
        all.kills, all.starting, all.writing, all.mostWithout, ChildRun.INTERVAL, all.oldest, runs);
  }

  private Outcome tenLives(int number, int lives) throws Exception {
    Random random = new Random(SEED + number);
    long seed = number % WHOLE;
    Path run = folder.resolve("run" + number);
    Outcome all = new Outcome(0, 0, 0, 0, 0);
    long before = 0;
    for (int life = 0; life < lives; life++) {
      String which = "run " + number + ", kill " + life + ": ";
      ChildNotes notes = killed(run, seed, random);
      long newest = newest(run);
      assertTrue(newest >= Math.max(before, notes.lastWritten()), which + "lost one: " + notes);
      before = newest;
      // The run asks once more whether to stop where an epoch ends.
      assertTrue(notes.mostWithout() <= ChildRun.INTERVAL + 1, which + "too old: " + notes);
      int age = notes.stepsSinceCopyOf(newest);
      assertTrue(age <= notes.allowedAge(newest), which + "lost " + age + ": " + notes);
      int starting = notes.steps() == 0 ? 1 : 0;
      all = all.and(new Outcome(1, starting, notes.isWriting() ? 1 : 0, notes.mostWithout(), age));
    }
    finish(run, seed);
    assertSame(whole(seed), run);
    MoreFiles.deleteRecursively(run, RecursiveDeleteOption.ALLOW_INSECURE);
    return all;
  }

  private Path whole(long seed) {
    return folder.resolve("whole" + seed);
  }

  /** Starts a run and kills it, one in eight while it still starts; what it noted. */
  private static ChildNotes killed(Path run, long seed, Random random) throws Exception {
    boolean starting = random.nextInt(8) == 0;
    int steps = 1 + random.nextInt(STEPS);
    int within = random.nextInt(starting ? STARTING : WITHIN);
    Files.deleteIfExists(ChildNotes.file(run));
    Process process = ChildRun.start(run, seed);
    while (!starting && process.isAlive() && ChildNotes.read(run).steps() < steps) {
      TimeUnit.MILLISECONDS.sleep(3);
    }
    TimeUnit.MILLISECONDS.sleep(within);
    assertTrue(process.isAlive(), () -> "ended before it was killed: " + log(run));
    process.destroyForcibly();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    return ChildNotes.read(run);
  }

  /** The step of the newest checkpoint, 0 if there is none; every one must be whole. */
  private static long newest(Path run) throws IOException {
    CheckpointFolder checkpoints =
        new CheckpointFolder(run.resolve("checkpoints"), new FileStorage());
    List<String> skipped = new ArrayList<>();
    Optional<Checkpoint> found = checkpoints.newest(skipped::add);
    assertEquals(List.of(), skipped, "a kill leaves nothing damaged");
    found.ifPresent(Checkpoint::close);
    return found.map(Checkpoint::step).orElse(0L);
  }

  private static void assertSame(Path whole, Path run) throws IOException {
    for (String file : List.of("last", "last-ema", "best", "best-ema")) {
      try (TensorFile expected = StateDicts.read(whole.resolve(file + ".safetensors"));
          TensorFile actual = StateDicts.read(run.resolve(file + ".safetensors"))) {
        assertEquals(expected.metadata(), actual.metadata());
        for (Map.Entry<String, Tensor> entry : expected.tensors().entrySet()) {
          assertBitEqual(
              file + " " + entry.getKey(), entry.getValue(), actual.tensor(entry.getKey()));
        }
      }
    }
    assertEquals(summary(whole), summary(run));
  }

  private static void finish(Path run, long seed) throws Exception {
    Process process = ChildRun.start(run, seed);
    assertTrue(process.waitFor(600, TimeUnit.SECONDS), "the run does not end");
    assertEquals(0, process.exitValue(), () -> log(run));
  }

  private static String log(Path run) {
    try {
      return Files.readString(Path.of(run + ".log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Without the two columns that are times. */
  private static List<String> summary(Path run) throws IOException {
    return Files.readAllLines(run.resolve("summary.csv")).stream()
        .map(line -> line.replaceAll(",[^,]*,[^,]*$", ""))
        .toList();
  }
}
