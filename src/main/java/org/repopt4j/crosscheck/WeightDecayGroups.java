package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.Streams;
import java.util.List;
import org.repopt4j.optim.ParameterGroups;

/** The names in the groups with and without weight decay (official {@code set_weight_decay}). */
final class WeightDecayGroups {
  private WeightDecayGroups() {}

  static void compare(Findings findings, String mode, Subject subject, JsonNode official) {
    List<List<String>> ours =
        ParameterGroups.official(subject.parameters(), 1e-4).groups().stream()
            .<List<String>>map(group -> ImmutableList.copyOf(group.parameters().keySet()))
            .collect(ImmutableList.toImmutableList());
    List<List<String>> theirs =
        Streams.stream(official).map(Values::texts).collect(ImmutableList.toImmutableList());
    long names = theirs.stream().mapToLong(List::size).sum();
    findings.bitEqual("weight-decay groups", mode, Difference.exact(ours.equals(theirs), names));
  }
}
