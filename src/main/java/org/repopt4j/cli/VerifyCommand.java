package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.runtime.Natives;
import org.repopt4j.train.EquivalenceCheck;
import org.repopt4j.train.EquivalenceCheck.Comparison;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code repopt verify}: the equality that everything rests on, on this machine. */
@Command(
    name = "verify",
    description =
        "Trains CSLA blocks and equivalent single convolutions and shows how far they are apart.",
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {
  /** What float64 rounding may add up to; a wrong rule is off by orders of magnitude more. */
  private static final double TOLERANCE = 1e-11;

  @Spec private CommandSpec spec;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Training steps (default: ${DEFAULT-VALUE}).")
  private int steps = 50;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of kernels, scales and data (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Override
  public Integer call() {
    checkArgument(
        steps >= 1 && steps <= 100_000, "--steps must be from 1 to 100000, got: %s", steps);
    // The tensors are tiny: a second thread would only be waited for.
    Natives.threads(1);
    List<Comparison> comparisons = new EquivalenceCheck(steps, seed).run();
    TextTable table = TextTable.of("block", "rule", "scales", "float64", "float32", "verdict");
    List<Map<String, Object>> rows = new ArrayList<>();
    boolean holds = true;
    for (Comparison c : comparisons) {
      boolean equal = c.float64() <= TOLERANCE;
      boolean promised = c.rule() != UpdateRule.ADAMW_OFFICIAL;
      holds &= equal || !promised;
      String verdict = equal ? "equal" : promised ? "DIFFERS" : "departs";
      table.row(
          c.block(),
          lower(c.rule()),
          lower(c.signs()),
          number(c.float64()),
          number(c.float32()),
          verdict);
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("block", c.block());
      row.put("rule", lower(c.rule()));
      row.put("scales", lower(c.signs()));
      row.put("float64", c.float64());
      row.put("float32", c.float32());
      row.put("verdict", verdict);
      rows.add(row);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.of(rows));
    } else {
      out.printf(
          "Relative difference of the kernels after %d training steps (seed %d): block against single convolution.%n%n",
          steps, seed);
      out.print(table);
      out.println();
      out.printf(
          "Equal means at most %.0e in float64. adamw-official is the Python repository's rule: it departs where scales of both%n"
              + "signs meet (and by its epsilon elsewhere); adamw-exact is equal to the block for any scales.%n",
          TOLERANCE);
    }
    out.flush();
    return holds ? Failures.OK : Failures.CHECK_FAILED;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1e", value);
  }
}
