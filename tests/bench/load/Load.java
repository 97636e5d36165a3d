import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.io.SafetensorsReader;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Natives;
import org.repopt4j.runtime.Tensors;

/**
 * {@code Load write FOLDER}, or {@code Load read|map|copy FILE TIMES}: for each load the
 * milliseconds of the clock and of this thread's processor, then the heap.
 */
final class Load {
  private Load() {}

  public static void main(String[] args) throws IOException {
    Path path = Path.of(args[1]);
    if (args[0].equals("write")) {
      Network network = Architecture.named("RepOpt-VGG-L2").target(1000);
      StateDicts.write(path.resolve("l2.pth"), network.stateDict());
      StateDicts.write(path.resolve("l2.safetensors"), network.stateDict());
      return;
    }
    Natives.load();
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      pool.resetPeakUsage();
    }
    for (int i = 0; i < Integer.parseInt(args[2]); i++) {
      long begin = System.nanoTime();
      long processor = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      TensorFile file = load(args[0], path);
      double milliseconds = (System.nanoTime() - begin) / 1e6;
      double busy =
          (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - processor) / 1e6;
      System.out.printf(Locale.ROOT, "%.1f %.1f%n", milliseconds, busy);
      file.close();
    }
    // The pools need not peak at one moment, so the sum is an upper bound.
    long heap = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      heap += pool.getType() == MemoryType.HEAP ? pool.getPeakUsage().getUsed() : 0;
    }
    System.err.printf(Locale.ROOT, "%.1f%n", heap / 1048576.0);
  }

  private static TensorFile load(String how, Path path) throws IOException {
    if (how.equals("read")) {
      return StateDicts.read(path);
    }
    try (SafetensorsReader reader = SafetensorsReader.open(path)) {
      return how.equals("map") ? reader.map() : copy(reader, path);
    }
  }

  // What a reader would do that maps windows of the file and copies out of them in Java. Which
  // bytes a
  // tensor gets does not matter here.
  private static TensorFile copy(SafetensorsReader reader, Path path) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (FileChannel channel = FileChannel.open(path)) {
      long at = channel.size();
      List<String> names = reader.names();
      for (String name : names) {
        at -= bytes(reader, name);
      }
      for (String name : names) {
        long bytes = bytes(reader, name);
        Tensor tensor =
            Tensors.empty(reader.dtype(name).scalarType(), Tensors.cpu(), reader.shape(name));
        ByteBuffer window = channel.map(FileChannel.MapMode.READ_ONLY, at, bytes);
        if (bytes > 0) {
          new BytePointer(tensor.data_ptr()).capacity(bytes).asByteBuffer().put(window);
        }
        tensors.put(name, tensor);
        at += bytes;
      }
    }
    return new TensorFile(tensors, Map.of(), List.of());
  }

  private static long bytes(SafetensorsReader reader, String name) {
    long bytes = reader.dtype(name).bytes();
    for (long size : reader.shape(name)) {
      bytes *= size;
    }
    return bytes;
  }
}
