package org.repopt4j.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.repopt4j.io.StoredZipReader.Entry;

/**
 * Reads the state dict of a {@code .pth} file: the zip format that {@code torch.save} has written
 * since PyTorch 1.6, with the pickle {@code data.pkl} and one record {@code data/KEY} for each
 * storage.
 *
 * <p>The pickle is read by {@link PickleMachine}, which can make dicts, lists, numbers, text and
 * tensors and can call nothing. Of a training checkpoint only the state dict is read ({@link
 * PickledStateDict}); an optimizer's state beside it costs neither time nor memory.
 */
public final class PthReader {
  private static final int LONGEST_PICKLE = 32 << 20;

  private PthReader() {}

  /**
   * Reads a state dict. The tensors come to the CPU, whatever device they were saved from.
   *
   * @throws InvalidFileException if the file is broken, names something that no state dict needs,
   *     or holds no tensors
   */
  public static TensorFile read(Path file) throws IOException {
    return open(file, false);
  }

  /**
   * Maps the file instead of reading it, as {@link SafetensorsReader#map} does: a tensor that is
   * the whole of a storage, as those of a module's state dict are, is not copied.
   *
   * @throws InvalidFileException as {@link #read} does
   */
  public static TensorFile map(Path file) throws IOException {
    return open(file, true);
  }

  private static TensorFile open(Path file, boolean mapped) throws IOException {
    try (FileChannel channel = StateDicts.channel(file)) {
      Map<String, Entry> records = StoredZipReader.entries(file, channel);
      String archive = archive(file, records);
      checkByteOrder(file, channel, records.get(archive + "/byteorder"));
      Entry pickle = records.get(archive + "/data.pkl");
      if (pickle.length() > LONGEST_PICKLE) {
        throw new InvalidFileException(
            file,
            "its data.pkl has " + pickle.length() + " bytes, must have at most " + LONGEST_PICKLE);
      }
      Object value = PickleMachine.read(new PickleBytes(file, bytes(file, channel, pickle)));
      PickleGraph.check(file, value);
      PickledStateDict dict = PickledStateDict.find(file, value);
      PthTensors tensors = new PthTensors(file, channel, records, archive, mapped);
      return new TensorFile(tensors.read(dict.views()), Map.of(), dict.skipped());
    }
  }

  // Every record is in one folder, whose name is the one that the file had when it was saved.
  private static String archive(Path file, Map<String, Entry> records) throws InvalidFileException {
    List<String> archives =
        records.keySet().stream()
            .filter(name -> name.endsWith("/data.pkl") && name.indexOf('/') == name.length() - 9)
            .map(name -> name.substring(0, name.length() - 9))
            .toList();
    if (archives.size() != 1) {
      throw new InvalidFileException(
          file,
          "it is a zip file with " + archives.size() + " records data.pkl, a .pth file has one");
    }
    String archive = archives.get(0);
    if (records.containsKey(archive + "/constants.pkl")
        || records.keySet().stream().anyMatch(name -> name.startsWith(archive + "/code/"))) {
      throw new InvalidFileException(
          file,
          "it is a TorchScript archive; in Python, save torch.jit.load(path).state_dict() with torch.save");
    }
    for (Entry record : records.values()) {
      if (record.compressed()) {
        throw new InvalidFileException(
            file,
            "its record "
                + InvalidFileException.quote(record.name())
                + " is compressed; save it again in Python with torch.save");
      }
    }
    return archive;
  }

  private static void checkByteOrder(Path file, FileChannel channel, Entry record)
      throws IOException {
    if (record == null) {
      return;
    }
    String order =
        record.length() > 16
            ? "?"
            : StandardCharsets.US_ASCII.decode(bytes(file, channel, record)).toString();
    if (!order.equals("little")) {
      throw new InvalidFileException(
          file,
          "its byte order is "
              + InvalidFileException.quote(order)
              + ", must be little; save it on another machine");
    }
  }

  private static ByteBuffer bytes(Path file, FileChannel channel, Entry record) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) record.length());
    TensorMemory.readFully(file, channel, bytes, record.start());
    return bytes.flip();
  }
}
