package org.repopt4j.crosscheck;

import com.fasterxml.jackson.databind.JsonNode;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.runtime.StepScope;

/** SHA-256 of a tensor's bytes, row by row: equal hashes are equal values, bit for bit. */
final class TensorHash {
  private TensorHash() {}

  static String of(Tensor tensor) {
    try (StepScope scope = StepScope.open()) {
      Tensor plain = tensor.detach().contiguous();
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      long bytes = plain.numel() * plain.element_size();
      if (bytes > 0) { // an empty tensor has no data pointer
        digest.update(new BytePointer(plain.data_ptr()).capacity(bytes).asByteBuffer());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has SHA-256
    }
  }

  /** Compares names, their order, and every tensor with an object of hashes by name. */
  static Difference compare(Map<String, Tensor> ours, JsonNode official) {
    List<String> names = new ArrayList<>();
    official.fieldNames().forEachRemaining(names::add);
    long values = ours.values().stream().mapToLong(Tensor::numel).sum();
    boolean equal =
        names.equals(new ArrayList<>(ours.keySet()))
            && ours.entrySet().stream()
                .allMatch(e -> of(e.getValue()).equals(official.get(e.getKey()).asText()));
    return Difference.exact(equal, values);
  }
}
