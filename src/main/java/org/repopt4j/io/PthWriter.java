package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.Tensors;

/**
 * Writes a state dict as {@code torch.save(OrderedDict)} does, so that Python's {@code torch.load},
 * also with {@code weights_only=True}, and {@code load_state_dict(strict=True)} take it.
 */
public final class PthWriter {
  // The folder of the records; PyTorch takes any name.
  private static final String ARCHIVE = "archive/";

  private PthWriter() {}

  /**
   * Writes the tensors, atomically (see {@link AtomicFile}). Each is written whole and dense, also
   * where two share memory.
   *
   * @param tensors by name; from any device, of any layout of memory
   * @throws IllegalArgumentException if a name is not valid Unicode, or a tensor's type is not in
   *     {@link Dtype}
   */
  public static void write(Path file, Map<String, Tensor> tensors) throws IOException {
    checkArgument(!tensors.isEmpty(), "there must be at least one tensor to write to %s", file);
    PickleWriter pickle = new PickleWriter();
    int key = 0;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      Tensor tensor = Dtype.checkWritable(entry.getKey(), entry.getValue());
      SafetensorsWriter.checkUnicode(entry.getKey());
      pickle.tensor(
          entry.getKey(), Dtype.of(tensor), Integer.toString(key++), Tensors.shape(tensor));
    }
    AtomicFile.write(
        file,
        channel -> {
          StoredZipWriter zip = new StoredZipWriter(channel);
          zip.add(ARCHIVE + "data.pkl", pickle.finish());
          zip.add(ARCHIVE + "byteorder", "little".getBytes(StandardCharsets.US_ASCII));
          int record = 0;
          for (Tensor tensor : tensors.values()) {
            zip.add(
                ARCHIVE + "data/" + record++,
                tensor.numel() * Dtype.of(tensor).bytes(),
                sink -> TensorMemory.write(tensor, sink));
          }
          zip.add(ARCHIVE + "version", "3\n".getBytes(StandardCharsets.US_ASCII));
          zip.finish();
        });
  }
}
