package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import com.google.common.base.CharMatcher;
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
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
 * {@code kill -9} at random moments of a real run. {@code -Drepopt.kills=200
 * -Drepopt.kills.resumed=20} makes it the long one.
 */
@Tag("slow")
class KillTest {
  private static final int KILLS = Integer.getInteger("repopt.kills", 12);
  private static final int RESUMED = Integer.getInteger("repopt.kills.resumed", 3);
  private static final long SEED = Long.getLong("repopt.kills.seed", 20230501);

  /** Milliseconds of training in which the kill comes; the start is not counted. */
  private static final int WITHIN = 2500;

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

  @Test
  void afterEveryKillThereIsACheckpointAndTheRunCanEndAsIfNothingHadBeen() throws Exception {
    Random random = new Random(SEED);
    int most = 0;
    int oldest = 0;
    int without = 0;
    int resumed = 0;
    System.out.printf("kills %d, seed %d%n", KILLS, SEED);
    for (int kill = 0; kill < KILLS; kill++) {
      long seed = kill % 4;
      Path run = folder.resolve("run" + kill);
      Notes notes = Notes.read(killed(run, seed, random));
      long newest = newest(run);
      assertTrue(newest >= notes.lastWritten, "kill " + kill + ": a checkpoint was lost: " + notes);
      // The run asks once more whether to stop where an epoch ends.
      assertTrue(
          notes.mostWithout <= ChildRun.INTERVAL + 1, "kill " + kill + ": too old: " + notes);
      most = Math.max(most, notes.mostWithout);
      int age = notes.stepsSinceCopyOf(newest);
      assertTrue(age <= notes.allowedAge(newest), "kill " + kill + ": lost " + age + ": " + notes);
      oldest = Math.max(oldest, age);
      without += newest == 0 ? 1 : 0;
      if (resumed < RESUMED && kill * RESUMED >= resumed * KILLS) {
        resumed++;
        assertSameEnd(run, seed, random);
      }
    }
    System.out.printf(
        "steps since the last copy, but for those while one was written: %d at most (interval %d); steps lost with a kill: %d at most; killed before the first checkpoint: %d; resumed to the end: %d%n",
        most, ChildRun.INTERVAL, oldest, without, resumed);
  }

  /** Starts a run and kills it; what it noted. */
  private static String killed(Path run, long seed, Random random) throws Exception {
    Path notes = Path.of(run + ".steps");
    Files.deleteIfExists(notes);
    Process process = ChildRun.start(run, seed);
    while (process.isAlive() && !Files.exists(notes)) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    TimeUnit.MILLISECONDS.sleep(random.nextInt(WITHIN));
    process.destroyForcibly();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    return Files.exists(notes) ? Files.readString(notes) : "";
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

  /**
   * What a run noted.
   *
   * @param lastWritten the step of the last checkpoint that it saw written
   * @param mostWithout the most steps since a copy, not counting those while one was being written
   */
  private record Notes(long lastWritten, int mostWithout, String text) {
    private static final Pattern NOTE = Pattern.compile("(\\.)|b(\\d+);|d(\\d+);");

    /** What the kill cost: steps since the copy that is the newest on the disk. */
    int stepsSinceCopyOf(long newest) {
      return dots(text.substring(behind("b" + newest + ";")));
    }

    /**
     * An interval, and the steps that went by while the newest and the one after it were being
     * written, which is beside training.
     */
    int allowedAge(long newest) {
      String rest = text.substring(behind("b" + newest + ";"));
      int done = rest.indexOf('d');
      int next = rest.indexOf('b');
      int writing = newest == 0 ? 0 : dots(done < 0 ? rest : rest.substring(0, done));
      int writingNext = next < 0 ? 0 : dots(rest.substring(next));
      // The run asks once more whether to stop where an epoch ends.
      return Math.max(ChildRun.INTERVAL, writing) + 2 + writingNext;
    }

    /** Where a note ends; the beginning, if it was made by the run before. */
    private int behind(String note) {
      int at = text.lastIndexOf(note);
      return at < 0 ? 0 : at + note.length();
    }

    private static int dots(String part) {
      return CharMatcher.is('.').countIn(part);
    }

    static Notes read(String text) {
      long lastWritten = 0;
      int since = 0;
      int most = 0;
      boolean writing = false;
      Matcher notes = NOTE.matcher(text);
      while (notes.find()) {
        if (notes.group(2) != null) {
          since = 0;
          writing = true;
        } else if (notes.group(3) != null) {
          lastWritten = Long.parseLong(notes.group(3));
          writing = false;
        } else if (!writing) {
          since++;
          most = Math.max(most, since);
        }
      }
      return new Notes(lastWritten, most, text);
    }
  }

  /**
   * Goes on with the run, kills it once more on the way, and compares its end with a whole run's.
   */
  private void assertSameEnd(Path run, long seed, Random random) throws Exception {
    if (!Files.exists(Path.of(run + ".done"))) {
      killed(run, seed, random);
    }
    finish(run, seed);
    Path whole = folder.resolve("whole" + seed);
    if (!Files.exists(whole)) {
      finish(whole, seed);
    }
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
    if (Files.exists(Path.of(run + ".done"))) {
      return;
    }
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
