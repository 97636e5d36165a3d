package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.repopt4j.train.EpochRow;
import org.repopt4j.train.TrainListener;

class ProgressPrinterTest {
  @Test
  void printsPlainLinesWhereNobodyLooks() {
    StringWriter text = new StringWriter();
    ProgressPrinter printer = new ProgressPrinter(new PrintWriter(text), "net target");
    printer.started(
        new TrainListener.Start(1234567, 8, 0.025, "cpu", 3, 22, 1437, 360, Path.of("out")));
    printer.progress(new TrainListener.Progress(0, 3, 1, 22, 2.3, 0.1, 100, 0.01, 60));
    printer.epochFinished(new EpochRow(0, 2.25, 0.125, 2.5, 0.5, 0.75, 0.25, 0.0005, 99.6, 1.25));
    printer.stopped(17);

    List<String> lines = text.toString().lines().toList();
    assertEquals(4, lines.size(), text::toString);
    assertTrue(
        lines.get(0).startsWith("net target: 1,234,567 parameters, 8 of them"), text::toString);
    assertTrue(
        lines.get(1).contains("3 epochs of 22 batches, real base lr 0.0250"), text::toString);
    assertEquals(
        "  epoch 1/3  loss 2.2500  acc 12.50%  test loss 2.5000  top-1 50.00%  top-5 75.00%"
            + "  EMA top-1 25.00%  100 images/s  lr 5.00e-04  1.3 s",
        lines.get(2));
    assertTrue(lines.get(3).contains("stopped after 17 batches"), text::toString);
    assertFalse(text.toString().contains("\r"), "a carriage return is for terminals");
  }
}
