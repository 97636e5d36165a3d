package org.repopt4j.crosscheck;

import static org.repopt4j.testkit.Refusals.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OfficialRepositoryTest {
  @TempDir Path folder;

  @Test
  void aFolderThatIsNotThereIsRefused() {
    Path absent = folder.resolve("absent");
    assertRefused(
        () -> new OfficialRepository(absent), absent.toString(), "not a folder", "github");
  }

  @Test
  void theFirstFileThatIsMissingIsNamed() throws IOException {
    assertRefused(
        () -> new OfficialRepository(folder),
        folder.toString(),
        "it has no repoptimizer/repoptvgg_model.py");
    Files.createDirectories(folder.resolve("repoptimizer"));
    Files.createFile(folder.resolve("repoptimizer/repoptvgg_model.py"));
    assertRefused(() -> new OfficialRepository(folder), "it has no repoptimizer/repoptvgg_impl.py");
  }
}
