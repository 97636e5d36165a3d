package org.repopt4j.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * RepOpt-VGG (official {@code repoptvgg_model.py}): {@code stage0} is a block, {@code stage1} to
 * {@code stage4} are rows of blocks, then global average pooling and {@code linear}.
 */
public final class RepOptVgg extends Network {
  private final List<Layer> stages = new ArrayList<>();
  private final List<VggBlock> blocks = new ArrayList<>();
  private final Linear linear;

  RepOptVgg(VggArchitecture architecture, Mode mode, int numClasses) {
    super("RepOptVGG", architecture, mode, numClasses);
    Sequential stage = null;
    for (VggArchitecture.Row row : architecture.rows()) {
      VggBlock block = new VggBlock(row, architecture.postSe(), mode);
      blocks.add(block);
      if (row.stage() == 0) {
        stages.add(child("stage0", block));
        continue;
      }
      if (row.index() == 0) {
        stage = child("stage" + row.stage(), new Sequential());
        stages.add(stage);
      }
      stage.append(block);
    }
    linear = child("linear", new Linear(architecture.features(), numClasses));
  }

  @Override
  Tensor logits(Tensor images) {
    Tensor output = images;
    for (Layer stage : stages) {
      output = stage.forward(output);
    }
    return linear.forward(torch.adaptive_avg_pool2d(output, 1, 1).flatten(1, -1));
  }

  @Override
  Stream<LinearAddition> linearAdditions() {
    return blocks.stream().map(VggBlock::linear);
  }
}
