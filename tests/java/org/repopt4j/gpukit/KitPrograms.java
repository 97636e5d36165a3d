package org.repopt4j.gpukit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Splitter;
import com.google.common.hash.Hashing;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/** The programs of native-config/gpu-kit, with a distribution made of this test's class path. */
final class KitPrograms {
  /** The largest part of a kit in small. */
  static final long PART_MIB = 8;

  private static final Path SHARED =
      Path.of(System.getenv().getOrDefault("REPOPT_SHARED", "../shared"));
  private static final Path KIT = Path.of("native-config/gpu-kit").toAbsolutePath();

  record Result(int code, String output) {}

  private final Path root;

  KitPrograms(Path root) throws IOException {
    this.root = root;
    String classPath = System.getProperty("java.class.path");
    Files.writeString(root.resolve("class-path"), classPath);
    Path lib = Files.createDirectories(root.resolve("distribution/lib"));
    for (String entry : Splitter.on(File.pathSeparatorChar).split(classPath)) {
      Path jar = Path.of(entry);
      if (entry.endsWith(".jar") && isShipped(entry)) {
        Files.copy(jar, lib.resolve(jar.getFileName()));
      }
    }
    copy(Path.of("target/test-classes"), testClasses());
    copy(Path.of("native-config/launcher"), root.resolve("distribution/bin"));
    Path shared = Files.createDirectories(root.resolve("shared/golden"));
    Files.writeString(shared.resolve("one.json"), "{}");
    int code =
        ToolProvider.findFirst("jar")
            .orElseThrow()
            .run(
                new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                System.err,
                "--create",
                "--no-manifest",
                "--file",
                lib.resolve("repopt4j-test.jar").toString(),
                "-C",
                "target/classes",
                ".");
    assertEquals(0, code, "jar");
    copy(root.resolve("distribution/bin"), root.resolve("small/bin"));
    Path few = Files.createDirectories(root.resolve("small/lib"));
    for (Path jar : files(lib)) {
      String name = jar.getFileName().toString();
      Path source = name.contains("-linux-") ? lib.resolve("repopt4j-test.jar") : jar;
      Files.createSymbolicLink(few.resolve(name), source);
    }
  }

  static boolean canPack() {
    return new File("/proc/self/maps").exists()
        && Files.isDirectory(Path.of(System.getProperty("java.home"), "jmods"))
        && Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(folder -> new File(folder, "python3").canExecute());
  }

  /** What Maven's scope runtime holds: neither tests' libraries nor names of CUDA's functions. */
  private static boolean isShipped(String jar) {
    return Stream.of(
            "/junit",
            "/jqwik",
            "/archunit",
            "opentest4j",
            "apiguardian",
            "open-test-",
            "/slf4j",
            "/bytedeco/cuda")
        .noneMatch(jar::contains);
  }

  Path testClasses() {
    return root.resolve("test-classes");
  }

  /** A kit that runs. */
  void pack(Path output) throws IOException, InterruptedException {
    pack(output, "distribution", 59, SHARED);
  }

  /** A kit whose natives are jars of other things, because those of libtorch take long to pack. */
  void packSmall(Path output) throws IOException, InterruptedException {
    pack(output, "small", PART_MIB, root.resolve("shared"));
  }

  private void pack(Path output, String distribution, long partMib, Path shared)
      throws IOException, InterruptedException {
    Result packed =
        run(
            "python3",
            KIT.resolve("pack"),
            "--flavour",
            "cpu",
            "--level",
            0,
            "--part-size",
            partMib,
            "--output",
            output,
            "--shared",
            shared.toAbsolutePath(),
            "--distribution",
            root.resolve(distribution),
            "--test-classes",
            testClasses(),
            "--class-path",
            root.resolve("class-path"));
    assertEquals(0, packed.code(), packed.output());
  }

  Result unpack(Path from, Path target) throws IOException, InterruptedException {
    return run("sh", KIT.resolve("unpack"), from, target);
  }

  Result check(Path target, Path results, String sections)
      throws IOException, InterruptedException {
    return run(
        "python3",
        target.resolve("check"),
        "--results",
        results,
        "--minutes",
        9,
        "--only",
        sections);
  }

  /** A test class of the kit by its console launcher. */
  Result junit(Path target, String test) throws IOException, InterruptedException {
    String classPath = target + "/tests/classes:" + target + "/tests/lib/*:";
    return run(
        target.resolve("java/bin/java"),
        "-Xmx1g",
        "-Djava.library.path=",
        "-Dorg.bytedeco.javacpp.cachedir=" + root.resolve("cache"),
        "-cp",
        classPath + target + "/repopt4j/lib/*",
        "org.junit.platform.console.ConsoleLauncher",
        "execute",
        "--select-class",
        test,
        "--disable-ansi-colors");
  }

  private Result run(Object... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    for (Object word : words) {
      command.add(word.toString());
    }
    Path output = Files.createTempFile(root, "output", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putIfAbsent("REPOPT_PYTHON", "/usr/bin/python3");
    Process process = builder.start();
    assertTrue(process.waitFor(15, TimeUnit.MINUTES), () -> command + " does not end");
    return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
  }

  static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  static String sha256(Path file) throws IOException {
    return com.google.common.io.Files.asByteSource(file.toFile()).hash(Hashing.sha256()).toString();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        Files.createDirectories(target.getParent());
        Files.copy(path, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }
}
