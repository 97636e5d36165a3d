package org.repopt4j.nn;

import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.KernelShape;

/** A bottleneck of two Ghost modules (official {@code RepOptGhostBottleneck}). */
final class GhostBottleneck extends Layer {
  private final GhostModule ghost1;
  private final LinearAddition depthwise;
  private final SqueezeExcite se;
  private final GhostModule ghost2;
  private final LinearAddition shortcutDepthwise;
  private final LinearAddition shortcutPointwise;

  GhostBottleneck(GhostArchitecture.Row row, Mode mode) {
    super("RepOptGhostBottleneck");
    int place = 2 * row.depth();
    ghost1 = child("ghost1", new GhostModule(row.in(), row.mid(), 3, true, mode, place - 1));
    depthwise =
        row.stride() > 1
            ? LinearAddition.convBn(this, "conv_dw", "bn_dw", row.depthwise(row.mid()), mode)
            : null;
    se = row.se() ? child("se", SqueezeExcite.ghost(row.mid())) : null;
    ghost2 = child("ghost2", new GhostModule(row.mid(), row.out(), 3, false, mode, place));
    if (row.hasIdentityShortcut()) {
      shortcutDepthwise = null;
      shortcutPointwise = null;
    } else {
      Sequential shortcut = child("shortcut", new Sequential());
      KernelShape pointwise = KernelShape.of(row.out(), row.in(), 1, 1);
      shortcutDepthwise = LinearAddition.convBn(shortcut, "0", "1", row.depthwise(row.in()), mode);
      shortcutPointwise = LinearAddition.convBn(shortcut, "2", "3", pointwise, mode);
    }
  }

  @Override
  public Tensor forward(Tensor input) {
    Tensor x = ghost1.forward(input);
    x = depthwise == null ? x : depthwise.forward(x);
    x = se == null ? x : se.forward(x);
    // The second module ends with a BN or a convolution, which do not need their output again.
    return ghost2.forward(x).add_(shortcut(input));
  }

  private Tensor shortcut(Tensor input) {
    return shortcutDepthwise == null
        ? input
        : shortcutPointwise.forward(shortcutDepthwise.forward(input));
  }

  Stream<LinearAddition> linearAdditions() {
    Stream<LinearAddition> own =
        Stream.of(depthwise, shortcutDepthwise, shortcutPointwise).filter(one -> one != null);
    return Stream.of(ghost1.linearAdditions(), own, ghost2.linearAdditions())
        .flatMap(stream -> stream);
  }
}
