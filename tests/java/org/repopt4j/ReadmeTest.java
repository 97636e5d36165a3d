package org.repopt4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.cli.CommandNames;

/** What the README shows works: its Java compiles, its commands exist. */
class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern CLASS = Pattern.compile("^class (\\w+)", Pattern.MULTILINE);
  private static final Pattern COMMAND =
      Pattern.compile("^\\| `repopt (\\w+)` \\|", Pattern.MULTILINE);

  @TempDir Path classes;

  @Test
  void itsProgramsCompile() throws IOException {
    List<JavaFileObject> sources = new ArrayList<>();
    Matcher block = JAVA.matcher(readme());
    while (block.find()) {
      Matcher name = CLASS.matcher(block.group(1));
      if (name.find()) {
        sources.add(source(name.group(1), block.group(1)));
      }
    }
    assertEquals(2, sources.size(), "programs in the README");
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter problems = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                problems,
                null,
                null,
                List.of(
                    "-proc:none",
                    "-d",
                    classes.toString(),
                    "-cp",
                    System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"))),
                null,
                sources)
            .call();
    assertTrue(compiled, problems::toString);
  }

  @Test
  void itsTableNamesEveryCommand() throws IOException {
    List<String> named = new ArrayList<>();
    Matcher row = COMMAND.matcher(readme());
    while (row.find()) {
      named.add(row.group(1));
    }
    assertEquals(CommandNames.sorted(), named.stream().sorted().toList());
  }

  private static String readme() throws IOException {
    return Files.readString(Path.of("README.md"));
  }

  private static JavaFileObject source(String name, String text) {
    return new SimpleJavaFileObject(
        URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }
}
