/**
 * All that is specific to JavaCPP and libtorch's runtime: loading the natives, threads, the choice
 * of a device, memory scopes, calls of operators that the presets do not bind, and the passage of
 * values between Java arrays and tensors.
 *
 * <p>This room is the floor of the house. It must not know what a block, a network or an optimizer
 * is, it reads no file and prints nothing. Every other room may use it, so that none of them needs
 * to know JavaCPP's traps.
 */
package org.repopt4j.runtime;
