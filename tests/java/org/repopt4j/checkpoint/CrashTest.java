package org.repopt4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.repopt4j.checkpoint.CrashingStorage.Damage;
import org.repopt4j.checkpoint.CrashingStorage.PowerLost;
import org.repopt4j.io.AtomicFile;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/** After a crash at any moment there is a whole checkpoint, and it is the right one. */
class CrashTest {
  @TempDir Path folder;

  private static Checkpoint checkpoint(long step) {
    Tensor weights = Tensors.of(new float[] {(float) step, 1, 2}, 3);
    Tensor momentum = Tensors.of(new double[] {(double) -step}, 1);
    return new Checkpoint(
        step,
        Map.of("lr", "0.1"),
        Map.of("seed", "7"),
        Map.of("java", "17"),
        Map.of("model", Map.of("w", weights), "optimizer", Map.of("w.momentum_buffer", momentum)));
  }

  private static void assertWhole(Checkpoint found) {
    try (StepScope scope = StepScope.open()) {
      assertEquals(
          (float) found.step(), Tensors.toFloats(found.tensors().get("model").get("w"))[0]);
      assertEquals(
          (double) -found.step(),
          Tensors.toDoubles(found.tensors().get("optimizer").get("w.momentum_buffer"))[0]);
      assertEquals("0.1", found.values().get("lr"));
    }
  }

  private Path fresh(String name) throws IOException {
    Path root = folder.resolve(name);
    new CheckpointFolder(root, new FileStorage()).write(checkpoint(1));
    return root;
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void powerLostAtAnyMomentLeavesTheOldOrTheNewOne(Damage damage) throws IOException {
    long operations = 0;
    boolean finished = false;
    for (; !finished; operations++) {
      for (boolean all : new boolean[] {true, false}) {
        for (boolean undo : new boolean[] {true, false}) {
          Path root = fresh(damage + "-" + operations + all + undo);
          CrashingStorage storage = new CrashingStorage(operations, /* lying= */ false);
          try {
            new CheckpointFolder(root, storage).write(checkpoint(2));
            finished = true;
          } catch (PowerLost e) {
            assertTrue(e.getMessage() == null);
          }
          assertTrue(!finished || storage.unforced() == 0, "what is written is forced");
          storage.crash(damage, all, undo, new Random(operations));
          List<String> skipped = new ArrayList<>();
          CheckpointFolder after = new CheckpointFolder(root, new FileStorage());
          after.clean();
          try (Checkpoint found = after.newest(skipped::add).orElseThrow()) {
            assertWhole(found);
            assertTrue(!finished || found.step() == 2, "a finished checkpoint was lost");
            assertEquals(List.of(), skipped, "an honest disk shows nothing half written");
          }
        }
      }
    }
    assertTrue(operations > 10, "only " + operations + " moments were tried");
  }

  /** Deleting old ones leaves no half of one: all that are listed are whole, and two at least. */
  @Test
  void powerLostWhileOldOnesAreDeletedLeavesWholeOnes() throws IOException {
    boolean finished = false;
    for (long operations = 0; !finished; operations++) {
      for (boolean undo : new boolean[] {true, false}) {
        Path root = folder.resolve("pruned-" + operations + undo);
        CheckpointFolder before = new CheckpointFolder(root, new FileStorage());
        for (long step = 1; step <= 4; step++) {
          before.write(checkpoint(step));
        }
        CrashingStorage storage = new CrashingStorage(operations, /* lying= */ false);
        try {
          new CheckpointFolder(root, storage).prune(2);
          finished = true;
        } catch (PowerLost e) {
          assertTrue(e.getMessage() == null);
        }
        storage.crash(Damage.UNHARMED, true, undo, new Random(operations));
        CheckpointFolder after = new CheckpointFolder(root, new FileStorage());
        after.clean();
        List<Path> left = after.list();
        assertTrue(left.size() >= 2 && (!finished || left.size() == 2), left::toString);
        for (Path one : left) {
          CheckpointFolder.read(one).close();
        }
      }
    }
  }

  /** What is changed between memory and disk is not what was written. */
  @Test
  void aDiskThatFlipsABitWhileItWritesIsSeen() throws IOException {
    for (String name : List.of("model.safetensors", "optimizer.safetensors", "manifest.json")) {
      Path root = fresh("flipped-" + name);
      CheckpointStorage flipping =
          new FullDisk(Long.MAX_VALUE) {
            @Override
            public void write(Path file, AtomicFile.Body body) throws IOException {
              super.write(file, body);
              if (file.endsWith(name)) {
                byte[] content = Files.readAllBytes(file);
                content[content.length / 2] ^= 1;
                Files.write(file, content);
              }
            }
          };
      new CheckpointFolder(root, flipping).write(checkpoint(2));
      List<String> skipped = new ArrayList<>();
      try (Checkpoint found =
          new CheckpointFolder(root, new FileStorage()).newest(skipped::add).orElseThrow()) {
        assertEquals(1, found.step(), name);
      }
      assertEquals(1, skipped.size(), skipped::toString);
    }
  }

  /** A run that went back goes on from where it went on, not from what it left behind. */
  @Test
  void theOneWrittenLastIsTheNewest() throws IOException {
    Path root = folder.resolve("back");
    CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
    for (long step : new long[] {100, 200, 150, 160, 160, 170}) {
      Path written = checkpoints.write(checkpoint(step));
      checkpoints.prune(2);
      assertEquals(written, checkpoints.list().get(checkpoints.list().size() - 1));
      try (Checkpoint found = checkpoints.newest(Assertions::fail).orElseThrow()) {
        assertEquals(step, found.step());
      }
    }
    assertEquals(
        List.of("step-000000000160-3", "step-000000000170-3"),
        checkpoints.list().stream().map(path -> path.getFileName().toString()).toList());
  }

  /** Every file of the newest checkpoint, each damage: seen, named, and the one before it taken. */
  @ParameterizedTest
  @EnumSource(
      value = Damage.class,
      names = {"UNHARMED"},
      mode = EnumSource.Mode.EXCLUDE)
  void damageIsSeenAndTheOneBeforeIsTaken(Damage damage) throws IOException {
    List<String> names =
        List.of("model.safetensors", "optimizer.safetensors", "manifest.json", "manifest.sha256");
    for (String name : names) {
      for (int seed = 0; seed < 8; seed++) {
        Path root = fresh(name + damage + seed);
        CrashingStorage lying = new CrashingStorage(1000, /* lying= */ true);
        Path newest = new CheckpointFolder(root, lying).write(checkpoint(2));
        CrashingStorage one = new CrashingStorage(1000, true);
        byte[] content = Files.readAllBytes(newest.resolve(name));
        Files.delete(newest.resolve(name));
        one.write(
            newest.resolve(name), channel -> channel.write(java.nio.ByteBuffer.wrap(content)));
        one.crash(damage, true, false, new Random(seed));
        List<String> skipped = new ArrayList<>();
        try (Checkpoint found =
            new CheckpointFolder(root, new FileStorage()).newest(skipped::add).orElseThrow()) {
          assertEquals(1, found.step(), name + " " + damage + " was believed");
          assertWhole(found);
        }
        assertEquals(1, skipped.size());
        assertTrue(skipped.get(0).contains("step-000000000002"), skipped::toString);
      }
    }
  }

  /** A block that was never forced may show what an earlier file had there. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors",
        "optimizer.safetensors",
        "manifest.json",
        "manifest.sha256",
        "manifest"
      })
  void theContentOfTheOneBeforeIsSeen(String name) throws IOException {
    Path root = fresh("old");
    Path newest = new CheckpointFolder(root, new FileStorage()).write(checkpoint(2));
    try (var files = Files.list(newest)) {
      for (Path file : files.filter(f -> f.getFileName().toString().startsWith(name)).toList()) {
        Path old = root.resolve("step-000000000001").resolve(file.getFileName());
        assertEquals(Files.size(old), Files.size(file), "only the content tells them apart");
        Files.copy(old, file, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    List<String> skipped = new ArrayList<>();
    try (Checkpoint found =
        new CheckpointFolder(root, new FileStorage()).newest(skipped::add).orElseThrow()) {
      assertEquals(1, found.step());
      assertWhole(found);
    }
    assertEquals(1, skipped.size(), skipped::toString);
    assertTrue(skipped.get(0).contains("step-000000000002"), skipped::toString);
  }

  @Test
  void aDiskThatFillsUpLeavesTheOldOneOrTheNewOne() throws IOException {
    boolean fitted = false;
    for (long room = 0; !fitted; room += 16) {
      Path root = fresh("full-" + room);
      FullDisk disk = new FullDisk(room);
      CheckpointFolder checkpoints = new CheckpointFolder(root, disk);
      try {
        checkpoints.write(checkpoint(2));
        fitted = true;
      } catch (IOException e) {
        assertTrue(e.getMessage().contains("No space left"), e::getMessage);
        assertEquals(1, checkpoints.list().size());
        assertEquals(1, disk.list(root).size(), "nothing half written stays");
      }
      List<String> skipped = new ArrayList<>();
      try (Checkpoint found = checkpoints.newest(skipped::add).orElseThrow()) {
        assertEquals(fitted ? 2 : 1, found.step());
        assertWhole(found);
      }
      assertEquals(List.of(), skipped);
    }
  }

  /** A disk with room for so many bytes. */
  private static class FullDisk implements CheckpointStorage {
    private final CheckpointStorage disk = new FileStorage();
    private long room;

    FullDisk(long room) {
      this.room = room;
    }

    @Override
    public void createFolder(Path path) throws IOException {
      disk.createFolder(path);
    }

    @Override
    public void write(Path file, AtomicFile.Body body) throws IOException {
      disk.write(file, body);
      room -= Files.size(file);
      if (room < 0) {
        try (var channel =
            java.nio.channels.FileChannel.open(file, java.nio.file.StandardOpenOption.WRITE)) {
          channel.truncate(Math.max(0, channel.size() + room));
        }
        throw new IOException(file + ": No space left on device");
      }
    }

    @Override
    public void sync(Path path) throws IOException {
      disk.sync(path);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      disk.rename(from, to);
    }

    @Override
    public List<Path> list(Path path) throws IOException {
      return disk.list(path);
    }

    @Override
    public void delete(Path path) throws IOException {
      disk.delete(path);
    }
  }

  @Test
  void theNewestStayAndDamagedOnesDoNotCount() throws IOException {
    Path root = fresh("kept");
    CheckpointFolder checkpoints = new CheckpointFolder(root, new FileStorage());
    for (long step = 2; step <= 5; step++) {
      checkpoints.write(checkpoint(step));
    }
    Path same = checkpoints.write(checkpoint(5));
    assertEquals("step-000000000005-2", same.getFileName().toString());
    Files.write(same.resolve("manifest.json"), new byte[] {1});
    List<String> skipped = new ArrayList<>();
    checkpoints.newest(skipped::add).orElseThrow().close();
    assertEquals(1, skipped.size());
    checkpoints.prune(2);
    List<String> names =
        checkpoints.list().stream().map(path -> path.getFileName().toString()).toList();
    assertEquals(List.of("step-000000000004", "step-000000000005", "step-000000000005-2"), names);
    assertThrows(IllegalArgumentException.class, () -> checkpoints.prune(1));
  }
}
