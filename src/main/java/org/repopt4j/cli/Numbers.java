package org.repopt4j.cli;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Splitter;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Ints;
import com.google.common.primitives.Longs;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/** How numbers are read: decimal, finite, and with a sentence for what is none. */
final class Numbers {
  private static final Pattern DECIMAL = Pattern.compile("[-+.0-9eE]+");

  private Numbers() {}

  /** Makes every numeric option of the command line read its value here. */
  static void register(CommandLine commandLine) {
    commandLine.registerConverter(Integer.class, Numbers::wholeNumber);
    commandLine.registerConverter(Integer.TYPE, Numbers::wholeNumber);
    commandLine.registerConverter(Long.class, Numbers::longNumber);
    commandLine.registerConverter(Long.TYPE, Numbers::longNumber);
    commandLine.registerConverter(Double.class, Numbers::number);
    commandLine.registerConverter(Double.TYPE, Numbers::number);
  }

  /** As many whole numbers of at least 1, with commas between. */
  static int[] positiveInts(String option, String text, int count) {
    List<String> parts = parts(option, text, count);
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      Integer value = Ints.tryParse(parts.get(i));
      checkArgument(
          value != null && value >= 1,
          "%s takes whole numbers of at least 1, got: '%s'",
          option,
          text);
      values[i] = value;
    }
    return values;
  }

  /** As many numbers, with commas between. */
  static double[] doubles(String option, String text, int count) {
    List<String> parts = parts(option, text, count);
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      OptionalDouble value = decimal(parts.get(i));
      checkArgument(value.isPresent(), "%s takes numbers, got: '%s'", option, text);
      values[i] = value.getAsDouble();
    }
    return values;
  }

  private static List<String> parts(String option, String text, int count) {
    List<String> parts = Splitter.on(',').trimResults().splitToList(text);
    checkArgument(
        parts.size() == count,
        "%s takes %s numbers with commas between, got: '%s'",
        option,
        count,
        text);
    return parts;
  }

  private static int wholeNumber(String text) {
    Integer value = Ints.tryParse(text);
    if (value == null) {
      throw new TypeConversionException(
          "'" + text + "' is not a whole number" + range(text, Integer.MAX_VALUE));
    }
    return value;
  }

  private static long longNumber(String text) {
    Long value = Longs.tryParse(text);
    if (value == null) {
      throw new TypeConversionException(
          "'" + text + "' is not a whole number" + range(text, Long.MAX_VALUE));
    }
    return value;
  }

  private static String range(String text, long limit) {
    return text.matches("[-+]?\\d+") ? " from -" + limit + " to " + limit : "";
  }

  private static double number(String text) {
    OptionalDouble value = decimal(text);
    if (value.isEmpty()) {
      throw new TypeConversionException("'" + text + "' is not a number");
    }
    return value.getAsDouble();
  }

  /** A finite number; Java would take {@code 1f} and {@code 0x1p3} as well. */
  private static OptionalDouble decimal(String text) {
    Double value = DECIMAL.matcher(text).matches() ? Doubles.tryParse(text) : null;
    return value == null || value.isInfinite() ? OptionalDouble.empty() : OptionalDouble.of(value);
  }
}
