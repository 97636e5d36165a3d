/**
 * Whether this library computes what the official Python repository computes, on the user's own
 * machine: a script of ours lets the official modules compute random cases, this room computes the
 * same and compares number by number.
 *
 * <p>Nothing of the official repository is part of this library; the user names a clone. This room
 * must not print, and nothing but the command line may use it. It may use {@code train}, {@code
 * search} and all below them.
 */
package org.repopt4j.crosscheck;
