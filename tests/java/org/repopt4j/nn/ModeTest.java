package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ModeTest {
  @Test
  void bothOfficialSpellingsOfTheBaselineAreRead() {
    assertEquals(Mode.MULTI_BRANCH, Mode.parse("repvgg"));
    assertEquals(Mode.MULTI_BRANCH, Mode.parse("Rep"));
    for (Mode mode : Mode.values()) {
      assertEquals(mode, Mode.parse(mode.toString()));
      assertEquals(mode, Mode.parse(mode.name()));
    }
  }

  @Test
  void anotherWordIsRefusedWithTheSpellings() {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Mode.parse("train"));
    assertEquals(
        "mode must be one of target, csla, hs, multi-branch, repvgg, rep, deploy, got: 'train'",
        refused.getMessage());
  }
}
