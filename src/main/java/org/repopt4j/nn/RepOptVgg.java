package org.repopt4j.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * RepOpt-VGG (official {@code repoptvgg_model.py}): {@code stage0} is a block, {@code stage1} to
 * {@code stage4} are rows of blocks, then global average pooling and {@code linear}.
 */
public final class RepOptVgg extends Network {
  private final List<List<UnaryOperator<Tensor>>> stages = new ArrayList<>();
  private final List<VggBlock> blocks = new ArrayList<>();
  private final Linear linear;

  RepOptVgg(VggArchitecture architecture, Mode mode, int numClasses) {
    super("RepOptVGG", architecture, mode, numClasses);
    Sequential stage = null;
    for (VggArchitecture.Row row : architecture.rows()) {
      VggBlock block = new VggBlock(row, architecture.postSe(), mode);
      blocks.add(block);
      if (row.index() == 0) {
        stages.add(new ArrayList<>());
      }
      stages.get(row.stage()).add(block::forward);
      if (row.stage() == 0) {
        child("stage0", block);
        continue;
      }
      if (row.index() == 0) {
        stage = child("stage" + row.stage(), new Sequential());
      }
      stage.append(block);
    }
    linear = child("linear", new Linear(architecture.features(), numClasses));
  }

  @Override
  List<List<UnaryOperator<Tensor>>> stages() {
    return stages;
  }

  @Override
  public Tensor head(Tensor features) {
    return linear.forward(torch.adaptive_avg_pool2d(features, 1, 1).flatten(1, -1));
  }

  @Override
  Stream<LinearAddition> linearAdditions() {
    return blocks.stream().map(VggBlock::linear);
  }
}
