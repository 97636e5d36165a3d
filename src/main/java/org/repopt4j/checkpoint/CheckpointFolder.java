package org.repopt4j.checkpoint;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.repopt4j.io.AtomicFile;
import org.repopt4j.io.FileErrors;
import org.repopt4j.io.SafetensorsReader;
import org.repopt4j.io.SafetensorsWriter;
import org.repopt4j.runtime.StepScope;

/** The checkpoints of one run, in one folder. Not for use by several threads at once. */
public final class CheckpointFolder {
  private static final String WRITING = ".writing-";
  private static final Pattern NAME = Pattern.compile("step-(\\d{12,18})(?:-(\\d{1,9}))?");

  private final Path root;
  private final CheckpointStorage storage;
  private final Set<Path> damaged = new HashSet<>();

  private record Place(Path path, long step, long turn) implements Comparable<Place> {
    static Optional<Place> of(Path path) {
      Matcher name = NAME.matcher(path.getFileName().toString());
      if (!name.matches()) {
        return Optional.empty();
      }
      long turn = name.group(2) == null ? 1 : Long.parseLong(name.group(2));
      return Optional.of(new Place(path, Long.parseLong(name.group(1)), turn));
    }

    @Override
    public int compareTo(Place other) {
      return turn != other.turn ? Long.compare(turn, other.turn) : Long.compare(step, other.step);
    }
  }

  /**
   * Checkpoints in this folder, which is made when it is needed; the run's own, in which it is,
   * must be there.
   */
  public CheckpointFolder(Path root, CheckpointStorage storage) {
    this.root = root;
    this.storage = storage;
  }

  /** Where they are. */
  public Path root() {
    return root;
  }

  /** Removes what a crash left half written. */
  public void clean() throws IOException {
    for (Path entry : storage.list(root)) {
      if (entry.getFileName().toString().startsWith(WRITING)) {
        storage.delete(entry);
      }
    }
  }

  /**
   * Writes a checkpoint. When this returns, it survives a crash.
   *
   * @return its folder
   * @throws IOException if it cannot be written; then those that were there are unharmed, and what
   *     was begun is gone as far as the disk allows
   */
  public Path write(Checkpoint checkpoint) throws IOException {
    storage.createFolder(root);
    Path writing = root.resolve(WRITING + UUID.randomUUID());
    try (StepScope scope = StepScope.open()) {
      storage.createFolder(writing);
      Map<String, Manifest.Entry> files = new LinkedHashMap<>();
      for (Map.Entry<String, Map<String, Tensor>> group : checkpoint.tensors().entrySet()) {
        String name = Manifest.fileOf(group.getKey());
        HashedBody body = new HashedBody(SafetensorsWriter.body(group.getValue(), Map.of()));
        storage.write(writing.resolve(name), body);
        files.put(name, body.entry());
      }
      byte[] json =
          new Manifest(
                  checkpoint.step(),
                  checkpoint.values(),
                  checkpoint.configuration(),
                  checkpoint.versions(),
                  files)
              .json();
      storage.write(writing.resolve(Manifest.FILE), AtomicFile.bytes(json));
      byte[] hash = (Manifest.hash(json) + "\n").getBytes(StandardCharsets.US_ASCII);
      storage.write(writing.resolve(Manifest.HASH), AtomicFile.bytes(hash));
      // All at the end: a disk forces many files in little more time than one.
      for (Path file : storage.list(writing)) {
        storage.sync(file);
      }
      storage.sync(writing);
      Path place = free(checkpoint.step());
      storage.rename(writing, place);
      storage.sync(root);
      return place;
    } catch (IOException | RuntimeException | Error e) {
      discard(writing, e);
      throw e;
    }
  }

  private void discard(Path writing, Throwable why) {
    try {
      storage.delete(writing);
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private Path free(long step) throws IOException {
    checkArgument(step >= 0, "a step must not be negative, got: %s", step);
    List<Place> places = places();
    long turn = 1;
    if (!places.isEmpty()) {
      Place newest = places.get(places.size() - 1);
      turn = newest.step < step ? newest.turn : newest.turn + 1;
    }
    String name = String.format(Locale.ROOT, "step-%012d", step);
    return root.resolve(turn == 1 ? name : name + "-" + turn);
  }

  private List<Place> places() throws IOException {
    List<Place> places = new ArrayList<>();
    for (Path entry : storage.list(root)) {
      Place.of(entry).ifPresent(places::add);
    }
    Collections.sort(places);
    return places;
  }

  /** All checkpoints by name, whether whole or not, the newest last. */
  public List<Path> list() throws IOException {
    return places().stream().map(Place::path).toList();
  }

  /**
   * Deletes all but the newest ones. Those that were found damaged do not count and go as soon as
   * newer whole ones are enough.
   *
   * @param keep at least 2
   */
  public void prune(int keep) throws IOException {
    checkArgument(keep >= 2, "at least 2 checkpoints must be kept, got: %s", keep);
    List<Place> places = places();
    Collections.reverse(places);
    int whole = 0;
    for (Place place : places) {
      if (whole >= keep) {
        // By another name first: a crash in the middle must leave no half of a checkpoint.
        Path rubbish = root.resolve(WRITING + UUID.randomUUID());
        storage.rename(place.path, rubbish);
        storage.sync(root);
        storage.delete(rubbish);
      }
      whole += damaged.contains(place.path) ? 0 : 1;
    }
  }

  /**
   * The newest checkpoint that verifies.
   *
   * @param skipped told one sentence for each newer one that does not
   */
  public Optional<Checkpoint> newest(Consumer<String> skipped) throws IOException {
    List<Place> places = places();
    Collections.reverse(places);
    for (Place place : places) {
      try {
        return Optional.of(read(place.path));
      } catch (IOException e) {
        damaged.add(place.path);
        skipped.accept(
            "checkpoint " + place.path.getFileName() + " is skipped: " + FileErrors.sentence(e));
      }
    }
    return Optional.empty();
  }

  /** Whether a folder looks like a checkpoint, which may be damaged all the same. */
  public static boolean isOne(Path folder) {
    return Files.isRegularFile(folder.resolve(Manifest.FILE));
  }

  /**
   * Verifies one checkpoint.
   *
   * @throws IOException with one sentence, if it is missing or damaged
   */
  public static void verify(Path folder) throws IOException {
    Manifest.read(folder).verifyFiles(folder);
  }

  /**
   * Reads one checkpoint after verifying all of it.
   *
   * @throws IOException with one sentence, if it is missing or damaged
   */
  public static Checkpoint read(Path folder) throws IOException {
    Manifest manifest = Manifest.read(folder);
    manifest.verifyFiles(folder);
    Map<String, Map<String, Tensor>> tensors = new LinkedHashMap<>();
    for (String file : manifest.files().keySet()) {
      try (SafetensorsReader reader = SafetensorsReader.open(folder.resolve(file))) {
        tensors.put(Manifest.groupOf(file), reader.readAll().tensors());
      } catch (IOException | RuntimeException e) {
        tensors.values().forEach(group -> group.values().forEach(Tensor::close));
        throw e;
      }
    }
    return new Checkpoint(
        manifest.step(), manifest.values(), manifest.configuration(), manifest.versions(), tensors);
  }
}
