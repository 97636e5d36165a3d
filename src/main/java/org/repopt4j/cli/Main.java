package org.repopt4j.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.repopt4j.train.Recipe;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The entry point: {@code repopt COMMAND …}. */
@Command(
    name = "repopt",
    description =
        "Trains plain VGG-style networks with RepOptimizers (gradient re-parameterization).",
    subcommands = {
      DoctorCommand.class,
      ModelsCommand.class,
      VerifyCommand.class,
      CrosscheckCommand.class,
      SearchCommand.class,
      TrainCommand.class,
      EvalCommand.class,
      ConvertCommand.class,
      BenchCommand.class,
      DemoCommand.class,
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {"", "Run 'repopt COMMAND --help' for the options of a command."})
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  @CommandLine.Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the back-trace of an error.")
  private boolean verbose;

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(run(commandLine(), args));
  }

  /** The exit code of one command. */
  static int run(CommandLine commandLine, String... args) {
    try {
      return commandLine.execute(args);
    } catch (LinkageError | OutOfMemoryError | StackOverflowError e) {
      // picocli hands on what is no Exception.
      return Failures.report(e, commandLine);
    }
  }

  /** Whether back-traces are wanted. */
  boolean isVerbose() {
    return verbose;
  }

  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Main());
    Numbers.register(commandLine);
    commandLine.registerConverter(Path.class, Main::path);
    commandLine.setAbbreviatedOptionsAllowed(false);
    // A word that begins with @ is a word like any other, and no file of options.
    commandLine.setExpandAtFiles(false);
    commandLine.setParameterExceptionHandler(Failures::onUsage);
    commandLine.setExecutionExceptionHandler(Failures::onExecution);
    commandLine.setExecutionStrategy(Main::execute);
    commandLine.setUsageHelpLongOptionsMaxWidth(34);
    commandLine.setUsageHelpWidth(110);
    for (CommandLine command : commandLine.getSubcommands().values()) {
      command.getCommandSpec().versionProvider(new Version());
      command.getCommandSpec().usageMessage().abbreviateSynopsis(true);
      if (command.getCommandSpec().findOption("--recipe") != null) {
        command.getCommandSpec().usageMessage().footer(recipes());
      }
    }
    return commandLine;
  }

  /** Runs a command, once more from the start if a file has more of its options. */
  private static int execute(ParseResult result) {
    ParseResult command = result.subcommand();
    if (command == null
        || command.isUsageHelpRequested()
        || command.isVersionHelpRequested()
        || !command.hasMatchedOption(ConfigFile.OPTION)) {
      return new CommandLine.RunLast().execute(result);
    }
    CommandSpec spec = command.commandSpec();
    List<String> args = new ArrayList<>(result.originalArgs());
    try {
      Path file = command.matchedOptionValue(ConfigFile.OPTION, null);
      args.addAll(
          args.indexOf(spec.name()) + 1, ConfigFile.options(file, spec, command.matchedOptions()));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    CommandLine again = commandLine();
    again.setExecutionStrategy(new CommandLine.RunLast());
    again.setOut(spec.commandLine().getOut()).setErr(spec.commandLine().getErr());
    return again.execute(args.toArray(new String[0]));
  }

  /** To Java, the empty path of a variable that is not set would be the folder that one is in. */
  private static Path path(String text) {
    if (text.isEmpty()) {
      throw new TypeConversionException("'' names no file or folder");
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new TypeConversionException(
          "'"
              + text
              + "' cannot be a file's name in the character set of this system's locale; set"
              + " LC_ALL=C.UTF-8, or use another name");
    }
  }

  /** The defaults that recipes set, as a table below the options. */
  private static String[] recipes() {
    TextTable table =
        TextTable.of(
            "recipe",
            "batch",
            "epochs",
            "lr",
            "weight decay",
            "warm-up",
            "from lr",
            "smoothing",
            "clip");
    for (Recipe recipe : Recipe.values()) {
      table.row(
          recipe,
          recipe.batchSize(),
          recipe.epochs(),
          recipe.lr(),
          recipe.weightDecay(),
          recipe.warmupEpochs(),
          recipe.warmupLr(),
          recipe.smoothing(),
          recipe.clipGrad());
    }
    return ("\n" + table).split("\\R");
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** The version of the jar. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"repopt4j " + (version == null ? "(not packaged)" : version)};
    }
  }
}
