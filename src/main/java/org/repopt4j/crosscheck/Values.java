package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.Streams;
import java.util.List;

/** Arrays of the manifest as Java has them. */
final class Values {
  private Values() {}

  static List<Integer> integers(JsonNode array) {
    return Streams.stream(array).map(JsonNode::asInt).collect(ImmutableList.toImmutableList());
  }

  static List<Double> doubles(JsonNode array) {
    return Streams.stream(array).map(JsonNode::asDouble).collect(ImmutableList.toImmutableList());
  }

  static List<String> texts(JsonNode array) {
    return Streams.stream(array).map(JsonNode::asText).collect(ImmutableList.toImmutableList());
  }

  static long[] shape(JsonNode array) {
    return Streams.stream(array).mapToLong(JsonNode::asLong).toArray();
  }
}
