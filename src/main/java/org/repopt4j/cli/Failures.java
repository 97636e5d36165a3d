package org.repopt4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.repopt4j.data.CorruptImageException;
import org.repopt4j.io.FileErrors;
import org.repopt4j.io.InvalidFileException;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.train.MemoryUsedUpException;
import org.repopt4j.train.TrainingDivergedException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

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

  private static final int LONGEST = 4000;

  private Failures() {}

  static int onUsage(ParameterException error, String[] args) {
    CommandLine command = error.getCommandLine();
    String help = command.getCommandSpec().qualifiedName() + " --help";
    command
        .getErr()
        .println(
            "repopt: "
                + shortened(InvalidFileException.oneLine(sentence(error)))
                + " (see '"
                + help
                + "')");
    command.getErr().flush();
    return CALLER;
  }

  static int onExecution(Exception error, CommandLine command, ParseResult parsed) {
    return report(error, command);
  }

  /** Also for what is no Exception: a library that does not link, memory used up. */
  static int report(Throwable error, CommandLine command) {
    Throwable cause =
        error instanceof UncheckedIOException && error.getCause() != null
            ? error.getCause()
            : error;
    int code = exitCode(cause);
    boolean bug =
        code == OURS
            && !(cause instanceof MemoryUsedUpException)
            && !NativeErrors.isOutOfMemory(cause);
    command
        .getErr()
        .println(
            "repopt: "
                + shortened(sentence(cause))
                + (bug && !verbose(command) ? " (a fault of repopt; --verbose shows where)" : ""));
    if (verbose(command)) {
      error.printStackTrace(command.getErr());
    }
    command.getErr().flush();
    return code;
  }

  /** Begin and end: a value may be as long as a command line may be. */
  private static String shortened(String sentence) {
    int half = LONGEST / 2;
    return sentence.length() <= LONGEST
        ? sentence
        : sentence.substring(0, half) + " ... " + sentence.substring(sentence.length() - half);
  }

  private static int exitCode(Throwable error) {
    if (error instanceof TrainingDivergedException) {
      return CHECK_FAILED;
    }
    return error instanceof IllegalArgumentException
            || error instanceof IOException
            || error instanceof CorruptImageException
        ? CALLER
        : OURS;
  }

  private static boolean verbose(CommandLine command) {
    CommandLine root = command;
    while (root.getParent() != null) {
      root = root.getParent();
    }
    return root.getCommand() instanceof Main main && main.isVerbose();
  }

  private static String sentence(ParameterException error) {
    if (error instanceof UnmatchedArgumentException unmatched
        && !unmatched.getUnmatched().isEmpty()) {
      String word = unmatched.getUnmatched().get(0);
      List<String> near = unmatched.getSuggestions();
      return (unmatched.isUnknownOption()
              ? "there is no option '" + word + "'"
              : !error.getCommandLine().getSubcommands().isEmpty()
                  ? "there is no command '" + word + "'"
                  : "'" + word + "' is not expected here")
          + (near.isEmpty() ? "" : "; did you mean " + near.get(0) + "?");
    }
    return error.getMessage() == null
        ? "the options are not of the right form"
        : error.getMessage().replaceAll("\\s*\\R\\s*", " ");
  }

  private static String sentence(Throwable error) {
    if (error instanceof MemoryUsedUpException) {
      return error.getMessage();
    }
    if (NativeErrors.isOutOfMemory(error)) {
      return "the memory is used up; lower --batch-size (" + NativeErrors.sentence(error) + ")";
    }
    return error instanceof IOException file
        ? FileErrors.sentence(file)
        : NativeErrors.sentence(error);
  }
}
