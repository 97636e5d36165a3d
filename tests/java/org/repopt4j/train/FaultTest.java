package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.repopt4j.testkit.TensorAsserts.assertBitEqual;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.repopt4j.checkpoint.FileStorage;
import org.repopt4j.data.CorruptImageException;
import org.repopt4j.data.ImageDataSet;
import org.repopt4j.data.Split;
import org.repopt4j.nn.Mode;
import org.repopt4j.runtime.NoGrad;
import org.repopt4j.testkit.TinyRun;
import org.repopt4j.train.CheckpointSettings.Interval;
import org.repopt4j.train.CheckpointSettings.OnDiskFull;
import org.repopt4j.train.CheckpointSettings.OnNan;

/** Losses that are no numbers, images that cannot be read, failures in the middle of a run. */
class FaultTest {
  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();
  private Session session;
  private Runnable beforeCheckpoint = () -> {};

  private static CheckpointSettings settings(OnNan onNan, int badSamples, String resume) {
    return new CheckpointSettings(
        Interval.parse("2"),
        2,
        Optional.ofNullable(resume),
        false,
        true,
        onNan,
        badSamples,
        OnDiskFull.CONTINUE);
  }

  private TrainResult train(
      TrainConfig config, CheckpointSettings settings, Split data, BooleanSupplier afterStep)
      throws IOException {
    session = TinyTraining.session(config, data, settings);
    TrainListener listener =
        new TrainListener() {
          @Override
          public synchronized void notice(String sentence) {
            notices.add(sentence);
          }

          @Override
          public void checkpointBegun(long step) {
            beforeCheckpoint.run();
          }
        };
    return new Trainer(config, session, settings, new FileStorage(), listener, afterStep).run();
  }

  /** Makes the next loss a NaN. */
  private void spoil() {
    try (NoGrad noGrad = NoGrad.open();
        Scalar nan = new Scalar(Double.NaN)) {
      session.network().stateDict().get("linear.bias").fill_(nan);
    }
  }

  @Test
  void aLossThatIsNoNumberEndsTheRunAndSaysWhere() {
    AtomicInteger asked = new AtomicInteger();
    TrainConfig config = TinyRun.config(Mode.HS, folder.resolve("run"));
    TrainingDivergedException stopped =
        assertThrows(
            TrainingDivergedException.class,
            () ->
                train(
                    config,
                    settings(OnNan.STOP, 0, null),
                    TinyRun.data(),
                    () -> {
                      if (asked.incrementAndGet() == 4) {
                        spoil();
                      }
                      return false;
                    }));
    assertTrue(stopped.getMessage().contains("epoch 0, batch 4 (samples "), stopped::getMessage);
    assertTrue(stopped.getMessage().contains("the last good checkpoint is"), stopped::getMessage);
  }

  @Test
  void rollbackGoesBackAndPassesOverTheBatch() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    TrainConfig config = TinyRun.config(Mode.HS, folder.resolve("run"));
    TrainResult result =
        train(
            config,
            settings(OnNan.ROLLBACK, 0, null),
            TinyRun.data(),
            () -> {
              // After the fifth step, of which there is no checkpoint.
              if (asked.incrementAndGet() == 5) {
                spoil();
              }
              return false;
            });
    assertTrue(
        notices.stream().anyMatch(n -> n.contains("batch 5") && n.contains("back to step ")),
        notices::toString);
    assertEquals(1, result.last().epoch());
    assertTrue(Double.isFinite(result.last().trainLoss()));
  }

  @Test
  void skippingForEverEndsTheRun() {
    TrainConfig config = TinyRun.with(TinyRun.config(Mode.HS, folder), "schedule.epochs", 9);
    AtomicInteger asked = new AtomicInteger();
    assertThrows(
        TrainingDivergedException.class,
        () ->
            train(
                config,
                settings(OnNan.SKIP, 0, null),
                TinyRun.data(),
                () -> {
                  if (asked.incrementAndGet() == 2) {
                    spoil();
                  }
                  return false;
                }));
    assertEquals(10, notices.stream().filter(n -> n.contains("passed over")).count());
  }

  @Test
  void whatIsSavedOnAnErrorGoesOnAsIfThereHadBeenNone() throws IOException {
    TrainConfig whole = exact("whole");
    train(whole, settings(OnNan.STOP, 0, null), TinyRun.data(), () -> false);
    Map<String, Tensor> expected = TinyTraining.state(session.network());
    TrainConfig broken = exact("broken");
    Split failing = failing(TinyRun.data());
    assertThrows(
        IllegalStateException.class,
        () -> train(broken, settings(OnNan.STOP, 0, null), failing, () -> false));
    train(broken, settings(OnNan.STOP, 0, "auto"), TinyRun.data(), () -> false);
    TinyTraining.state(session.network())
        .forEach((name, value) -> assertBitEqual(name, expected.get(name), value));
  }

  /** No checkpoint can be taken either: what ended the run is what is told. */
  @Test
  void theErrorThatEndedTheRunIsTheOneThatIsTold() {
    beforeCheckpoint =
        () -> {
          throw new IllegalStateException("the second");
        };
    IllegalStateException ended =
        assertThrows(
            IllegalStateException.class,
            () ->
                train(
                    exact("both"),
                    settings(OnNan.STOP, 0, null),
                    TinyRun.data(),
                    () -> {
                      throw new IllegalStateException("the first");
                    }));
    assertEquals("the first", ended.getMessage());
    assertEquals("the second", ended.getSuppressed()[0].getMessage());
  }

  /** The scales' file is needed at the start only. */
  @Test
  void aFileThatIsGoneDuringTheRunDoesNotEndIt() throws IOException {
    Path scales = folder.resolve("scales.safetensors");
    org.repopt4j.search.ScalesFile.write(scales, TinyTraining.scales(3), Map.of());
    TrainConfig config = TinyRun.with(exact("gone"), "scales", scales);
    train(
        config,
        settings(OnNan.STOP, 0, null),
        TinyRun.data(),
        () -> {
          try {
            java.nio.file.Files.deleteIfExists(scales);
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
          return false;
        });
    assertTrue(java.nio.file.Files.exists(folder.resolve("gone/last.safetensors")));
  }

  private TrainConfig exact(String name) {
    return TinyRun.with(
        TinyRun.config(Mode.TARGET, folder.resolve(name)), "run.deterministic", true);
  }

  /** Images whose 30th reading fails. */
  private static Split failing(Split data) {
    AtomicInteger reads = new AtomicInteger();
    return new Split(
        reading(
            data.train(),
            index -> {
              if (reads.incrementAndGet() == 30) {
                throw new IllegalStateException("the network share is gone");
              }
            }),
        data.test());
  }

  @Test
  void imagesThatCannotBeReadArePassedOverUpToANumber() throws IOException {
    Split bad =
        new Split(
            reading(
                TinyRun.data().train(),
                index -> {
                  if (index == 3 || index == 40) {
                    throw new CorruptImageException("image " + index + " is cut short");
                  }
                }),
            TinyRun.data().test());
    TrainConfig config = TinyRun.config(Mode.HS, folder.resolve("run"));
    train(config, settings(OnNan.STOP, 2, null), bad, () -> false);
    assertEquals(2, notices.stream().filter(n -> n.contains("is passed over")).count());
    TrainConfig other = TinyRun.config(Mode.HS, folder.resolve("other"));
    CorruptImageException refused =
        assertThrows(
            CorruptImageException.class,
            () -> train(other, settings(OnNan.STOP, 1, null), bad, () -> false));
    assertTrue(refused.getMessage().contains("--max-bad-samples 1"), refused::getMessage);
  }

  /** A training image and a test image of one number are two images. */
  @Test
  void badImagesOfBothSetsCount() throws IOException {
    java.util.function.IntConsumer third =
        index -> {
          if (index == 3) {
            throw new CorruptImageException("image 3 is cut short");
          }
        };
    Split bad =
        new Split(reading(TinyRun.data().train(), third), reading(TinyRun.data().test(), third));
    train(
        TinyRun.config(Mode.HS, folder.resolve("two")),
        settings(OnNan.STOP, 2, null),
        bad,
        () -> false);
    assertEquals(2, notices.stream().filter(n -> n.contains("is passed over")).count());
    TrainConfig other = TinyRun.config(Mode.HS, folder.resolve("one"));
    assertThrows(
        CorruptImageException.class,
        () -> train(other, settings(OnNan.STOP, 1, null), bad, () -> false));
  }

  private static ImageDataSet reading(ImageDataSet images, java.util.function.IntConsumer before) {
    return (ImageDataSet)
        java.lang.reflect.Proxy.newProxyInstance(
            FaultTest.class.getClassLoader(),
            new Class<?>[] {ImageDataSet.class},
            (self, method, args) -> {
              if (method.getName().equals("read")) {
                before.accept((Integer) args[0]);
              }
              try {
                return method.invoke(images, args);
              } catch (java.lang.reflect.InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
