package org.repopt4j.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

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
    System.exit(commandLine().execute(args));
  }

  /** Whether back-traces are wanted. */
  boolean isVerbose() {
    return verbose;
  }

  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Main());
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setAbbreviatedOptionsAllowed(false);
    commandLine.setParameterExceptionHandler(Failures::onUsage);
    commandLine.setExecutionExceptionHandler(Failures::onExecution);
    commandLine.setUsageHelpLongOptionsMaxWidth(34);
    commandLine.setUsageHelpWidth(110);
    return commandLine;
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
