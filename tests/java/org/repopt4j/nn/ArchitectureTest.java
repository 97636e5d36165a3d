package org.repopt4j.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchitectureTest {
  @ParameterizedTest
  @CsvSource({
    // Parameters in millions and multiply-adds in billions, as the RepVGG repository's table has
    // them for 224x224.
    "RepOpt-VGG-A0, 8.30, 1.36, 1000",
    "RepOpt-VGG-A1, 12.78, 2.37, 1000",
    "RepOpt-VGG-A2, 25.49, 5.12, 1000",
    "RepOpt-VGG-B0, 14.33, 3.06, 1000",
    "RepOpt-VGG-B1, 51.82, 11.82, 1000",
    "RepOpt-VGG-B2, 80.31, 18.38, 1000",
    "RepOpt-VGG-B3, 110.96, 26.22, 1000",
    // RepGhost's table (arXiv 2211.06088).
    "RepOpt-GhostNet-0.5x, 2.3, 0.043, 1000",
    "RepOpt-GhostNet-1.0x, 4.1, 0.142, 1000",
    "RepOpt-GhostNet-1.5x, 6.6, 0.301, 1000",
    "RepOpt-GhostNet-2.0x, 9.8, 0.516, 1000"
  })
  void countsAreThePublishedOnes(String name, double millions, double billions, int classes) {
    Architecture architecture = Architecture.named(name);
    assertEquals(millions, architecture.parameters(Mode.DEPLOY, classes) / 1e6, millions * 0.025);
    assertEquals(
        billions, architecture.multiplyAdds(Mode.DEPLOY, classes, 224) / 1e9, billions * 0.025);
  }

  @Test
  void countsEqualTheBuiltNetworks() {
    for (String spec :
        List.of(
            "RepOpt-VGG-tiny:se=true",
            "custom:blocks=1,2,1,1;width=0.3,0.2,0.1,0.125;strides=1,1,1,2,2",
            "RepOpt-GhostNet-0.5x",
            "RepOpt-GhostNet-0.58x")) {
      Architecture architecture = Architecture.parse(spec);
      for (Mode mode : Mode.values()) {
        Network network = architecture.build(mode, 17);
        assertEquals(network.parameterCount(), architecture.parameters(mode, 17), spec + mode);
        network.close();
      }
    }
  }

  @Test
  void multiplyAddsOfASmallNetworkByHand() {
    Architecture small =
        Architecture.parse("custom:blocks=1,1,1,1;width=0.0625,0.0625,0.0625,0.0625");
    // 3→4 at 16x16, 4→4 at 8x8, 4→8 at 4x4, 8→16 at 2x2, 16→32 at 1x1, and 32→10.
    long plain = 9 * (12 * 256 + 16 * 64 + 32 * 16 + 128 * 4 + 512) + 320;
    long pointwise = 12 * 256 + 16 * 64 + 32 * 16 + 128 * 4 + 512;
    assertEquals(plain, small.multiplyAdds(Mode.TARGET, 10, 32));
    assertEquals(plain + pointwise, small.multiplyAdds(Mode.HS, 10, 32));
    assertEquals(
        plain + 2 * (4 + 4 + 8 * 2 + 16 * 4 + 32 * 8),
        small.withPostSe().multiplyAdds(Mode.DEPLOY, 10, 32));
  }

  @Test
  void tinyIsSmallAndKeepsTheResolutionOfSmallImages() {
    Architecture tiny = Architecture.named("RepOpt-VGG-tiny");
    assertTrue(tiny.parameters(Mode.HS, 100) < 500_000);
    assertTrue(tiny.blocks().stream().anyMatch(BlockSpec::hasIdentity));
    assertEquals(1, tiny.blocks().get(0).shape().stride());
  }

  @ParameterizedTest
  @ValueSource(strings = {"repopt-vgg-b1", "RepOptVGG-B1", "REPOPT_VGG_B1", " RepOpt-VGG-B1 "})
  void namesAreReadForgivingly(String name) {
    assertEquals("RepOpt-VGG-B1", Architecture.named(name).name());
  }

  @Test
  void anUnknownNameListsTheKnownAndTheNearest() {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Architecture.named("RepOpt-GhostNt-2x"));
    assertTrue(
        refused.getMessage().contains("did you mean RepOpt-GhostNet-")
            && refused.getMessage().contains("RepOpt-VGG-L2"),
        refused.getMessage());
  }

  @Test
  void everyNameOfTheCatalogRoundTrips() {
    assertEquals(18, Architecture.names().size());
    for (String name : Architecture.names()) {
      assertEquals(name, Architecture.named(name).spec());
      assertEquals(Architecture.named(name), Architecture.parse(name));
    }
  }

  @Test
  void changesOfANamedArchitectureAreInItsSpec() {
    Architecture changed =
        Architecture.named("RepOpt-VGG-B1").withStrides(2, 1, 2, 2, 1).withPostSe();
    assertEquals("RepOpt-VGG-B1:strides=2,1,2,2,1;se=true", changed.spec());
    assertEquals(changed, Architecture.parse(changed.spec()));
    assertNotEquals(Architecture.named("RepOpt-VGG-B1"), changed);
    assertEquals("RepOpt-VGG-B1", changed.withStrides(2, 2, 2, 2, 2).name());
  }

  @Property(tries = 100)
  void customSpecsRoundTrip(@ForAll("customs") Architecture architecture) {
    assertEquals(architecture, Architecture.parse(architecture.spec()));
    assertEquals(
        architecture.blocks().toString(),
        Architecture.parse(architecture.spec()).blocks().toString());
  }

  @Provide
  Arbitrary<Architecture> customs() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 30).list().ofSize(4),
            Arbitraries.doubles().between(0.0626, 9).ofScale(7).list().ofSize(4),
            Arbitraries.integers().between(1, 4).list().ofSize(5),
            Arbitraries.of(true, false))
        .as(
            (blocks, widths, strides, se) -> {
              Architecture plain = Architecture.custom(blocks, widths, strides);
              return se ? plain.withPostSe() : plain;
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "custom:blocks=1,2,2,1 | needs blocks and width",
        "custom:blocks=1,2,2;width=1,1,1,1 | blocks must be four numbers",
        "custom:blocks=1,2147483647,2,1;width=1,1,1,1 | at least 1 and at most 1000",
        "custom:blocks=1,2,x,1;width=1,1,1,1 | got: 'x'",
        "custom:blocks=1,2,2,1;width=1,1,0.001,1 | gives stage 3",
        "custom:blocks=1,2,2,1;width=1,1,NaN,1 | width must be four numbers",
        "RepOpt-VGG-B1:blocks=1,1,1,1 | one of the keys [strides, se]",
        "RepOpt-VGG-B1:strides=2,2,2,2 | strides must be five numbers",
        "RepOpt-VGG-B1:strides=2,2,2,2,0 | strides must be five numbers of at least 1",
        "RepOpt-VGG-B1:se=yes | se must be true or false",
        "RepOpt-VGG-B1:se=true;se=true | says se twice",
        "RepOpt-GhostNet-1.0x:se=true | has squeeze-and-excitation of its own",
        "RepOpt-GhostNet-1.0x:strides=1,1,1,1,1 | are fixed"
      })
  void badSpecsAreRefusedWithTheReason(String spec, String reason) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> Architecture.parse(spec));
    assertTrue(refused.getMessage().contains(reason), refused.getMessage());
  }

  @Test
  void impossibleSizesAreRefused() {
    Architecture b1 = Architecture.named("RepOpt-VGG-B1");
    assertThrows(IllegalArgumentException.class, () -> b1.target(0));
    assertThrows(IllegalArgumentException.class, () -> b1.multiplyAdds(Mode.TARGET, 10, 0));
  }
}
