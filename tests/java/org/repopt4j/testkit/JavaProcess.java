package org.repopt4j.testkit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Java processes with the class path of the tests. */
public final class JavaProcess {
  private JavaProcess() {}

  /**
   * A process that has yet to be started.
   *
   * @param options of the virtual machine
   * @param main the class whose {@code main} is called with these arguments
   */
  public static ProcessBuilder of(List<String> options, Class<?> main, String... arguments) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(options);
    line.add("-cp");
    line.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    line.add(main.getName());
    line.addAll(List.of(arguments));
    return new ProcessBuilder(line);
  }

  /**
   * A process whose memory says what its native part does: its Java heap is there from the
   * beginning, and its compiler is done soon.
   *
   * @param heap for example {@code 64m}
   */
  public static ProcessBuilder withSteadyHeap(String heap, Class<?> main, String... arguments) {
    return of(
        List.of(
            "-XX:+UseSerialGC",
            "-Xms" + heap,
            "-Xmx" + heap,
            "-XX:+AlwaysPreTouch",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.bytedeco.javacpp.maxphysicalbytes=16g"),
        main,
        arguments);
  }
}
