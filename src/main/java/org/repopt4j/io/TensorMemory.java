package org.repopt4j.io;

import static com.google.common.base.Preconditions.checkState;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.repopt4j.runtime.NativeErrors;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.runtime.StepScope;
import org.repopt4j.runtime.Tensors;

/**
 * The passage of bytes between a file and a tensor's own memory, in slices, so that tensors of any
 * size pass without a copy on the heap. Files are read and not mapped, unless a caller asks for it:
 * a mapped file that somebody cuts short kills the process, and copying out of a mapping takes
 * longer than reading ({@code tests/bench/load}).
 */
final class TensorMemory {
  private static final long SLICE = 64L << 20;

  /**
   * What a sink gets at once: small enough to stay in the processor's cache from a checksum to the
   * system's copy. The latter alone takes four times as long with slices of many MiB.
   */
  private static final int PIECE = 1 << 18;

  private TensorMemory() {}

  /** Takes the bytes of a tensor, piece by piece, in order. */
  @FunctionalInterface
  interface Sink {
    void accept(ByteBuffer piece) throws IOException;
  }

  /**
   * A new tensor with the bytes of {@code file} from {@code position} on.
   *
   * @param what names the tensor in messages
   */
  static Tensor read(
      Path file, FileChannel channel, long position, String what, Dtype dtype, long... shape)
      throws IOException {
    long bytes = dtype.count(shape) * dtype.bytes();
    Tensor tensor = allocate(file, what, bytes, dtype, shape);
    try (StepScope scope = StepScope.open()) {
      for (long at = 0; at < bytes; at += SLICE) {
        ByteBuffer slice = slice(tensor, at, Math.min(SLICE, bytes - at));
        readFully(file, channel, slice, position + at);
        if (dtype == Dtype.BOOL) {
          checkBooleans(file, what, slice.flip());
        }
      }
    }
    return tensor;
  }

  /**
   * The bytes of a file as a tensor of one dimension, without reading them. Changes are private.
   *
   * @param size of the file when it was checked, more than 0
   */
  static Tensor map(Path file, long size) throws IOException {
    long now = Files.size(file);
    if (now != size) {
      throw new InvalidFileException(file, "it had " + size + " bytes and has " + now + " now");
    }
    try (BytePointer name = new BytePointer(file.toString(), StandardCharsets.UTF_8);
        TensorOptions options = Tensors.options(ScalarType.Byte, Tensors.cpu())) {
      return torch.from_file(name, new BoolOptional(false), new LongOptional(size), options);
    } catch (RuntimeException e) {
      throw new IOException(
          file + ": it cannot be mapped into memory: " + NativeErrors.sentence(e), e);
    }
  }

  /**
   * Whether values at this place of a mapping can be used there: they lie at a multiple of their
   * size and need not be looked at, as booleans must be.
   */
  static boolean isMappable(Dtype dtype, long begin) {
    return begin % dtype.bytes() == 0 && dtype != Dtype.BOOL;
  }

  /** A tensor that is a part of a {@link #map mapping}; not empty, and {@link #isMappable}. */
  static Tensor part(Tensor mapping, long begin, Dtype dtype, long... shape) {
    return mapping
        .narrow(0, begin, dtype.count(shape) * dtype.bytes())
        .view(dtype.scalarType())
        .view(shape);
  }

  private static Tensor allocate(Path file, String what, long bytes, Dtype dtype, long... shape)
      throws IOException {
    try {
      return Tensors.empty(dtype.scalarType(), Tensors.cpu(), shape);
    } catch (RuntimeException e) {
      if (NativeErrors.isOutOfMemory(e)) {
        throw new IOException(
            file + ": there is not enough memory for the " + bytes + " bytes of " + what, e);
      }
      throw e;
    }
  }

  // C++ may assume that a bool is 0 or 1 and index tables with it.
  private static void checkBooleans(Path file, String what, ByteBuffer bytes)
      throws InvalidFileException {
    while (bytes.hasRemaining()) {
      byte value = bytes.get();
      if (value != 0 && value != 1) {
        throw new InvalidFileException(
            file, what + " is of type bool but holds the byte " + (value & 0xff));
      }
    }
  }

  /** Fills the buffer with the file's bytes from {@code position} on. */
  static void readFully(Path file, FileChannel channel, ByteBuffer buffer, long position)
      throws IOException {
    long at = position;
    while (buffer.hasRemaining()) {
      int read = channel.read(buffer, at);
      if (read < 0) {
        throw new InvalidFileException(file, "it became shorter while it was read");
      }
      at += read;
    }
  }

  /** Hands the tensor's values, dense and row-major, to the sink. */
  static void write(Tensor tensor, Sink sink) throws IOException {
    try (StepScope scope = StepScope.open();
        NoGrad noGrad = NoGrad.open()) {
      Tensor plain = tensor.detach().cpu().contiguous();
      long bytes = plain.numel() * plain.element_size();
      for (long at = 0; at < bytes; at += SLICE) {
        ByteBuffer slice = slice(plain, at, Math.min(SLICE, bytes - at));
        for (int piece = 0; piece < slice.limit(); piece += PIECE) {
          sink.accept(slice.slice(piece, Math.min(PIECE, slice.limit() - piece)));
        }
      }
    }
  }

  /** Writes the whole buffer at the channel's position. */
  static void writeFully(WritableByteChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** A dense copy of the tensor with memory of its own. */
  static Tensor copy(Tensor tensor) {
    return tensor.clone(new MemoryFormatOptional(torch.MemoryFormat.Contiguous));
  }

  // The buffer is a view of the tensor's memory: it must not be used after the tensor is freed.
  private static ByteBuffer slice(Tensor tensor, long offset, long length) {
    // The address is moved, because a buffer made at a position of 2 GiB or more comes out empty.
    BytePointer start = new BytePointer(tensor.data_ptr()).getPointer(offset);
    ByteBuffer slice = start.capacity(length).asByteBuffer();
    checkState(
        slice.position() == 0 && slice.remaining() == length,
        "a slice of %s bytes came out as %s",
        length,
        slice);
    return slice;
  }
}
