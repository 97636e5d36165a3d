package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class NativeErrorsTest {
  private static RuntimeException mismatch() {
    Tensor two = Tensors.of(new float[2], 2);
    Tensor three = Tensors.of(new float[3], 3);
    return assertThrows(RuntimeException.class, () -> two.add(three));
  }

  @Test
  void aNativeErrorBecomesOneSentence() {
    RuntimeException error = mismatch();
    assertTrue(error.getMessage().contains("Exception raised from"), "the error has a back-trace");
    String sentence = NativeErrors.sentence(error);
    assertTrue(sentence.contains("The size of tensor a (2) must match"), sentence);
    assertFalse(sentence.contains("Exception raised from"), sentence);
    assertFalse(sentence.contains("\n"), sentence);
    assertFalse(sentence.contains("0x"), sentence);
  }

  @Test
  void aPlainMessageStaysAsItIs() {
    assertEquals("a plain one", NativeErrors.sentence(new IllegalStateException("a plain one")));
    assertEquals("first", NativeErrors.sentence(new IllegalStateException("\n  first \nsecond")));
  }

  @Test
  void whatCouldRewriteTheTerminalIsMadeVisible() {
    assertEquals(
        "?[2Ja?b?c ü", NativeErrors.sentence(new IllegalStateException("\u001b[2Ja\rb\u202ec ü")));
    String sentence = NativeErrors.sentence(new IllegalStateException("x".repeat(1_000_000)));
    assertEquals("x".repeat(100_000) + "...", sentence);
  }

  @Test
  void anErrorWithoutAMessageIsNamed() {
    assertEquals("StackOverflowError", NativeErrors.sentence(new StackOverflowError()));
    assertEquals("RuntimeException", NativeErrors.sentence(new RuntimeException(" \n ")));
    assertEquals(
        "RuntimeException",
        NativeErrors.sentence(new RuntimeException("Exception raised from f at a.cpp:1")));
    assertEquals(
        "RuntimeException",
        NativeErrors.sentence(new RuntimeException("\nException raised from f at a.cpp:1")));
  }

  @Test
  void usedUpMemoryIsRecognised() {
    RuntimeException error =
        assertThrows(
            RuntimeException.class,
            () -> Tensors.empty(ScalarType.Double, Tensors.cpu(), 1L << 50));
    assertTrue(NativeErrors.isOutOfMemory(error), error.getMessage());
    assertTrue(NativeErrors.isOutOfMemory(new OutOfMemoryError("Java heap space")));
    for (String said :
        List.of(
            "CUDA out of memory. Tried to …",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
            "FIND was unable to find an engine to execute this computation")) {
      assertTrue(NativeErrors.isOutOfMemory(new RuntimeException(said)), said);
    }
  }

  @Test
  void otherErrorsAreNotAboutMemory() {
    assertFalse(NativeErrors.isOutOfMemory(mismatch()));
    assertFalse(NativeErrors.isOutOfMemory(new RuntimeException()));
  }
}
