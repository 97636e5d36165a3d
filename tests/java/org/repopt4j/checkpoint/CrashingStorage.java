package org.repopt4j.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.repopt4j.io.AtomicFile;

/**
 * A disk that loses power after so many operations. What was not forced by then may be in any
 * state: {@link #crash} puts it into one. A disk that lies forces nothing although it says so.
 */
final class CrashingStorage implements CheckpointStorage {
  /** What becomes of a file that was not forced. */
  enum Damage {
    DELETED,
    ZEROED,
    CUT_IN_HALF,
    BIT_FLIPPED,
    OLD_CONTENT,
    UNHARMED
  }

  static final class PowerLost extends IOException {
    private static final long serialVersionUID = 1L;
  }

  private final CheckpointStorage disk = new FileStorage();
  private final boolean lying;
  private final Set<Path> unforcedFiles = new LinkedHashSet<>();
  private final Map<Path, Path> unforcedRenames = new LinkedHashMap<>();
  private long operationsLeft;

  CrashingStorage(long operations, boolean lying) {
    this.operationsLeft = operations;
    this.lying = lying;
  }

  private void count() throws IOException {
    if (operationsLeft-- <= 0) {
      throw new PowerLost();
    }
  }

  @Override
  public void createFolder(Path folder) throws IOException {
    count();
    disk.createFolder(folder);
  }

  @Override
  public void write(Path file, AtomicFile.Body body) throws IOException {
    unforcedFiles.add(file);
    disk.write(file, body);
    // Power may be lost in the middle of a write, too: the file is there and not forced.
    count();
  }

  @Override
  public void sync(Path fileOrFolder) throws IOException {
    count();
    disk.sync(fileOrFolder);
    if (!lying) {
      unforcedFiles.remove(fileOrFolder);
      unforcedRenames.keySet().removeIf(to -> to.getParent().equals(fileOrFolder));
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    count();
    disk.rename(from, to);
    unforcedRenames.put(to, from);
    List<Path> moved = new ArrayList<>(unforcedFiles);
    for (Path file : moved) {
      if (file.startsWith(from)) {
        unforcedFiles.remove(file);
        unforcedFiles.add(to.resolve(from.relativize(file)));
      }
    }
  }

  @Override
  public List<Path> list(Path folder) throws IOException {
    return disk.list(folder);
  }

  @Override
  public void delete(Path folder) throws IOException {
    count();
    disk.delete(folder);
  }

  /** Files and names that were not forced. */
  int unforced() {
    return unforcedFiles.size() + unforcedRenames.size();
  }

  /** Damages one unforced file or all of them, and may take back what was renamed. */
  void crash(Damage damage, boolean all, boolean undoRenames, Random random) throws IOException {
    List<Path> files = new ArrayList<>(unforcedFiles);
    if (!all && !files.isEmpty()) {
      files = List.of(files.get(random.nextInt(files.size())));
    }
    for (Path file : files) {
      damage(file, damage, random);
    }
    if (undoRenames) {
      for (Map.Entry<Path, Path> rename : unforcedRenames.entrySet()) {
        disk.rename(rename.getKey(), rename.getValue());
      }
    }
  }

  private static void damage(Path file, Damage damage, Random random) throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    byte[] content = Files.readAllBytes(file);
    switch (damage) {
      case DELETED -> Files.delete(file);
      case ZEROED -> Files.write(file, new byte[content.length]);
      case CUT_IN_HALF -> Files.write(file, Arrays.copyOf(content, content.length / 2));
      case OLD_CONTENT -> Files.write(file, new byte[0]);
      case BIT_FLIPPED -> {
        if (content.length > 0) {
          content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
          Files.write(file, content);
        }
      }
      case UNHARMED -> {}
    }
  }
}
