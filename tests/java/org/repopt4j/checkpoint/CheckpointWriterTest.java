package org.repopt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.runtime.Tensors;

/** Whatever a disk does, the work goes on and hears of it. */
class CheckpointWriterTest {
  @TempDir Path folder;

  private final List<String> heard = new ArrayList<>();
  private CheckpointWriter writer;

  /** A file system whose operations of one name fail with what the given function throws. */
  private static CheckpointStorage failing(String operation, Failure failure) {
    FileStorage disk = new FileStorage();
    return (CheckpointStorage)
        Proxy.newProxyInstance(
            CheckpointWriterTest.class.getClassLoader(),
            new Class<?>[] {CheckpointStorage.class},
            (self, method, args) -> {
              if (method.getName().equals(operation)) {
                failure.happen();
              }
              try {
                return method.invoke(disk, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** A disk on which the first writes find no room. */
  private CheckpointStorage fullFor(int writes) {
    AtomicInteger calls = new AtomicInteger();
    return failing(
        "write",
        () -> {
          if (calls.incrementAndGet() <= writes) {
            throw new IOException("no room");
          }
        });
  }

  private interface Failure {
    void happen() throws IOException;
  }

  private CheckpointWriter writer(CheckpointStorage storage) {
    writer =
        new CheckpointWriter(
            new CheckpointFolder(folder.resolve("checkpoints"), storage),
            2,
            Duration.ZERO,
            new CheckpointWriter.Listener() {
              @Override
              public void written(Path path, double seconds) {
                heard.add("written " + path.getFileName() + busy());
              }

              @Override
              public void failed(long step, IOException why, boolean again) {
                heard.add("failed " + step + " " + why.getMessage() + (again ? " again" : busy()));
              }

              @Override
              public void oldOnesStay(IOException why) {
                heard.add("stay " + why.getMessage());
              }
            });
    return writer;
  }

  private String busy() {
    return writer.isBusy() ? " busy" : "";
  }

  private static Checkpoint checkpoint(long step) {
    return new Checkpoint(
        step,
        Map.of(),
        Map.of(),
        Map.of(),
        Map.of("model", Map.of("w", Tensors.of(new float[] {step}, 1))));
  }

  @Test
  void aFailureIsTriedAgain() {
    try (CheckpointWriter one = writer(fullFor(2))) {
      one.write(checkpoint(1));
      assertTrue(one.await());
    }
    assertEquals(
        List.of("failed 1 no room again", "failed 1 no room again", "written step-000000000001"),
        heard);
  }

  @Test
  void whatKeepsFailingIsGivenUpAndTheNextOneIsAnotherChance() {
    try (CheckpointWriter one = writer(fullFor(3))) {
      one.write(checkpoint(1));
      assertFalse(one.await());
      assertEquals("failed 1 no room", heard.get(2));
      one.write(checkpoint(2));
      assertTrue(one.await());
    }
    assertEquals("written step-000000000002", heard.get(3));
  }

  /** Memory that is used up for a moment must not end a training run. */
  @Test
  void anErrorIsReportedAndTheWorkGoesOn() {
    AtomicInteger calls = new AtomicInteger();
    CheckpointStorage disk =
        failing(
            "sync",
            () -> {
              if (calls.incrementAndGet() == 1) {
                throw new OutOfMemoryError("Java heap space");
              }
            });
    try (CheckpointWriter one = writer(disk)) {
      one.write(checkpoint(1));
      assertFalse(one.await());
      one.write(checkpoint(2));
      assertTrue(one.await());
    }
    assertEquals(List.of("failed 1 Java heap space", "written step-000000000002"), heard);
    assertEquals(1, folder.resolve("checkpoints").toFile().list().length);
  }

  @Test
  void oldOnesThatCannotGoStayAndTheNewOneIsThere() throws IOException {
    CheckpointStorage disk =
        failing(
            "delete",
            () -> {
              throw new IOException("read-only");
            });
    try (CheckpointWriter one = writer(disk)) {
      for (long step = 1; step <= 3; step++) {
        one.write(checkpoint(step));
        assertTrue(one.await());
      }
    }
    assertEquals(
        List.of(
            "written step-000000000001",
            "written step-000000000002",
            "stay read-only",
            "written step-000000000003"),
        heard);
    assertTrue(Files.exists(folder.resolve("checkpoints/step-000000000003/manifest.json")));
  }
}
