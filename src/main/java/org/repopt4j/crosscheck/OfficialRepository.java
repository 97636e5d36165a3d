package org.repopt4j.crosscheck;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ImmutableList;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The user's own clone of the official Python repository.
 *
 * @param folder with all the files that the cross-check needs
 */
public record OfficialRepository(Path folder) {
  private static final String HOME = "https://github.com/DingXiaoH/RepOptimizers";
  private static final ImmutableList<String> FILES =
      ImmutableList.of(
          "repoptimizer/repoptvgg_model.py",
          "repoptimizer/repoptvgg_impl.py",
          "repoptimizer/repoptghostnet_model.py",
          "repoptimizer/repoptghostnet_impl.py",
          "repoptimizer/repoptimizer_sgd.py",
          "repoptimizer/repoptimizer_adamw.py",
          "repoptimizer/repoptimizer_utils.py",
          "scale_layer.py",
          "se_block.py",
          "optimizer.py",
          "lr_scheduler.py",
          "check_equivalency.py",
          "check_equivalency_repghost.py",
          "RepOpt-VGG-B1-scales.pth",
          "RepOpt-VGG-B2-scales.pth",
          "RepOpt-VGG-L1-scales.pth",
          "RepOpt-VGG-L2-scales.pth",
          "RepOptGhostNet_0_5x_scales.pth");

  /**
   * Checks the folder.
   *
   * @throws IllegalArgumentException if it is no clone, naming the first file that is missing
   */
  public OfficialRepository {
    checkArgument(
        Files.isDirectory(folder), "%s is not a folder; clone %s and name the clone", folder, HOME);
    for (String file : FILES) {
      checkArgument(
          Files.isRegularFile(folder.resolve(file)),
          "%s is not a whole clone of %s: it has no %s",
          folder,
          HOME,
          file);
    }
  }
}
