/**
 * The theory: blocks that are a <em>constant-scale linear addition</em> (CSLA, section 3.1 of <a
 * href="https://arxiv.org/abs/2205.15242">the paper</a>), and what makes one convolution train
 * exactly like such a block.
 *
 * <p>A block is a sum of linear branches, each a trainable kernel times a constant scale per output
 * channel: {@code y = Σ_b s_b ⊙ conv(x, W_b)}. The identity branch is one of them: a trainable
 * diagonal 1x1 kernel with the scale 1, which starts at 1 or at the searched identity scale.
 * Training the block with an ordinary optimizer equals training one convolution, if
 *
 * <ul>
 *   <li><b>rule of initialization</b>: {@code W' = Σ_b s_b ⊙ embed(W_b)}, every branch's kernel
 *       embedded at its place in the block's kernel ({@link
 *       org.repopt4j.csla.CslaBlock#equivalentKernel});
 *   <li><b>rule of iteration, SGD</b>: the gradient is multiplied by the <em>Grad Mult</em> {@code
 *       M = Σ_b s_b² ⊙ support(b)} before weight decay, momentum and the update; {@code support(b)}
 *       is 1 where branch b has a parameter;
 *   <li><b>rule of iteration, AdamW</b>: per branch the step is {@code s_b·(s_b m)/(|s_b|√v + ε)};
 *       the official code multiplies gradient and first moment by {@code Σ_b s_b} instead, which is
 *       the same only where all scales have one sign.
 * </ul>
 *
 * <p>This room is pure tensor maths. It must not know a network, a file, a device or a training
 * loop. It may use {@code runtime}.
 */
package org.repopt4j.csla;
