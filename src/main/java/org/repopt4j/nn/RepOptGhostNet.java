package org.repopt4j.nn;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.repopt4j.csla.KernelShape;

/**
 * RepOpt-GhostNet (official {@code repoptghostnet_model.py}): a convolution, bottlenecks, a 1x1
 * convolution, global average pooling, another 1x1 convolution, dropout and the classifier.
 */
public final class RepOptGhostNet extends Network {
  private static final double DROPOUT = 0.2;

  private final LinearAddition stem;
  private final List<GhostBottleneck> bottlenecks = new ArrayList<>();
  private final List<List<UnaryOperator<Tensor>>> stages = new ArrayList<>();
  private final LinearAddition last;
  private final Conv2d head;
  private final Linear classifier;

  RepOptGhostNet(GhostArchitecture architecture, Mode mode, int numClasses) {
    super("RepOptGhostNet", architecture, mode, numClasses);
    KernelShape stemShape = KernelShape.of(architecture.stem(), 3, 3, 3).withStride(2);
    stem = LinearAddition.convBn(this, "conv_stem", "bn1", stemShape, mode);
    stages.add(ImmutableList.of(images -> torch.relu_(stem.forward(images))));
    Sequential blocks = child("blocks", new Sequential());
    Sequential stage = null;
    int channels = architecture.stem();
    for (GhostArchitecture.Row row : architecture.rows()) {
      if (row.index() == 0) {
        stage = blocks.append(new Sequential());
        stages.add(new ArrayList<>());
      }
      GhostBottleneck bottleneck = stage.append(new GhostBottleneck(row, mode));
      bottlenecks.add(bottleneck);
      stages.get(stages.size() - 1).add(bottleneck::forward);
      channels = row.out();
    }
    Sequential convBnAct = blocks.append(new Sequential()).append(new Sequential());
    KernelShape lastShape = KernelShape.of(architecture.last(), channels, 1, 1);
    last = LinearAddition.convBn(convBnAct, "conv", "bn1", lastShape, mode);
    head =
        child(
            "conv_head",
            new Conv2d(KernelShape.of(GhostArchitecture.HEAD, architecture.last(), 1, 1), true));
    classifier = child("classifier", new Linear(GhostArchitecture.HEAD, numClasses));
  }

  @Override
  List<List<UnaryOperator<Tensor>>> stages() {
    return stages;
  }

  @Override
  public Tensor head(Tensor features) {
    Tensor x = torch.adaptive_avg_pool2d(torch.relu_(last.forward(features)), 1, 1);
    x = torch.relu_(head.forward(x)).flatten(1, -1);
    return classifier.forward(torch.dropout(x, DROPOUT, is_training()));
  }

  @Override
  Stream<LinearAddition> linearAdditions() {
    return Stream.of(
            Stream.of(stem),
            bottlenecks.stream().flatMap(GhostBottleneck::linearAdditions),
            Stream.of(last))
        .flatMap(stream -> stream);
  }
}
