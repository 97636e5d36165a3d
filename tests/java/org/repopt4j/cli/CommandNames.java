package org.repopt4j.cli;

import java.util.List;

/** The commands that the command line knows, for tests outside its package. */
public final class CommandNames {
  private CommandNames() {}

  /** All names in alphabetical order. */
  public static List<String> sorted() {
    return Main.commandLine().getSubcommands().keySet().stream().sorted().toList();
  }
}
