package org.repopt4j.nn;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.base.Ascii;
import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Ints;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The reading of an architecture's one-line text; {@link Architecture#parse} has the format. */
final class ArchitectureSpec {
  private static final int LONGEST = 1000;

  private final String text;
  private final Map<String, String> values = new LinkedHashMap<>();

  private ArchitectureSpec(String text) {
    this.text = text;
  }

  static Architecture parse(String text) {
    checkArgument(
        text.length() <= LONGEST,
        "an architecture is named in at most %s characters, got: %s of them",
        LONGEST,
        text.length());
    ArchitectureSpec spec = new ArchitectureSpec(text);
    int colon = text.indexOf(':');
    String name = (colon < 0 ? text : text.substring(0, colon)).trim();
    boolean custom = Ascii.equalsIgnoreCase(name, "custom");
    if (colon >= 0) {
      spec.read(
          text.substring(colon + 1),
          custom
              ? ImmutableSet.of("blocks", "width", "strides", "se")
              : ImmutableSet.of("strides", "se"));
    }
    return custom ? spec.custom() : spec.changed(Architecture.named(name));
  }

  private void read(String pairs, ImmutableSet<String> allowed) {
    for (String pair : Splitter.on(';').trimResults().omitEmptyStrings().split(pairs)) {
      int equals = pair.indexOf('=');
      String key = equals < 0 ? pair : pair.substring(0, equals).trim();
      checkArgument(
          equals >= 0 && allowed.contains(key),
          "'%s' in the architecture '%s' must be key=value with one of the keys %s",
          pair,
          text,
          allowed);
      checkArgument(
          values.put(key, pair.substring(equals + 1).trim()) == null,
          "the architecture '%s' says %s twice",
          text,
          key);
    }
  }

  private Architecture custom() {
    checkArgument(
        values.containsKey("blocks") && values.containsKey("width"),
        "a custom architecture needs blocks and width, such as"
            + " custom:blocks=1,2,2,1;width=0.25,0.25,0.25,0.25, got: '%s'",
        text);
    return new VggArchitecture(
        "custom",
        integers("blocks"),
        numbers("width", Doubles::tryParse),
        values.containsKey("strides") ? integers("strides") : VggArchitecture.STRIDES,
        postSe());
  }

  private Architecture changed(Architecture named) {
    Architecture changed =
        values.containsKey("strides")
            ? named.withStrides(Ints.toArray(integers("strides")))
            : named;
    return postSe() ? changed.withPostSe() : changed;
  }

  private boolean postSe() {
    String value = values.getOrDefault("se", "false");
    checkArgument(
        value.equals("true") || value.equals("false"),
        "se must be true or false in the architecture '%s', got: '%s'",
        text,
        value);
    return value.equals("true");
  }

  private List<Integer> integers(String key) {
    return numbers(key, Ints::tryParse);
  }

  private <T> List<T> numbers(String key, Function<String, T> parser) {
    ImmutableList.Builder<T> numbers = ImmutableList.builder();
    for (String part : Splitter.on(',').trimResults().split(values.get(key))) {
      T number = parser.apply(part);
      checkArgument(
          number != null,
          "%s must be numbers separated by commas in the architecture '%s', got: '%s'",
          key,
          text,
          part);
      numbers.add(number);
    }
    return numbers.build();
  }
}
