package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * State dicts (names and tensors, in order) in files, whatever their format.
 *
 * <pre>{@code
 * TensorFile b1 = StateDicts.read(Path.of("RepOpt-VGG-B1-scales.pth"));
 * StateDicts.write(Path.of("b1.safetensors"), b1.tensors(), Map.of("source", "official"));
 * }</pre>
 */
public final class StateDicts {
  private static final byte[] ZIP = {'P', 'K', 3, 4};
  // A pickled number, 0x1950a86a20f9469cfc6c, with which torch.save began before 1.6; from protocol
  // 4 on, behind the length of a frame.
  private static final byte[] LEGACY = HexFormat.of().parseHex("8a0a6cfc9c46f9206aa85019");

  private static final long MOST_READ = 1L << 30;

  private StateDicts() {}

  /**
   * Reads a state dict. The format is found from the content: PyTorch's zip format ({@link
   * PthReader}), safetensors ({@link SafetensorsReader}), or, by its name, the index of a sharded
   * set ({@link SafetensorsIndex}).
   *
   * @throws InvalidFileException if the file is none of these, or is broken
   */
  public static TensorFile read(Path file) throws IOException {
    return open(file, false);
  }

  /**
   * Maps a state dict instead of reading it, whatever the format: tensors come into memory when
   * they are first touched and need not all fit into it. {@link SafetensorsReader#map} says what
   * goes with that.
   *
   * @throws InvalidFileException as {@link #read} does
   */
  public static TensorFile map(Path file) throws IOException {
    return open(file, true);
  }

  /**
   * For one passage over all tensors: reads a file of up to 1 GiB, which takes about as long as
   * going through a mapping, and whoever cuts it short meanwhile does no harm. A larger one, whose
   * tensors may not all fit into memory, is mapped, and so are the files of an index.
   *
   * @throws InvalidFileException as {@link #read} does
   */
  public static TensorFile readOrMap(Path file) throws IOException {
    return open(
        file,
        file.toString().endsWith(SafetensorsIndex.SUFFIX) || file.toFile().length() > MOST_READ);
  }

  private static TensorFile open(Path file, boolean mapped) throws IOException {
    if (file.toString().endsWith(SafetensorsIndex.SUFFIX)) {
      return mapped ? SafetensorsIndex.map(file) : SafetensorsIndex.read(file);
    }
    byte[] start = start(file);
    if (startsWith(start, 0, ZIP)) {
      return mapped ? PthReader.map(file) : PthReader.read(file);
    }
    if (startsWith(start, 2, LEGACY) || startsWith(start, 11, LEGACY)) {
      throw new InvalidFileException(
          file,
          "it was saved by PyTorch before 1.6; read it in Python with torch.load and save it again with torch.save");
    }
    if (start.length > 8 && start[8] == '{') {
      try (SafetensorsReader reader = SafetensorsReader.open(file)) {
        return mapped ? reader.map() : reader.readAll();
      }
    }
    throw new InvalidFileException(file, "it is " + guess(start));
  }

  /** Writes a state dict without metadata, see {@link #write(Path, Map, Map)}. */
  public static void write(Path file, Map<String, Tensor> tensors) throws IOException {
    write(file, tensors, Map.of());
  }

  /**
   * Writes a state dict, atomically, in the format that the file's name asks for: {@code
   * .safetensors}, or {@code .pth} or {@code .pt}.
   *
   * @param metadata text that goes with the tensors; must be empty for {@code .pth}, which has no
   *     place for it
   * @throws IllegalArgumentException if the name, a tensor's type or the metadata do not fit
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    String name = Ascii.toLowerCase(file.toString());
    if (name.endsWith(".safetensors")) {
      SafetensorsWriter.write(file, tensors, metadata);
      return;
    }
    checkArgument(
        name.endsWith(".pth") || name.endsWith(".pt"),
        "the file must end in .safetensors, .pth or .pt, got: '%s'",
        file);
    checkArgument(
        metadata.isEmpty(),
        "a .pth file has no place for metadata; write .safetensors instead, got: %s",
        metadata.keySet());
    PthWriter.write(file, tensors);
  }

  /** Opens a file for reading, or says in a sentence why there is nothing to open. */
  static FileChannel channel(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new InvalidFileException(file, "there is no such file");
    }
    if (!Files.isRegularFile(file)) {
      throw new InvalidFileException(
          file,
          Files.isDirectory(file) ? "it is a folder, not a file" : "it is not a regular file");
    }
    try {
      return FileChannel.open(file, StandardOpenOption.READ);
    } catch (AccessDeniedException e) {
      throw new InvalidFileException(file, "it may not be read by this user");
    }
  }

  private static byte[] start(Path file) throws IOException {
    try (FileChannel channel = channel(file)) {
      ByteBuffer start = ByteBuffer.allocate((int) Math.min(64, channel.size()));
      int read;
      do {
        read = channel.read(start);
      } while (start.hasRemaining() && read >= 0);
      return Arrays.copyOf(start.array(), start.position());
    }
  }

  private static boolean startsWith(byte[] bytes, int at, byte[] magic) {
    return bytes.length >= at + magic.length
        && Arrays.equals(bytes, at, at + magic.length, magic, 0, magic.length);
  }

  private static String guess(byte[] start) {
    String text = new String(start, StandardCharsets.ISO_8859_1).strip();
    if (start.length == 0) {
      return "empty";
    }
    if (text.startsWith("<")) {
      return "a web page, so the download did not give what it should have";
    }
    if (text.startsWith("version https://git-lfs")) {
      return "a Git LFS pointer; fetch the file itself with 'git lfs pull'";
    }
    return "neither a PyTorch .pth (zip) file nor a safetensors file";
  }
}
