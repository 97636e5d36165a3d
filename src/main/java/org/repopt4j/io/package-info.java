/**
 * Tensors in files: safetensors, PyTorch's {@code .pth}, and what else other programs read and
 * write. A file is a hostile thing until it has been checked: lengths are bounded by the file's
 * size, nothing that it names is ever called, and each refusal is one sentence.
 *
 * <p>This room knows names and tensors only. It must not know an architecture, an optimizer or a
 * training run. It may use {@code runtime}.
 */
package org.repopt4j.io;
