package org.repopt4j.crosscheck;

import com.google.common.html.HtmlEscapers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The findings as one self-contained page. */
public final class HtmlPage {
  private static final String STYLE =
      """
      body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
      table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: 13px; }
      th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4; vertical-align: top; }
      th { background: #f6f8fa; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
      .DEPARTS { background: #ffe2e0; font-weight: 600; } .ON_PURPOSE { background: #fff5d6; } .BIT_EQUAL, .AGREES { color: #116329; }
      td.ON_PURPOSE, td.DEPARTS { color: inherit; } summary { cursor: pointer; } small { color: #57606a; }
      """;

  private final Crosscheck check;
  private final StringBuilder html = new StringBuilder();

  private HtmlPage(Crosscheck check) {
    this.check = check;
  }

  /** The page. */
  public static String of(Crosscheck check) {
    HtmlPage page = new HtmlPage(check);
    page.write();
    return page.html.toString();
  }

  private void write() {
    html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<title>repopt crosscheck</title>\n<style>\n")
        .append(STYLE)
        .append("</style></head><body>\n<h1>Java against the official Python code</h1>\n");
    long departing = check.findings().stream().filter(f -> f.verdict() == Verdict.DEPARTS).count();
    html.append(
        String.format(
            Locale.ROOT,
            "<p><b>%s</b> %d cases, %d comparisons, seed %d. Python %s, torch %s, numpy %s.</p>%n",
            departing == 0 ? "Nothing departs." : departing + " comparisons depart.",
            check.cases(),
            check.findings().size(),
            check.seed(),
            text(check.python()),
            text(check.torch()),
            text(check.numpy())));
    html.append(
        """
        <p><small>Bit-equal: every value is the same. Agrees: the relative difference is within its tolerance. The relative difference is
        ‖ours − official‖ / ‖official‖ of the worst tensor; a tensor smaller than a thousandth (float32: a tenth) of the largest one counts
        against that. An ulp is the step from one representable number to the next. Float64 tolerances leave room for rounding only.
        Cases are drawn so that training is well-posed in float32: AdamW's eps is 1e-3 there, with which a step depends smoothly on the
        gradient, and no input of a ReLU is so near to 0 that rounding decides its side.</small></p>
        """);
    html.append("<h2>Every quantity at its worst</h2>\n");
    open("case");
    for (Summary row : Summary.of(check.findings())) {
      row(row.subject(), row.quantity(), row.difference(), row.worst());
    }
    html.append("</table>\n<h2>Every case</h2>\n");
    Map<String, List<Finding>> bySubject = new LinkedHashMap<>();
    check
        .findings()
        .forEach(f -> bySubject.computeIfAbsent(f.subject(), s -> new ArrayList<>()).add(f));
    bySubject.forEach(
        (subject, findings) -> {
          html.append("<details><summary>").append(text(subject)).append("</summary>\n");
          open("case");
          findings.forEach(f -> row(subject, f.title(), f.difference(), f));
          html.append("</table></details>\n");
        });
    html.append("</body></html>\n");
  }

  private void open(String first) {
    html.append("<table><tr><th>").append(first);
    html.append("</th><th>quantity</th><th class=\"n\">values</th><th class=\"n\">max ulp</th>")
        .append("<th class=\"n\">max relative difference</th><th class=\"n\">tolerance</th>")
        .append("<th>verdict</th></tr>\n");
  }

  private void row(String subject, String quantity, Difference difference, Finding finding) {
    html.append("<tr><td>").append(text(subject));
    html.append("</td><td>").append(text(quantity));
    if (!finding.note().isEmpty()) {
      html.append("<br><small>").append(text(finding.note())).append("</small>");
    }
    number(String.format(Locale.ROOT, "%,d", difference.values()));
    number(Summary.ulps(difference, finding.verdict()));
    number(Summary.relative(difference));
    number(
        Double.isInfinite(finding.tolerance())
            ? "-"
            : finding.tolerance() == 0
                ? "0"
                : String.format(Locale.ROOT, "%.0e", finding.tolerance()));
    html.append("</td><td class=\"").append(finding.verdict().name()).append("\">");
    html.append(finding.verdict()).append("</td></tr>\n");
  }

  private void number(String words) {
    html.append("</td><td class=\"n\">").append(words);
  }

  private static String text(String plain) {
    return HtmlEscapers.htmlEscaper().escape(plain);
  }
}
