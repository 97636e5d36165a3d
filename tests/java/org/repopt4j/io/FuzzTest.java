package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.testkit.Shared;

/**
 * Changes bytes of good files: each is then read or refused, and nothing else happens. The message
 * of a failure has the seed; {@code -Drepopt.fuzz.seconds} sets the time of the long run.
 */
class FuzzTest {
  @TempDir Path folder;
  private final List<byte[]> goodFiles = new ArrayList<>();

  @BeforeEach
  void goodFiles() throws IOException {
    Path file = folder.resolve("a.pth");
    StateDicts.write(file, SampleTensors.everyType(1));
    goodFiles.add(Files.readAllBytes(file));
    file = folder.resolve("a.safetensors");
    StateDicts.write(file, SampleTensors.everyType(2), Map.of("a", "b"));
    goodFiles.add(Files.readAllBytes(file));
  }

  @Test
  void changedFilesAreReadOrRefused() throws Exception {
    fuzz(2000);
  }

  @Test
  @Tag("slow")
  void changedFilesOfPythonAreReadOrRefused() throws Exception {
    goodFiles.add(
        Files.readAllBytes(Shared.path("official-scales/RepOptGhostNet_0_5x_scales.pth")));
    PythonTorch.tensorFiles("make", folder);
    for (String name : List.of("checkpoint", "views", "protocol-5")) {
      goodFiles.add(Files.readAllBytes(folder.resolve(name + ".pth")));
    }
    fuzz(Integer.getInteger("repopt.fuzz.seconds", 10) * 1000L);
  }

  private void fuzz(long milliseconds) throws IOException {
    long seed = Long.getLong("repopt.fuzz.seed", System.nanoTime());
    long end = System.nanoTime() + milliseconds * 1_000_000;
    Path file = folder.resolve("changed");
    for (long i = 0; System.nanoTime() < end; i++) {
      Random random = new Random(seed + i);
      Files.write(file, changed(goodFiles.get(random.nextInt(goodFiles.size())), random));
      try {
        (random.nextBoolean() ? StateDicts.read(file) : StateDicts.map(file)).close();
      } catch (InvalidFileException e) {
        if (e.getMessage().lines().count() != 1) {
          fail("more than one line, -Drepopt.fuzz.seed=" + (seed + i), e);
        }
      } catch (Throwable e) {
        fail("not refused but broken, -Drepopt.fuzz.seed=" + (seed + i), e);
      }
    }
  }

  private static byte[] changed(byte[] good, Random random) {
    byte[] bytes = good.clone();
    // What tells the format apart stays, and changes crowd where the structure is.
    int limit = random.nextBoolean() ? bytes.length : Math.min(bytes.length, 4000);
    int changes = 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 3);
    for (int c = 0; c < changes; c++) {
      int at = 4 + random.nextInt(limit - 4);
      if (random.nextInt(5) == 0) {
        at = bytes.length - 1 - random.nextInt(Math.min(bytes.length - 4, 1500));
      }
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes[at] = (byte) (random.nextBoolean() ? 0xFF : 0);
        case 3 -> bytes[at] = good[4 + random.nextInt(limit - 4)];
        default -> {
          int length = Math.min(random.nextInt(64), bytes.length - at);
          System.arraycopy(good, random.nextInt(good.length - length), bytes, at, length);
        }
      }
    }
    return bytes;
  }
}
