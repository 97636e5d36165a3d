package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import org.repopt4j.testkit.TinyRun;

/** Nothing grows: not with steps, not with checkpoints. */
@Tag("slow")
class EnduranceTest {
  private static final int STEPS = Integer.getInteger("repopt.endurance.steps", 10_000);
  private static final int CHECKPOINTS = Integer.getInteger("repopt.endurance.checkpoints", 1_000);

  @TempDir Path folder;

  /**
   * In a process of its own, whose Java heap is there from the beginning, and whose compiler is
   * done soon.
   */
  @Test
  void memoryAndHandlesAreFlatOverManySteps() throws Exception {
    assumeTrue(ProcessMemory.resident().isPresent(), "needs Linux");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xms192m",
                "-Xmx192m",
                "-XX:+AlwaysPreTouch",
                "-XX:TieredStopAtLevel=1",
                "-Dorg.bytedeco.javacpp.maxphysicalbytes=16g",
                "-cp",
                System.getProperty("java.class.path"),
                EnduranceTest.class.getName(),
                folder.resolve("run").toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    assertTrue(process.waitFor(20, TimeUnit.MINUTES));
    String out = Files.readString(folder.resolve("out"));
    System.out.print(out);
    assertEquals(0, process.exitValue(), out);
  }

  /** {@code FOLDER}: trains, and fails if something grew after a tenth of the steps. */
  public static void main(String[] args) throws IOException {
    int perEpoch = 6;
    TrainConfig config = TinyRun.config(Mode.HS, Path.of(args[0]));
    config = TinyRun.with(config, "schedule.epochs", STEPS / perEpoch + 1);
    config = TinyRun.with(config, "run.evalEvery", 1000);
    config = TinyRun.with(config, "run.modelEmaDecay", 0.9);
    Session session = TinyTraining.session(config);
    AtomicLong steps = new AtomicLong();
    long[] memory = new long[2];
    long[] handles = new long[2];
    TinyTraining.run(
        session,
        new TrainListener() {},
        () -> {
          long step = steps.incrementAndGet();
          if (step == STEPS / 10 || step == STEPS) {
            int at = step == STEPS ? 1 : 0;
            System.gc();
            memory[at] = ProcessMemory.resident().orElseThrow();
            handles[at] = Natives.handles();
          }
          return step >= STEPS;
        });
    System.out.printf(
        "%d steps: resident %d MiB after %d, %d MiB at the end; handles %d and %d%n",
        STEPS, memory[0] >> 20, STEPS / 10, memory[1] >> 20, handles[0], handles[1]);
    System.exit(memory[1] <= memory[0] * 1.03 && handles[1] <= handles[0] + 64 ? 0 : 1);
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
