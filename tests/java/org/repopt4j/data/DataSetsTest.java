package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.testkit.Shared;

class DataSetsTest {
  @Test
  void opensByName() throws IOException {
    assertEquals(ImmutableList.of("digits", "cifar10", "cifar100"), DataSets.names());
    assertEquals("digits", DataSets.open("digits", null).train().name());
    Split glyphs = DataSets.open("cifar100", Shared.path("data/glyphs100"));
    assertEquals("cifar100", glyphs.test().name());
  }

  @Test
  void listsTheKnownNames() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> DataSets.open("mnist", null));
    assertEquals(
        "there is no data set named 'mnist'; known are [digits, cifar10, cifar100]",
        e.getMessage());
  }

  @Test
  void saysWhereTheFilesComeFrom() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> DataSets.open("cifar10", null))
            .getMessage();
    assertTrue(message.contains("--data-dir"), message);
    assertTrue(message.contains("data_batch_5.bin, test_batch.bin and batches.meta"), message);
    assertTrue(message.contains("cifar-10-binary.tar.gz"), message);
  }

  @Test
  void aWrongFolderIsAFaultOfTheFiles(@TempDir Path empty) {
    assertThrows(IOException.class, () -> DataSets.open("cifar10", empty));
  }
}
