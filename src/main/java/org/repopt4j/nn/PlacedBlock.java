package org.repopt4j.nn;

import org.bytedeco.pytorch.Tensor;
import org.repopt4j.csla.CslaBlock;

/**
 * A CSLA block and the convolution that trains in its place.
 *
 * @param name the path of the block's module, for example {@code stage1.0}
 * @param weight the live kernel {@code [out, in/groups, kh, kw]} of the target network
 * @param block the branches with their constant scales
 */
public record PlacedBlock(String name, Tensor weight, CslaBlock block) {}
