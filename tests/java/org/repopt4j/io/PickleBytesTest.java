package org.repopt4j.io;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;

class PickleBytesTest extends HostileFiles {
  private static Arguments pickle(String what, String sentence, Pickle pickle) {
    return Arguments.of(what, sentence, HostileBytes.pth(pickle));
  }

  private static Pickle p() {
    return new Pickle();
  }

  static Stream<Arguments> cases() {
    Stream<Arguments> lengths =
        Stream.of((int) 'X', (int) 'B', (int) 'T', 0x8d, 0x8e, 0x96, 0x8b, 0x95)
            .flatMap(
                opcode ->
                    Stream.of(
                        pickle(
                            String.format("opcode %02x asks for 2 GB", opcode),
                            "where ",
                            p().op(opcode).i4(0x7FFFFFFF).op('.')),
                        pickle(
                            String.format("opcode %02x asks for 2^64 - 1", opcode),
                            "where ",
                            p().op(opcode).i8(-1).op('.')),
                        pickle(
                            String.format("opcode %02x asks for 2^63 - 1", opcode),
                            "where ",
                            p().op(opcode).i8(Long.MAX_VALUE).op('.'))));
    Stream<Arguments> shortLengths =
        Stream.of((int) 'U', (int) 'C', 0x8c, 0x8a)
            .map(
                opcode ->
                    pickle(
                        String.format("opcode %02x asks for 255", opcode),
                        "where ",
                        p().op(opcode, 255, '.')));
    return Stream.concat(lengths, shortLengths);
  }
}
