package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.base.CharMatcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class StepScopeTest {
  private static Tensor one() {
    return Tensors.of(new float[] {1}, 1);
  }

  @Test
  void closingFreesWhatWasMadeInside() {
    Tensor inside;
    try (StepScope scope = StepScope.open()) {
      inside = one();
      assertFalse(inside.isNull());
    }
    assertTrue(inside.isNull());
  }

  @Test
  void closingFreesAfterAnExceptionToo() {
    Tensor[] inside = new Tensor[1];
    assertThrows(
        IllegalStateException.class,
        () -> {
          try (StepScope scope = StepScope.open()) {
            inside[0] = one();
            throw new IllegalStateException("on purpose");
          }
        });
    assertTrue(inside[0].isNull());
  }

  @Test
  void keptValuesLiveOn() {
    Tensor kept;
    try (StepScope scope = StepScope.open()) {
      Tensor inside = one();
      kept = scope.keep(inside);
      assertSame(inside, kept);
    }
    assertArrayEquals(new float[] {1}, Tensors.toFloats(kept));
    kept.close();
    assertTrue(kept.isNull());
  }

  @Test
  void retainedValuesLiveOn() {
    Tensor retained;
    try (StepScope scope = StepScope.open()) {
      retained = Retained.retain(one());
    }
    assertArrayEquals(new float[] {1}, Tensors.toFloats(retained));
  }

  @Test
  void valuesMadeBeforeOrAfterAreNotTouched() {
    Tensor before = one();
    StepScope.open().close();
    Tensor after = one();
    assertFalse(before.isNull());
    assertFalse(after.isNull());
  }

  @Test
  void scopesNest() {
    Tensor outer;
    Tensor inner;
    Tensor kept;
    Tensor late;
    try (StepScope outside = StepScope.open()) {
      outer = one();
      try (StepScope inside = StepScope.open()) {
        inner = one();
        kept = inside.keep(one());
      }
      assertTrue(inner.isNull());
      assertFalse(outer.isNull());
      assertFalse(kept.isNull(), "what is kept outlives its own scope");
      late = one();
    }
    assertTrue(outer.isNull());
    assertTrue(late.isNull());
    assertTrue(kept.isNull(), "what is kept belongs to the scope around it");
  }

  @Test
  void aScopeBelongsToItsThread() throws InterruptedException {
    Tensor[] other = new Tensor[1];
    try (StepScope scope = StepScope.open()) {
      Thread thread = new Thread(() -> other[0] = one());
      thread.start();
      thread.join();
    }
    assertArrayEquals(new float[] {1}, Tensors.toFloats(other[0]));
  }

  @Test
  void refusesToKeepNothing() {
    try (StepScope scope = StepScope.open()) {
      Tensor nothing = null;
      assertThrows(NullPointerException.class, () -> scope.keep(nothing));
    }
  }

  @Test
  void memoryStaysFlatOverManySteps() throws IOException {
    Path status = Path.of("/proc/self/status");
    assumeTrue(Files.exists(status), "needs /proc");
    long before = residentKilobytes(status);
    for (int step = 0; step < 2000; step++) {
      try (StepScope scope = StepScope.open()) {
        Tensor megabyte = Tensors.ones(ScalarType.Float, Tensors.cpu(), 1 << 18);
        megabyte.add(megabyte);
      }
    }
    long grown = residentKilobytes(status) - before;
    assertTrue(
        grown < 200 * 1024, () -> "grew by " + grown / 1024 + " MB over 4,000 MB of tensors");
  }

  private static long residentKilobytes(Path status) throws IOException {
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(CharMatcher.inRange('0', '9').retainFrom(line));
      }
    }
    throw new IOException("no VmRSS in " + status);
  }
}
