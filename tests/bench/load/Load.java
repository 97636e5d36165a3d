import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.Locale;
import org.repopt4j.io.StateDicts;
import org.repopt4j.io.TensorFile;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Network;
import org.repopt4j.runtime.Natives;

/**
 * {@code Load write FOLDER}, or {@code Load read FILE TIMES}: for each load the milliseconds of the
 * clock and of this thread's processor, then the heap.
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
      TensorFile file = StateDicts.read(path);
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
}
