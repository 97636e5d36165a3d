package org.repopt4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import picocli.CommandLine;

/** One command, run in this process, and what it printed. */
record CapturedRun(int code, String out, String err) {

  static CapturedRun of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int code = Main.run(commandLine, args);
    return new CapturedRun(code, out.toString(), err.toString());
  }

  static CapturedRun of(List<String> args) {
    return of(args.toArray(new String[0]));
  }

  /** The one JSON document on standard output; anything behind it is an error. */
  JsonNode json() throws IOException {
    return new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).readTree(out);
  }

  /** It was the caller's fault, which one line says, without a back-trace. */
  void assertRefused() {
    assertEquals(Failures.CALLER, code, this::toString);
    assertEquals("", out);
    assertEquals(1, err.lines().count(), this::toString);
    assertTrue(err.startsWith("repopt: "), this::toString);
    assertFalse(err.contains("\tat "), this::toString);
    assertFalse(err.contains("Exception"), this::toString);
  }

  @Override
  public String toString() {
    return "exit code " + code + "\nout: " + out + "\nerr: " + err;
  }
}
