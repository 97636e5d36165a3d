package org.repopt4j.train;

import static com.google.common.base.Preconditions.checkArgument;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.repopt4j.checkpoint.FolderLock;
import org.repopt4j.io.AtomicFile;
import org.repopt4j.io.StateDicts;
import org.repopt4j.nn.Network;

/**
 * The folder that a run leaves:
 *
 * <ul>
 *   <li>{@code args.yaml}: the settings, under the names of the command line's options;
 *   <li>{@code summary.csv}: one row an epoch, see {@link EpochRow}; a value that was not measured
 *       is empty;
 *   <li>{@code last.safetensors}, {@code best.safetensors}: the network's state under the official
 *       names, with architecture, mode, classes, epoch and accuracy in the file's metadata; {@code
 *       last-ema.safetensors}, {@code best-ema.safetensors} where a moving average is kept;
 *   <li>{@code checkpoints/}: what the run can go on from ({@link
 *       org.repopt4j.checkpoint.Checkpoint});
 *   <li>{@code .lock}: empty; held by the process that writes here.
 * </ul>
 */
public final class RunFolder {
  private static final String ARGS = "args.yaml";
  private static final String SUMMARY = "summary.csv";
  private static final String HEADER =
      "epoch,train_loss,train_top1,eval_loss,eval_top1,eval_top5,ema_top1,lr,images_per_second,seconds\n";

  private final Path path;
  private final boolean fresh;

  private RunFolder(Path path, boolean fresh) {
    this.path = path;
    this.fresh = fresh;
  }

  /**
   * The folder of a run that is about to begin. Nothing is written yet.
   *
   * @throws IllegalArgumentException if it holds a run already, or cannot be a folder
   */
  public static RunFolder check(Path path) {
    RunFolder folder = new RunFolder(path, /* fresh= */ true);
    folder.checkPlace();
    folder.checkFresh();
    return folder;
  }

  /**
   * The folder of a run that is to go on, or to begin if there is nothing to go on from. Nothing is
   * written yet.
   *
   * @throws IllegalArgumentException if it cannot be a folder
   */
  public static RunFolder open(Path path) {
    RunFolder folder = new RunFolder(path, /* fresh= */ false);
    folder.checkPlace();
    return folder;
  }

  private void checkFresh() {
    checkArgument(
        !Files.exists(path.resolve(ARGS))
            && !Files.exists(path.resolve(SUMMARY))
            && isEmpty(checkpoints()),
        "--output %s holds a run already; go on with it by --resume auto, or name another folder",
        path);
  }

  private static boolean isEmpty(Path folder) {
    String[] names = folder.toFile().list();
    return names == null || names.length == 0;
  }

  private void checkPlace() {
    checkArgument(
        !Files.exists(path) || Files.isDirectory(path),
        "--output %s is a file; name a folder",
        path);
    Path existing = path.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    checkArgument(
        existing != null && Files.isDirectory(existing) && Files.isWritable(existing),
        "--output %s cannot be made: %s is not a folder that can be written",
        path,
        existing);
    checkArgument(
        Files.notExists(checkpoints(), LinkOption.NOFOLLOW_LINKS)
            || Files.isDirectory(checkpoints()),
        "--output %s holds a file named checkpoints, where a folder must be; rename it",
        path);
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /** Where its checkpoints are. */
  Path checkpoints() {
    return path.resolve("checkpoints");
  }

  /** Whether there are such weights, for example {@code best-ema}. */
  boolean holdsWeights(String name) {
    return Files.exists(path.resolve(name + ".safetensors"));
  }

  /** Makes the folder, for this process alone, and removes what a killed one left half written. */
  FolderLock lock() throws IOException {
    Files.createDirectories(path);
    FolderLock lock = FolderLock.take(path);
    try {
      if (fresh) {
        // Another run may have come and gone since this one looked.
        checkFresh();
      }
      AtomicFile.clean(path);
      return lock;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** Writes the settings and the summary of the epochs that are done into the locked folder. */
  void begin(TrainConfig config, List<EpochRow> done) throws IOException {
    AtomicFile.write(
        path.resolve(ARGS),
        text(new ObjectMapper(new YAMLFactory()).writeValueAsString(Arguments.of(config))));
    summary(done);
  }

  /** Writes the summary of these epochs, which a crash leaves as it was or as it is to be. */
  void summary(List<EpochRow> rows) throws IOException {
    StringBuilder all = new StringBuilder(HEADER);
    for (EpochRow row : rows) {
      all.append(line(row));
    }
    AtomicFile.write(path.resolve(SUMMARY), text(all.toString()));
  }

  private static AtomicFile.Body text(String content) {
    return AtomicFile.bytes(content.getBytes(StandardCharsets.UTF_8));
  }

  private static String line(EpochRow row) {
    return String.format(
        Locale.ROOT,
        "%d,%s,%s,%s,%s,%s,%s,%s,%.1f,%.3f\n",
        row.epoch(),
        number(row.trainLoss()),
        number(row.trainTop1()),
        number(row.evalLoss()),
        number(row.evalTop1()),
        number(row.evalTop5()),
        number(row.emaTop1()),
        Double.toString(row.lr()),
        row.imagesPerSecond(),
        row.seconds());
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.6f", value);
  }

  /**
   * Writes the last weights and, if they are the best so far, the best; network and moving average
   * each have a best epoch of their own.
   */
  void save(Session session, int epoch, EpochRow row, boolean best, boolean bestEma)
      throws IOException {
    write("last", session.network(), session, epoch, row.evalTop1(), best);
    if (session.ema().isPresent()) {
      write("last-ema", session.ema().get().network(), session, epoch, row.emaTop1(), bestEma);
    }
  }

  private void write(
      String name, Network network, Session session, int epoch, double top1, boolean best)
      throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.put("architecture", session.config().arch().spec());
    metadata.put("mode", session.config().mode().toString());
    metadata.put("num_classes", Integer.toString(session.numClasses()));
    metadata.put("data", session.config().data().data());
    metadata.put("epoch", Integer.toString(epoch));
    if (!Double.isNaN(top1)) {
      metadata.put("eval_top1", number(top1));
    }
    StateDicts.write(path.resolve(name + ".safetensors"), network.stateDict(), metadata);
    if (best) {
      StateDicts.write(
          path.resolve(name.replace("last", "best") + ".safetensors"),
          network.stateDict(),
          metadata);
    }
  }
}
