package org.repopt4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.repopt4j.runtime.CudaLibraries;
import org.repopt4j.runtime.CudaLibrary.Need;

/** What {@code repopt doctor} says of NVIDIA's libraries. */
final class CudaFacts {
  private CudaFacts() {}

  static Map<String, Object> now() {
    CudaLibraries libraries = CudaLibraries.ofThisMachine();
    List<Map<String, String>> rows = new ArrayList<>();
    for (CudaLibraries.Finding finding : libraries.find()) {
      Map<String, String> row = new LinkedHashMap<>();
      row.put("library", finding.library().file());
      row.put("needed for", purpose(finding.library().feature(), finding.library().need()));
      row.put(
          "found",
          finding
              .path()
              .map(path -> path + (finding.loaded() ? ", loaded" : ""))
              .orElse("missing: " + finding.library().source()));
      rows.add(row);
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("libraries", rows);
    facts.put("looked in", libraries.folders().stream().map(Object::toString).toList());
    return facts;
  }

  private static String purpose(String feature, Need need) {
    return need == Need.LOADING ? feature + ", and for CUDA to load at all" : feature;
  }
}
