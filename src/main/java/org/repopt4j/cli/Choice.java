package org.repopt4j.cli;

import com.google.common.base.Ascii;
import java.util.Arrays;
import java.util.List;

/** An option that takes one of a few words, whatever their case. */
final class Choice {
  private Choice() {}

  /** The constant that the word means; an underscore of its name is a hyphen here. */
  static <E extends Enum<E>> E of(String option, Class<E> type, String word) {
    List<E> constants = Arrays.asList(type.getEnumConstants());
    List<String> words = constants.stream().map(Choice::word).toList();
    return constants.get(words.indexOf(oneOf(option, words, word)));
  }

  /** The word, in the spelling of the list. */
  static String oneOf(String option, List<String> words, String word) {
    String lower = Ascii.toLowerCase(word.trim());
    if (!words.contains(lower)) {
      throw new IllegalArgumentException(
          option + " must be " + joined(words) + ", got: '" + word + "'");
    }
    return lower;
  }

  static String word(Enum<?> constant) {
    return Ascii.toLowerCase(constant.name()).replace('_', '-');
  }

  private static String joined(List<String> words) {
    int last = words.size() - 1;
    return last == 0
        ? words.get(0)
        : String.join(", ", words.subList(0, last)) + " or " + words.get(last);
  }
}
