package org.repopt4j.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files that must be refused in one sentence: no crash, no hang, nothing run. A subclass gives the
 * {@code cases}: what it is, what the sentence says, the file.
 */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class HostileFiles {
  @TempDir Path folder;

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void isRefused(String what, String sentence, HostileBytes bytes) throws Exception {
    Path file = bytes.write(folder);
    InvalidFileException e = assertThrows(InvalidFileException.class, () -> StateDicts.read(file));
    assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(sentence), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    assertTrue(e.getMessage().chars().noneMatch(c -> c < ' '), e.getMessage());
    InvalidFileException mapped =
        assertThrows(InvalidFileException.class, () -> StateDicts.map(file));
    assertEquals(e.getMessage(), mapped.getMessage());
  }
}
