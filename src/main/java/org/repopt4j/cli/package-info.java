/**
 * The command line, one class a command. Here, and only here, text is printed and exit codes are
 * chosen: 0 done, 1 a check failed, 2 the caller's fault, 3 a fault of ours, 130 and 143 for the
 * signals.
 *
 * <p>Commands read options, make one validated configuration of them and hand it to the room that
 * does the work.
 */
package org.repopt4j.cli;
