package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.repopt4j.testkit.Refusals;

class TextTableTest {
  @Test
  void alignsTheFirstColumnLeftAndTheOthersRight() {
    String expected =
        String.join(
            System.lineSeparator(),
            "name   count",
            "-----  -----",
            "a        100",
            "bcdef      2",
            "");
    assertEquals(expected, TextTable.of("name", "count").row("a", 100).row("bcdef", 2).toString());
  }

  @Test
  void refusesARowOfAnotherLength() {
    Refusals.assertRefused(() -> TextTable.of("a", "b").row(1), "2 columns");
  }
}
