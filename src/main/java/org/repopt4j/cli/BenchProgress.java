package org.repopt4j.cli;

import com.google.common.base.Strings;
import java.io.PrintWriter;
import java.util.Locale;
import org.repopt4j.bench.BenchListener;
import org.repopt4j.bench.BenchSettings;

/** Shows how far a measurement is: a line that renews itself on a terminal, else one a while. */
final class BenchProgress implements BenchListener {
  private static final long PLAIN_LINE_NANOS = 15_000_000_000L;

  private final PrintWriter out;
  private final boolean interactive = Terminal.isInteractive();
  private long lastLine = System.nanoTime();
  private int width;

  BenchProgress(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void started(BenchSettings settings, String device) {
    out.printf("%s, on %s%n", BenchText.title(settings), device);
    out.flush();
  }

  @Override
  public void progress(String phase, int done, int all) {
    String text = String.format(Locale.ROOT, "  %s %d/%d", phase, done, all);
    if (interactive) {
      out.print("\r" + Strings.padEnd(text, width, ' '));
      width = text.length();
      out.flush();
    } else if (System.nanoTime() - lastLine > PLAIN_LINE_NANOS) {
      out.println(text);
      lastLine = System.nanoTime();
      out.flush();
    }
  }

  /** Leaves the terminal as it was. */
  void end() {
    if (width > 0) {
      out.print("\r" + " ".repeat(width) + "\r");
      out.flush();
      width = 0;
    }
  }
}
