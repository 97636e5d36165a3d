package org.repopt4j.io;

import static org.repopt4j.io.InvalidFileException.printable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.repopt4j.io.PickleValue.Dict;
import org.repopt4j.io.PickleValue.View;

/**
 * The state dict inside of what a pickle describes: the whole of it, or what a training checkpoint
 * keeps under {@code model}, {@code state_dict}, {@code model_state} or {@code model_state_dict}
 * (one of them in another one, too). The prefix {@code module.} that {@code
 * DistributedDataParallel} puts before every name is taken off.
 *
 * @param views the tensors by name, in order
 * @param skipped what else there was, the first hundred each as {@code name (kind)}
 */
record PickledStateDict(Map<String, View> views, List<String> skipped) {
  private static final List<String> ROOTS =
      List.of("model", "state_dict", "model_state", "model_state_dict");
  private static final int DEEPEST_ROOT = 3;
  private static final String DDP_PREFIX = "module.";
  private static final int MOST_NAMED = 100;

  /** Finds the state dict. */
  static PickledStateDict find(Path file, Object value) throws InvalidFileException {
    List<Map.Entry<Object, Object>> skipped = new ArrayList<>();
    Dict root = root(value, 0, skipped);
    if (root == null) {
      throw new InvalidFileException(
          file,
          "it holds a "
              + PickleValue.kindOf(value)
              + " without tensors by name, neither at the top nor under one of "
              + ROOTS);
    }
    Map<String, View> views = new LinkedHashMap<>();
    for (Map.Entry<Object, Object> entry : root.map.entrySet()) {
      if (!(entry.getValue() instanceof View view)) {
        skipped.add(entry);
      } else if (entry.getKey() instanceof String name) {
        views.put(name, view);
      } else {
        throw new InvalidFileException(
            file, "a tensor's name is a " + PickleValue.kindOf(entry.getKey()) + ", must be text");
      }
    }
    return new PickledStateDict(withoutDdpPrefix(views), described(skipped));
  }

  private static Dict root(Object value, int depth, List<Map.Entry<Object, Object>> skipped) {
    if (!(value instanceof Dict dict) || depth > DEEPEST_ROOT) {
      return null;
    }
    // What is under such a name wins over tensors beside it: checkpoints keep the state of random
    // generators, which are tensors, too.
    for (String name : ROOTS) {
      Dict inner = root(dict.map.get(name), depth + 1, skipped);
      if (inner != null) {
        dict.map.entrySet().stream()
            .filter(entry -> !name.equals(entry.getKey()))
            .forEach(skipped::add);
        return inner;
      }
    }
    return dict.map.values().stream().anyMatch(View.class::isInstance) ? dict : null;
  }

  private static Map<String, View> withoutDdpPrefix(Map<String, View> views) {
    if (!views.keySet().stream().allMatch(name -> name.startsWith(DDP_PREFIX))) {
      return views;
    }
    Map<String, View> plain = new LinkedHashMap<>();
    views.forEach((name, view) -> plain.put(name.substring(DDP_PREFIX.length()), view));
    return plain;
  }

  private static List<String> described(List<Map.Entry<Object, Object>> skipped) {
    List<String> words = new ArrayList<>();
    skipped.stream().limit(MOST_NAMED).forEach(entry -> words.add(describe(entry)));
    if (skipped.size() > MOST_NAMED) {
      words.add("and " + (skipped.size() - MOST_NAMED) + " more");
    }
    return words;
  }

  private static String describe(Map.Entry<Object, Object> entry) {
    String name =
        entry.getKey() instanceof String text
            ? printable(text)
            : PickleValue.kindOf(entry.getKey());
    return name + " (" + PickleValue.kindOf(entry.getValue()) + ")";
  }
}
