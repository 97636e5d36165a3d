package org.repopt4j.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.repopt4j.io.AtomicFile;

/**
 * What checkpoints ask of a disk. What is written is safe from a crash only once {@link #sync} was
 * called for the file and for the folder that names it; until then any part of it may be lost.
 */
public interface CheckpointStorage {
  /** Makes a folder, if it is not there, in one that is. */
  void createFolder(Path folder) throws IOException;

  /** Writes a new file; the body must not go back in it. */
  void write(Path file, AtomicFile.Body body) throws IOException;

  /** Forces a file's content, or a folder's names, to the disk. */
  void sync(Path fileOrFolder) throws IOException;

  /** Gives a folder its final name in one step. */
  void rename(Path from, Path to) throws IOException;

  /** The entries of a folder; none if it does not exist. */
  List<Path> list(Path folder) throws IOException;

  /** Deletes a folder with its files, as far as it exists. */
  void delete(Path folder) throws IOException;
}
