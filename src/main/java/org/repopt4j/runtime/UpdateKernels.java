package org.repopt4j.runtime;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * Our own native code for the optimizers' update on a CPU ({@code native-config/kernels}), compiled
 * by JavaCPP's Builder when the project is built on a machine with a C++ compiler, and shipped in
 * the jar. The system property {@value #PROPERTY} turns it {@code off} or chooses other
 * instructions than the best that the processor has ({@code baseline}, {@code avx2}, {@code
 * avx512}).
 *
 * <p>What the numbers in a table mean is said in {@code table.h}; this class passes them on.
 */
@Platform(include = "cpu_update.h")
public final class UpdateKernels {
  /** Of the choice of instructions. */
  public static final String PROPERTY = "repopt.kernels";

  /** Fields of eight bytes of a table's row. */
  public static final int FIELDS = 28;

  /** Which vector instructions the loops use; each of them computes the same up to rounding. */
  public enum Instructions {
    /** What every processor of the platform has. */
    BASELINE(0),
    /** AVX2 and FMA. */
    AVX2(1),
    /** AVX-512 F, DQ, BW and VL. */
    AVX512(2);

    private final int number;

    Instructions(int number) {
      this.number = number;
    }
  }

  static final String OFF = "turned off by -D" + PROPERTY + "=off";

  /** Whether neither this class's kernels nor the CUDA ones are to be used. */
  static boolean isOff() {
    return System.getProperty(PROPERTY, "").equals("off");
  }

  private static final class Found {
    static final Found FOUND = find();

    private final Optional<Instructions> chosen;
    private final Instructions best;
    private final String reason;

    private Found(Optional<Instructions> chosen, Instructions best, String reason) {
      this.chosen = chosen;
      this.best = best;
      this.reason = reason;
    }

    private static Found find() {
      String wanted = System.getProperty(PROPERTY, "");
      if (isOff()) {
        return none(OFF);
      }
      // libtorch first: the kernels share its OpenMP threads.
      Natives.load();
      try {
        Loader.load(UpdateKernels.class);
      } catch (UnsatisfiedLinkError e) {
        return none("the build had no C++ compiler for " + Natives.platform());
      }
      int number = repopt_instructions();
      Instructions best =
          Arrays.stream(Instructions.values())
              .filter(i -> i.number == number)
              .findFirst()
              .orElseThrow();
      if (wanted.isEmpty()) {
        return new Found(Optional.of(best), best, "the best that this processor has");
      }
      return new Found(Optional.of(named(wanted, best)), best, "chosen by -D" + PROPERTY);
    }

    private static Instructions named(String wanted, Instructions best) {
      for (Instructions instructions : Instructions.values()) {
        if (Ascii.toLowerCase(instructions.name()).equals(wanted)) {
          checkArgument(
              instructions.compareTo(best) <= 0,
              "-D%s=%s asks for instructions that this processor does not have; its best are %s",
              PROPERTY,
              wanted,
              Ascii.toLowerCase(best.name()));
          return instructions;
        }
      }
      throw new IllegalArgumentException(
          "-D" + PROPERTY + " must be off, baseline, avx2 or avx512, got: " + wanted);
    }

    private static Found none(String reason) {
      return new Found(Optional.empty(), Instructions.BASELINE, reason);
    }
  }

  private UpdateKernels() {}

  /**
   * The instructions in use; empty where there is no compiled code.
   *
   * @throws IllegalArgumentException if the system property asks for what there is not
   */
  public static Optional<Instructions> instructions() {
    return Found.FOUND.chosen;
  }

  /** The best instructions of this processor. */
  public static Instructions best() {
    return Found.FOUND.best;
  }

  /** Why these are in use, or why none are. */
  public static String reason() {
    return Found.FOUND.reason;
  }

  /** For people: what carries out the update on this device, and why. */
  public static String inUse(ComputeDevice device) {
    boolean ours =
        device.isCuda()
            ? CudaKernels.of(device.device().index()).isPresent()
            : instructions().isPresent();
    String why = device.isCuda() ? CudaKernels.reason(device.device().index()) : reason();
    return ours
        ? "fused kernels ("
            + (device.isCuda() ? "" : instructions().orElseThrow() + ", ")
            + why
            + ")"
        : "libtorch's multi-tensor operators (" + why + ")";
  }

  /**
   * One step of all parameters in a table.
   *
   * @param rule 0: SGD, 1: AdamW by the official rule, 2: by the exact rule
   * @param table rows of {@value #FIELDS} fields
   * @param count of rows
   */
  public static void update(
      int rule, long[] table, int count, int threads, Instructions instructions) {
    repopt_update(rule, table, count, threads, instructions.number);
  }

  /**
   * The same for float32 rows by the functions that the CUDA kernels call, element after element:
   * for tests of those functions where there is no GPU.
   */
  public static void updateElementwise(int rule, long[] table, int count) {
    repopt_update_elementwise(rule, table, count);
  }

  /**
   * Goes once over float32 arrays with next to no arithmetic, as a step does: what a step's bytes
   * cost at least.
   *
   * @param arrays the addresses of {@code read} arrays
   * @param read 3 to 5
   * @param written how many of them, from the first on, are written, too; 2 or 3
   */
  public static void limit(LongPointer arrays, int read, int written, long elements, int threads) {
    repopt_limit(
        arrays,
        read,
        written,
        elements,
        threads,
        instructions().orElse(Instructions.BASELINE).number);
  }

  private static native void repopt_update(
      int rule,
      @Cast("const int64_t*") long[] table,
      @Cast("int64_t") long count,
      int threads,
      int instructions);

  private static native void repopt_update_elementwise(
      int rule, @Cast("const int64_t*") long[] table, @Cast("int64_t") long count);

  private static native void repopt_limit(
      @Cast("const int64_t*") LongPointer arrays,
      int read,
      int written,
      @Cast("int64_t") long elements,
      int threads,
      int instructions);

  private static native int repopt_instructions();
}
