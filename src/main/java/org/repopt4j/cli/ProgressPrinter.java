package org.repopt4j.cli;

import com.google.common.base.Strings;
import java.io.PrintWriter;
import java.util.Locale;
import org.repopt4j.train.EpochRow;
import org.repopt4j.train.TrainListener;

/**
 * Shows a run: a bar that renews itself on a terminal, otherwise a plain line a while; one line for
 * each epoch.
 */
final class ProgressPrinter implements TrainListener {
  private static final long PLAIN_LINE_NANOS = 15_000_000_000L;
  private static final int BAR = 20;

  private final PrintWriter out;
  private final String title;
  private final boolean interactive;
  private long lastLine = System.nanoTime();
  private int lastWidth;
  private int epochs;

  ProgressPrinter(PrintWriter out, String title) {
    this.out = out;
    this.title = title;
    this.interactive = Terminal.isInteractive();
  }

  @Override
  public void started(Start start) {
    epochs = start.epochs();
    out.printf(
        Locale.ROOT,
        "%s: %,d parameters, %s on %s%n",
        title,
        start.parameters(),
        start.gradMults() > 0
            ? start.gradMults() + " of them tensors with Grad Mults,"
            : "no Grad Mults,",
        start.device());
    out.printf(
        Locale.ROOT,
        "  %,d training and %,d test images, %d epochs of %d batches, real base lr %s, folder %s%n",
        start.trainImages(),
        start.testImages(),
        start.epochs(),
        start.stepsPerEpoch(),
        number(start.realLr()),
        start.folder());
    out.flush();
  }

  @Override
  public void progress(Progress p) {
    boolean due = System.nanoTime() - lastLine > PLAIN_LINE_NANOS;
    if (!interactive && !due) {
      return;
    }
    lastLine = System.nanoTime();
    int done = (int) (BAR * p.step() / p.stepsPerEpoch());
    String bar = interactive ? "[" + "=".repeat(done) + " ".repeat(BAR - done) + "] " : "";
    String text =
        String.format(
            Locale.ROOT,
            "  epoch %d/%d %s%d/%d  loss %.4f  acc %.2f%%  %.0f images/s  lr %s  ETA %s",
            p.epoch() + 1,
            p.epochs(),
            bar,
            p.step(),
            p.stepsPerEpoch(),
            p.loss(),
            100 * p.accuracy(),
            p.imagesPerSecond(),
            number(p.lr()),
            clock(p.secondsLeft()));
    show(text);
  }

  @Override
  public void epochFinished(EpochRow row) {
    wipe();
    String tested =
        Double.isNaN(row.evalTop1())
            ? ""
            : String.format(
                Locale.ROOT,
                "  test loss %.4f  top-1 %.2f%%  top-5 %.2f%%%s",
                row.evalLoss(),
                100 * row.evalTop1(),
                100 * row.evalTop5(),
                Double.isNaN(row.emaTop1())
                    ? ""
                    : String.format(Locale.ROOT, "  EMA top-1 %.2f%%", 100 * row.emaTop1()));
    out.printf(
        Locale.ROOT,
        "  epoch %d/%d  loss %.4f  acc %.2f%%%s  %.0f images/s  lr %s  %.1f s%n",
        row.epoch() + 1,
        epochs,
        row.trainLoss(),
        100 * row.trainTop1(),
        tested,
        row.imagesPerSecond(),
        number(row.lr()),
        row.seconds());
    out.flush();
  }

  @Override
  public synchronized void notice(String sentence) {
    wipe();
    out.println("  " + sentence);
    out.flush();
  }

  @Override
  public void stopped(long step) {
    wipe();
    out.printf("  stopped after %d batches; what was reached is kept%n", step);
    out.flush();
  }

  private void show(String text) {
    if (interactive) {
      out.print("\r" + Strings.padEnd(text, lastWidth, ' '));
      lastWidth = text.length();
    } else {
      out.println(text);
    }
    out.flush();
  }

  private void wipe() {
    if (interactive && lastWidth > 0) {
      out.print("\r" + " ".repeat(lastWidth) + "\r");
      lastWidth = 0;
    }
    lastLine = System.nanoTime();
  }

  static String number(double value) {
    return String.format(Locale.ROOT, value >= 0.001 ? "%.4f" : "%.2e", value);
  }

  private static String clock(double seconds) {
    long s = Math.round(seconds);
    return s >= 3600
        ? String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60)
        : String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60);
  }
}
