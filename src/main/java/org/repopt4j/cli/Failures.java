package org.repopt4j.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.repopt4j.runtime.NativeErrors;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * One sentence and one exit code for everything that can go wrong; back-traces only with {@code
 * --verbose}.
 */
final class Failures {
  /** All went well. */
  static final int OK = 0;

  /** The command ran, and what it checked does not hold. */
  static final int CHECK_FAILED = 1;

  /** The caller's fault: options, files, settings. */
  static final int CALLER = 2;

  /** A fault of this program or of the machine. */
  static final int OURS = 3;

  private Failures() {}

  static int onUsage(ParameterException error, String[] args) {
    CommandLine command = error.getCommandLine();
    command.getErr().println("repopt: " + oneLine(error.getMessage()));
    command
        .getErr()
        .println(
            "Run '" + command.getCommandSpec().qualifiedName() + " --help' for what it takes.");
    return CALLER;
  }

  static int onExecution(Exception error, CommandLine command, ParseResult parsed) {
    command.getErr().println("repopt: " + sentence(error));
    if (verbose(command)) {
      error.printStackTrace(command.getErr());
    }
    return isCallersFault(error) ? CALLER : OURS;
  }

  private static boolean verbose(CommandLine command) {
    CommandLine root = command;
    while (root.getParent() != null) {
      root = root.getParent();
    }
    return root.getCommand() instanceof Main main && main.isVerbose();
  }

  private static boolean isCallersFault(Exception error) {
    return error instanceof IllegalArgumentException
        || error instanceof IOException
        || error instanceof ParameterException;
  }

  private static String sentence(Exception error) {
    if (NativeErrors.isOutOfMemory(error)) {
      return "the memory is used up; lower --batch-size (" + NativeErrors.sentence(error) + ")";
    }
    if (error instanceof FileSystemException file && plain(file)) {
      String what =
          error instanceof NoSuchFileException
              ? "there is no such file or folder"
              : error instanceof AccessDeniedException
                  ? "access is denied"
                  : error instanceof FileAlreadyExistsException
                      ? "it exists already and is not a folder"
                      : error instanceof NotDirectoryException
                          ? "it is not a folder"
                          : "it cannot be used";
      return file.getFile() + ": " + what;
    }
    return NativeErrors.sentence(error);
  }

  /** Java's own file errors carry the bare path as their message. */
  private static boolean plain(FileSystemException error) {
    return error.getReason() == null && error.getFile() != null;
  }

  private static String oneLine(String message) {
    return message == null
        ? "the options are not of the right form"
        : message.replaceAll("\\s*\\R\\s*", " ");
  }
}
