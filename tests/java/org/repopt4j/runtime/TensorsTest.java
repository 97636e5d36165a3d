package org.repopt4j.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.Refusals.assertRefused;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

class TensorsTest {
  @Property(tries = 100)
  void floatsComeBackAsTheyWere(@ForAll float[] values) {
    Tensor tensor = Tensors.of(values, values.length);
    assertEquals(ScalarType.Float, tensor.scalar_type().intern());
    assertArrayEquals(values, Tensors.toFloats(tensor));
  }

  @Property(tries = 100)
  void doublesComeBackAsTheyWere(@ForAll double[] values) {
    Tensor tensor = Tensors.of(values, values.length);
    assertEquals(ScalarType.Double, tensor.scalar_type().intern());
    assertArrayEquals(values, Tensors.toDoubles(tensor));
  }

  @Property(tries = 100)
  void longsComeBackAsTheyWere(@ForAll long[] values) {
    Tensor tensor = Tensors.of(values, values.length);
    assertEquals(ScalarType.Long, tensor.scalar_type().intern());
    assertArrayEquals(values, Tensors.toLongs(tensor));
  }

  @Test
  void keepsTheBitsOfSpecialFloats() {
    float[] values = {Float.NaN, -0f, Float.MIN_VALUE, Float.NEGATIVE_INFINITY, Float.MAX_VALUE};
    float[] back = Tensors.toFloats(Tensors.of(values, 5));
    for (int i = 0; i < values.length; i++) {
      assertEquals(Float.floatToRawIntBits(values[i]), Float.floatToRawIntBits(back[i]));
    }
  }

  @Test
  void valuesAreRowMajor() {
    Tensor tensor = Tensors.of(new long[] {0, 1, 2, 3, 4, 5}, 2, 3);
    assertEquals(4, tensor.select(0, 1).select(0, 1).item_long());
  }

  @Test
  void theArrayIsCopied() {
    double[] values = {1, 2};
    Tensor tensor = Tensors.of(values, 2);
    values[0] = 100;
    Tensors.toDoubles(tensor)[1] = 100;
    assertArrayEquals(new double[] {1, 2}, Tensors.toDoubles(tensor));
  }

  @Test
  void aTensorMayHaveNoDimension() {
    for (Tensor tensor :
        new Tensor[] {
          Tensors.of(new float[] {7}), Tensors.of(new double[] {7}), Tensors.of(new long[] {7})
        }) {
      assertArrayEquals(new long[0], Tensors.shape(tensor));
      assertArrayEquals(new float[] {7}, Tensors.toFloats(tensor));
      assertArrayEquals(new double[] {7}, Tensors.toDoubles(tensor));
      assertArrayEquals(new long[] {7}, Tensors.toLongs(tensor));
    }
  }

  @Test
  void aTensorMayBeEmpty() {
    for (Tensor tensor :
        new Tensor[] {
          Tensors.of(new float[0], 2, 0, 3),
          Tensors.of(new double[0], 2, 0, 3),
          Tensors.of(new long[0], 2, 0, 3)
        }) {
      assertArrayEquals(new long[] {2, 0, 3}, Tensors.shape(tensor));
      assertEquals(0, Tensors.toFloats(tensor).length);
      assertEquals(0, Tensors.toDoubles(tensor).length);
      assertEquals(0, Tensors.toLongs(tensor).length);
    }
  }

  @Test
  void readsEveryLayoutRowMajor() {
    float[] values = new float[24];
    for (int i = 0; i < 24; i++) {
      values[i] = i;
    }
    Tensor tensor = Tensors.of(values, 1, 2, 3, 4);
    Tensor channelsLast = tensor.contiguous(MemoryFormat.ChannelsLast);
    assertFalse(channelsLast.is_contiguous());
    assertArrayEquals(values, Tensors.toFloats(channelsLast));

    Tensor transposed = tensor.reshape(4, 6).transpose(0, 1);
    assertFalse(transposed.is_contiguous());
    float[] read = Tensors.toFloats(transposed);
    for (int i = 0; i < 24; i++) {
      assertEquals(i % 4 * 6 + i / 4, read[i]);
    }
    assertArrayEquals(
        new double[] {1, 7, 13, 19}, Tensors.toDoubles(tensor.reshape(4, 6).select(1, 1)));
    assertArrayEquals(
        new long[] {3, 3, 3}, Tensors.toLongs(tensor.reshape(24).narrow(0, 3, 1).expand(3)));
  }

  @Test
  void readsEveryType() {
    Tensor tensor = Tensors.of(new double[] {0, 1, -2.5}, 3);
    for (ScalarType type :
        new ScalarType[] {ScalarType.Half, ScalarType.BFloat16, ScalarType.Float}) {
      Tensor other = tensor.to(Tensors.cpu(), type);
      assertArrayEquals(new float[] {0, 1, -2.5f}, Tensors.toFloats(other));
      assertArrayEquals(new double[] {0, 1, -2.5}, Tensors.toDoubles(other));
    }
    Tensor truth = tensor.to(Tensors.cpu(), ScalarType.Bool);
    assertArrayEquals(new long[] {0, 1, 1}, Tensors.toLongs(truth));
    assertArrayEquals(
        new float[] {0, 1, -2}, Tensors.toFloats(tensor.to(Tensors.cpu(), ScalarType.Char)));
  }

  @Test
  void readsAParameter() {
    Tensor parameter = Tensors.of(new float[] {1, 2}, 2);
    parameter.requires_grad_(true);
    assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(parameter));
    assertTrue(parameter.requires_grad());
  }

  @Test
  void makesTensorsOfAType() {
    Tensor ones = Tensors.ones(ScalarType.BFloat16, Tensors.cpu(), 2, 2);
    assertEquals(ScalarType.BFloat16, ones.scalar_type().intern());
    assertArrayEquals(new float[] {1, 1, 1, 1}, Tensors.toFloats(ones));
    Tensor zeros = Tensors.zeros(ScalarType.Long, Tensors.cpu(), 3);
    assertEquals(ScalarType.Long, zeros.scalar_type().intern());
    assertArrayEquals(new long[3], Tensors.toLongs(zeros));
    Tensor empty = Tensors.empty(ScalarType.Double, Tensors.cpu(), 4, 5);
    assertEquals(ScalarType.Double, empty.scalar_type().intern());
    assertArrayEquals(new long[] {4, 5}, Tensors.shape(empty));
  }

  @Test
  void anIdentityBelongsToOneTensor() {
    Tensor first = Tensors.of(new float[1], 1);
    Tensor second = Tensors.of(new float[1], 1);
    assertEquals(Tensors.identity(first), Tensors.identity(new Tensor(first)));
    assertNotEquals(Tensors.identity(first), Tensors.identity(second));
    assertNotEquals(Tensors.identity(first), Tensors.identity(first.view(1)));
  }

  @Test
  void anOptionalIsThereOrNot() {
    assertFalse(Tensors.optional(null).has_value());
    assertTrue(Tensors.optional(Tensors.of(new float[1], 1)).has_value());
  }

  @Test
  void refusesAnotherNumberOfValues() {
    assertRefused(() -> Tensors.of(new float[5], 2, 3), "5 values", "[2, 3]");
    assertRefused(() -> Tensors.of(new double[2]), "2 values", "[]");
    assertRefused(() -> Tensors.of(new long[1], 0), "1 values", "[0]");
    assertRefused(() -> Tensors.of(new float[6], -2, -3), "negative", "[-2, -3]");
  }

  @Test
  void refusesAShapeBeyondAllCounting() {
    long huge = 1L << 62;
    assertRefused(() -> Tensors.of(new float[4], huge, 4), "4 values", "[" + huge + ", 4]");
  }
}
