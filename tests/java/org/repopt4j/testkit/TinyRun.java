package org.repopt4j.testkit;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.repopt4j.csla.UpdateRule;
import org.repopt4j.data.Augmentation;
import org.repopt4j.data.InMemoryImages;
import org.repopt4j.data.Normalization;
import org.repopt4j.data.Split;
import org.repopt4j.nn.Architecture;
import org.repopt4j.nn.Mode;
import org.repopt4j.train.DataSettings;
import org.repopt4j.train.OptimSettings;
import org.repopt4j.train.RunSettings;
import org.repopt4j.train.RunSettings.Precision;
import org.repopt4j.train.ScheduleSettings;
import org.repopt4j.train.ScheduleSettings.Curve;
import org.repopt4j.train.TrainConfig;

/** A training run that takes a blink: five blocks of 8 channels and a few dozen small images. */
public final class TinyRun {
  /** Stages 1 and 4 have an identity branch, the others have not. */
  public static final Architecture ARCHITECTURE =
      Architecture.custom(
          List.of(1, 1, 1, 1), List.of(0.125, 0.0625, 0.03125, 0.015625), List.of(1, 1, 2, 2, 1));

  /** Classes of the images. */
  public static final List<String> CLASSES = List.of("a", "b", "c", "d", "e", "f");

  private static final int SIDE = 16;

  private TinyRun() {}

  /** SGD on batches of 8 for two epochs at a constant rate of 0.05, on one thread. */
  public static TrainConfig config(Mode mode, Path output) {
    return new TrainConfig(
        ARCHITECTURE,
        mode,
        null,
        new DataSettings("tiny", null, 8, 7, 1, false, false),
        new OptimSettings(
            UpdateRule.SGD, 0.05 * 256 / 8, 0.9, 0.9, 0.999, 1e-8, 4e-5, 0, false, 1, 0.1),
        new ScheduleSettings(Curve.CONSTANT, 2, 0, 0, 0, 1, 0.1),
        new RunSettings("cpu", Precision.FP32, false, false, 1, false, 7, 0, 1, output));
  }

  /**
   * The same settings but one.
   *
   * @param path for example {@code optim.lr}
   */
  public static <R extends Record> R with(R settings, String path, Object value) {
    int dot = path.indexOf('.');
    String name = dot < 0 ? path : path.substring(0, dot);
    RecordComponent[] components = settings.getClass().getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    Object[] values = new Object[components.length];
    boolean found = false;
    try {
      for (int i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        values[i] = components[i].getAccessor().invoke(settings);
        if (components[i].getName().equals(name)) {
          found = true;
          values[i] = dot < 0 ? value : with((Record) values[i], path.substring(dot + 1), value);
        }
      }
      if (!found) {
        throw new AssertionError(settings.getClass() + " has no " + name);
      }
      @SuppressWarnings("unchecked")
      Constructor<R> constructor = (Constructor<R>) settings.getClass().getConstructor(types);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /** 48 training and 20 test images: a pattern for each class, and noise. */
  public static Split data() {
    return new Split(images(48, 1), images(20, 2));
  }

  private static InMemoryImages images(int count, long seed) {
    int[] labels = new int[count];
    byte[] pixels = new byte[count * 3 * SIDE * SIDE];
    Random noise = new Random(seed);
    for (int i = 0; i < count; i++) {
      labels[i] = i % CLASSES.size();
      byte[] image = image(labels[i], SIDE, noise);
      System.arraycopy(image, 0, pixels, i * image.length, image.length);
    }
    return InMemoryImages.of(
        "tiny",
        CLASSES,
        3,
        SIDE,
        SIDE,
        pixels,
        labels,
        Normalization.CIFAR100,
        new Augmentation(1, false));
  }

  /** Four tiles in each channel, whose greys are the class's, and noise of a quarter. */
  private static byte[] image(int label, int side, Random noise) {
    Random tones = new Random(100 + label);
    byte[] image = new byte[3 * side * side];
    for (int channel = 0; channel < 3; channel++) {
      int[] tiles = tones.ints(4, 0, 256).toArray();
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          int tile = tiles[2 * (2 * y / side) + 2 * x / side];
          image[(channel * side + y) * side + x] = (byte) ((3 * tile + noise.nextInt(256)) / 4);
        }
      }
    }
    return image;
  }

  /** A folder with 50 training and 20 test images in CIFAR-10's layout. */
  public static Path cifar10(Path folder) throws IOException {
    Files.createDirectories(folder);
    Random noise = new Random(3);
    for (int batch = 1; batch <= 5; batch++) {
      write(folder.resolve("data_batch_" + batch + ".bin"), 10, noise);
    }
    write(folder.resolve("test_batch.bin"), 20, noise);
    Files.write(folder.resolve("batches.meta.txt"), List.of("a b c d e f g h i j".split(" ")));
    return folder;
  }

  private static void write(Path file, int count, Random noise) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < count; i++) {
        out.write(i % 10);
        out.write(image(i % 10, 32, noise));
      }
    }
  }
}
