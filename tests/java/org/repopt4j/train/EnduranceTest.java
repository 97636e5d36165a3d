package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.checkpoint.Checkpoint;
import org.repopt4j.checkpoint.CheckpointFolder;
import org.repopt4j.checkpoint.CheckpointWriter;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.ProcessMemory;
import org.repopt4j.runtime.Retained;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;
import org.repopt4j.testkit.JavaProcess;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** Nothing grows: not with steps, not with checkpoints. */
@Tag("slow")
class EnduranceTest {
  private static final int STEPS = Integer.getInteger("repopt.endurance.steps", 10_000);
  private static final int CHECKPOINTS = Integer.getInteger("repopt.endurance.checkpoints", 1_000);

  @TempDir Path folder;

  /** In memory, where there is such a folder: the disk's speed is not what is tested. */
  private Path run() throws IOException {
    Path memory = Path.of("/dev/shm");
    return Files.isWritable(memory)
        ? Files.createTempDirectory(memory, "repopt-endurance")
        : folder.resolve("run");
  }

  @Test
  void memoryAndHandlesAreFlatOverManySteps() throws Exception {
    assumeTrue(ProcessMemory.resident().isPresent(), "needs Linux");
    Path run = run();
    Process process =
        JavaProcess.withSteadyHeap("192m", EnduranceTest.class, run.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    assertTrue(process.waitFor(20, TimeUnit.MINUTES));
    MoreFiles.deleteRecursively(run, RecursiveDeleteOption.ALLOW_INSECURE);
    String out = Files.readString(folder.resolve("out"));
    System.out.print(out);
    assertEquals(0, process.exitValue(), out);
  }

  /**
   * {@code FOLDER}: trains with a checkpoint every tenth step, and fails if something grew after a
   * tenth of the steps. Handles are counted after every step, without a collection before it: what
   * only the collector would free counts as left behind.
   */
  public static void main(String[] args) throws IOException {
    int perEpoch = 6;
    int warm = STEPS / 10;
    TrainConfig config = TinyRun.config(Mode.HS, Path.of(args[0]));
    config = TinyRun.with(config, "schedule.epochs", STEPS / perEpoch + 1);
    config = TinyRun.with(config, "run.evalEvery", 100);
    config = TinyRun.with(config, "run.modelEmaDecay", 0.9);
    CheckpointSettings settings = ResumeTest.settings("10", null, OnNan.STOP);
    Session session = TinyTraining.session(config, TinyRun.data(), settings);
    AtomicLong steps = new AtomicLong();
    AtomicLong written = new AtomicLong();
    long[] memory = new long[2];
    long[] open = new long[2];
    long[] handles = {Long.MAX_VALUE, 0};
    NoStepWhileWriting listener =
        new NoStepWhileWriting() {
          @Override
          public void checkpointBegun(long step) {
            steps.set(step);
            super.checkpointBegun(step);
          }

          @Override
          public void checkpointWritten(Path checkpoint, double seconds) {
            written.incrementAndGet();
            super.checkpointWritten(checkpoint, seconds);
          }
        };
    new Trainer(
            config,
            session,
            settings,
            new FileStorage(),
            listener,
            () -> {
              boolean unused = listener.getAsBoolean();
              // Of the last checkpoint: an evaluation asks, too, so that calls are no steps.
              long step = steps.get();
              if (step >= warm) {
                handles[0] = Math.min(handles[0], Natives.handles());
                handles[1] = Math.max(handles[1], Natives.handles());
              }
              int at = step >= STEPS ? 1 : 0;
              if (step >= warm && memory[at] == 0) {
                System.gc();
                memory[at] = ProcessMemory.resident().orElseThrow();
                open[at] = descriptors();
              }
              return unused || step >= STEPS;
            })
        .run();
    System.out.printf(
        "%d steps, %d checkpoints: resident %d MiB after %d, %d MiB at the end; handles %d to %d;"
            + " descriptors %d and %d%n",
        STEPS,
        written.get(),
        memory[0] >> 20,
        warm,
        memory[1] >> 20,
        handles[0],
        handles[1],
        open[0],
        open[1]);
    // A checkpoint's copy and batches made ahead come and go; one handle left a checkpoint is more.
    int most = (STEPS - warm) / 10 * 2 / 3;
    boolean flat =
        memory[1] <= memory[0] * 1.03
            && handles[1] - handles[0] < most
            && open[1] <= open[0] + 2
            && written.get() >= STEPS / 11;
    System.exit(flat ? 0 : 1);
  }

  private static long descriptors() {
    try {
      return count(Path.of("/proc/self/fd"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void manyCheckpointsLeaveNothingBehind() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(descriptors), "needs Linux");
    CheckpointFolder checkpoints =
        new CheckpointFolder(folder.resolve("checkpoints"), new FileStorage());
    int threads = Thread.activeCount();
    long open = count(descriptors);
    long handles = Natives.handles();
    try (CheckpointWriter writer =
        new CheckpointWriter(
            checkpoints,
            2,
            Duration.ZERO,
            new CheckpointWriter.Listener() {
              @Override
              public void written(Path path, double seconds) {}

              @Override
              public void failed(long step, IOException why, boolean again) {
                throw new IllegalStateException(why);
              }

              @Override
              public void oldOnesStay(IOException why) {
                throw new IllegalStateException(why);
              }
            })) {
      for (int step = 1; step <= CHECKPOINTS; step++) {
        try (StepScope scope = StepScope.open()) {
          Tensor weights = Retained.retain(Tensors.of(new float[] {step}, 1));
          writer.write(
              new Checkpoint(
                  step, Map.of(), Map.of(), Map.of(), Map.of("model", Map.of("w", weights))));
        }
      }
    }
    assertEquals(2, checkpoints.list().size());
    System.gc();
    System.out.printf(
        "%d checkpoints: descriptors %d and %d, threads %d and %d, handles %d and %d%n",
        CHECKPOINTS,
        open,
        count(descriptors),
        threads,
        Thread.activeCount(),
        handles,
        Natives.handles());
    assertTrue(count(descriptors) <= open + 1, "file descriptors were left open");
    assertTrue(Thread.activeCount() <= threads + 1, "threads were left behind");
    assertTrue(Natives.handles() <= handles + 8, "native objects were left behind");
  }

  private static long count(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.count();
    }
  }
}
