package org.repopt4j.gpukit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.runtime.Natives;

/**
 * A kit of the CPU flavour, whose way through pack, unpack and check is that of the CUDA flavour:
 * only the natives in it differ, and those are more than a gigabyte to fetch.
 */
@Tag("slow")
class GpuKitTest {
  @TempDir private static Path root;
  private static KitPrograms programs;
  private static Path parts;
  private static Path kit;

  @BeforeAll
  static void packed() throws IOException, InterruptedException {
    assumeTrue(KitPrograms.canPack(), "needs Linux, python3 and the jmods of a JDK");
    assumeFalse(Natives.isCudaBuild(), "packs the natives of a CPU build");
    programs = new KitPrograms(root);
    parts = root.resolve("parts");
    programs.packSmall(parts);
    programs.pack(root.resolve("whole"));
    kit = root.resolve("kit");
    for (int time = 0; time < 2; time++) {
      KitPrograms.Result unpacked = programs.unpack(root.resolve("whole"), kit);
      assertEquals(0, unpacked.code(), unpacked.output());
    }
  }

  private static Map<String, String> files(Path folder) throws IOException {
    Map<String, String> sums = new LinkedHashMap<>();
    for (Path file : KitPrograms.files(folder)) {
      sums.put(file.getFileName().toString(), KitPrograms.sha256(file));
    }
    return sums;
  }

  private static List<Path> numbered() throws IOException {
    return KitPrograms.files(parts).stream()
        .filter(file -> file.getFileName().toString().startsWith("kit-"))
        .toList();
  }

  @Test
  void theSameInputsGiveTheSameBytesInPartsOfTheSizeAskedFor()
      throws IOException, InterruptedException {
    Path again = root.resolve("again");
    programs.packSmall(again);
    assertEquals(files(parts), files(again));
    assertTrue(numbered().size() >= 3, "several parts of the stable group and one of the project");
    for (Path part : numbered()) {
      assertTrue(Files.size(part) <= KitPrograms.PART_MIB << 20, part::toString);
    }
  }

  @Test
  void aChangedTestRenewsTheProjectsPartsOnly() throws IOException, InterruptedException {
    Path changed = Files.createDirectories(root.resolve("changed"));
    for (Path file : KitPrograms.files(parts)) {
      Files.copy(file, changed.resolve(file.getFileName()));
    }
    Map<String, String> before = files(changed);
    Path added = Files.writeString(programs.testClasses().resolve("added.txt"), "a change");
    try {
      programs.packSmall(changed);
    } finally {
      Files.delete(added);
    }
    Map<String, String> after = files(changed);
    assertEquals(before.keySet(), after.keySet());
    before.forEach(
        (name, sum) -> {
          if (name.startsWith("kit-stable-") || name.equals("unpack")) {
            assertEquals(sum, after.get(name), name);
          } else {
            assertNotEquals(sum, after.get(name), name);
          }
        });
  }

  @Test
  void aMissingAndADamagedPartAreNamed() throws IOException, InterruptedException {
    Path target = root.resolve("partly");
    Path arrived = Files.createDirectories(root.resolve("arrived"));
    Files.copy(parts.resolve("manifest"), arrived.resolve("manifest"));
    Path first = numbered().get(0);
    byte[] damaged = Files.readAllBytes(first);
    damaged[damaged.length / 2] ^= 1;
    Path here = Files.write(arrived.resolve(first.getFileName()), damaged);
    KitPrograms.Result refused = programs.unpack(arrived, target);
    assertEquals(2, refused.code(), refused.output());
    assertTrue(refused.output().contains("(" + first.getFileName() + ") is damaged"));
    assertEquals(1, refused.output().lines().count(), refused.output());

    Files.delete(here);
    List<Path> others = numbered().subList(1, numbered().size());
    for (Path part : others) {
      Files.copy(part, arrived.resolve(part.getFileName()));
    }
    refused = programs.unpack(arrived, target);
    assertEquals(2, refused.code(), refused.output());
    assertTrue(refused.output().contains("(" + first.getFileName() + ") is missing"));
    assertFalse(Files.exists(target.resolve("java")));

    // The last one comes alone, in a folder of its own.
    Path later = Files.createDirectories(root.resolve("later"));
    Files.copy(first, later.resolve(first.getFileName()));
    KitPrograms.Result whole = programs.unpack(later, target);
    assertEquals(0, whole.code(), whole.output());
    assertArrayEquals(
        Files.readAllBytes(Path.of("native-config/gpu-kit/check")),
        Files.readAllBytes(target.resolve("check")));
  }

  @Test
  void withoutAGpuTheCheckSaysSoAndRunsInSmall() throws IOException, InterruptedException {
    Path results = root.resolve("results");
    KitPrograms.Result checked = programs.check(kit, results, "doctor,update,tests");
    assumeFalse(Natives.cudaIsAvailable());
    assertEquals(0, checked.code(), checked.output());
    assertTrue(checked.output().contains("no CUDA device"), checked.output());
    String page = Files.readString(results.resolve("results.md"));
    assertTrue(page.contains("**no CUDA device**"), page);
    assertTrue(page.contains("not yet measured (no CUDA device)"), page);
    JsonNode numbers = new ObjectMapper().readTree(results.resolve("results.json").toFile());
    JsonNode doctor = numbers.get("doctor").get("doctor");
    assertEquals("true", doctor.get("libtorch").get("loaded").asText(), page);
    assertEquals(
        kit.toRealPath().resolve("java"),
        Path.of(doctor.get("java").get("home").asText()).toRealPath());
    assertTrue(
        numbers.get("update").get("rows").get("ours").get("median").asDouble() > 0,
        () -> numbers.get("update").toString());
    JsonNode tests = numbers.get("tests").get("counts");
    assertTrue(tests.get("passed").asInt() > 50, tests::toString);
    assertEquals(0, tests.get("failed").asInt(), page);
    assertFitsATransfer(results);
    assertEquals(
        6, checked.output().split(": not yet measured \\(no CUDA device\\)", -1).length - 1);
  }

  /** At most 8 files, two folders deep, with plain names, less than 16 MiB. */
  private static void assertFitsATransfer(Path results) throws IOException {
    try (Stream<Path> all = Files.walk(results)) {
      List<Path> found = all.filter(path -> !path.equals(results)).toList();
      long bytes = 0;
      for (Path path : found) {
        assertTrue(path.getFileName().toString().matches("[A-Za-z0-9._-]+"), path::toString);
        assertTrue(results.relativize(path).getNameCount() <= 3, path::toString);
        bytes += Files.isRegularFile(path) ? Files.size(path) : 0;
      }
      assertTrue(found.stream().filter(Files::isRegularFile).count() <= 8, found::toString);
      assertTrue(bytes < 16 << 20, "bytes of the results: " + bytes);
    }
  }

  @Test
  void aPathWithABlankIsRefused() throws IOException, InterruptedException {
    Path target = root.resolve("with a blank");
    KitPrograms.Result refused = programs.unpack(parts, target);
    assertEquals(2, refused.code());
    assertEquals(1, refused.output().lines().count(), refused.output());
    assertFalse(Files.exists(target));
    Files.createSymbolicLink(target, kit);
    refused = programs.check(target, root.resolve("none"), "doctor");
    assertEquals(2, refused.code(), refused.output());
    assertEquals(1, refused.output().lines().count(), refused.output());
  }

  @Test
  void testsOfTheKitRunInItsOwnRuntime() throws IOException, InterruptedException {
    KitPrograms.Result ran = programs.junit(kit, "org.repopt4j.nn.GhostModuleTest");
    assertEquals(0, ran.code(), ran.output());
    assertTrue(ran.output().contains(" 0 tests failed"), ran.output());
  }
}
