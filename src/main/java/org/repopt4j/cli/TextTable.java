package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Strings;
import java.util.ArrayList;
import java.util.List;

/** A table in plain text: the first column to the left, the others to the right. */
final class TextTable {
  private final List<String[]> rows = new ArrayList<>();

  private TextTable(String... header) {
    rows.add(header);
  }

  static TextTable of(String... header) {
    return new TextTable(header);
  }

  TextTable row(Object... cells) {
    checkArgument(
        cells.length == rows.get(0).length, "the table has %s columns", rows.get(0).length);
    String[] row = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      row[i] = String.valueOf(cells[i]);
    }
    rows.add(row);
    return this;
  }

  @Override
  public String toString() {
    int columns = rows.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      line(text, rows.get(r), widths);
      if (r == 0) {
        String[] rule = new String[columns];
        for (int i = 0; i < columns; i++) {
          rule[i] = Strings.repeat("-", widths[i]);
        }
        line(text, rule, widths);
      }
    }
    return text.toString();
  }

  private static void line(StringBuilder text, String[] cells, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.length; i++) {
      line.append(i == 0 ? "" : "  ")
          .append(
              i == 0
                  ? Strings.padEnd(cells[i], widths[i], ' ')
                  : Strings.padStart(cells[i], widths[i], ' '));
    }
    text.append(line.toString().stripTrailing()).append(System.lineSeparator());
  }
}
