package org.repopt4j.checkpoint;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.repopt4j.io.AtomicFile;

/** The file system. */
public final class FileStorage implements CheckpointStorage {
  /** Made once, because only the garbage collector would free it. */
  private ByteBuffer buffer;

  @Override
  public void createFolder(Path folder) throws IOException {
    // Not those above it: a run's folder that was deleted must not come back as half of one.
    if (!Files.isDirectory(folder)) {
      Files.createDirectory(folder);
    }
  }

  @Override
  public synchronized void write(Path file, AtomicFile.Body body) throws IOException {
    if (buffer == null) {
      buffer = UncachedFile.buffer();
    }
    try (UncachedFile channel = UncachedFile.create(file, buffer)) {
      body.writeTo(channel);
      channel.finish();
    }
  }

  @Override
  public void sync(Path fileOrFolder) throws IOException {
    boolean folder = Files.isDirectory(fileOrFolder);
    // Windows has no way to force a folder.
    if (folder && File.separatorChar != '/') {
      return;
    }
    StandardOpenOption way = folder ? StandardOpenOption.READ : StandardOpenOption.WRITE;
    try (FileChannel channel = FileChannel.open(fileOrFolder, way)) {
      channel.force(true);
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public List<Path> list(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    }
  }

  @Override
  public void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      MoreFiles.deleteRecursively(folder, RecursiveDeleteOption.ALLOW_INSECURE);
    }
  }
}
