package org.repopt4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Uninterruptibles;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.repopt4j.runtime.Tensors;

@Timeout(60)
class EpochTest {
  private final List<Batch> made = new CopyOnWriteArrayList<>();
  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

  private Batch make(int step) {
    threads.add(Thread.currentThread());
    Batch batch =
        new Batch(
            Tensors.of(new float[4], 1, 1, 2, 2), Tensors.of(new long[1], 1), new int[1], step);
    made.add(batch);
    return batch;
  }

  private Epoch epoch(IntFunction<Batch> maker) {
    return new Epoch(maker, 0, 10, 2, 3);
  }

  private void assertThreadsEnd() {
    assertFalse(threads.isEmpty());
    for (Thread thread : threads) {
      assertTrue(thread.isDaemon());
      Uninterruptibles.joinUninterruptibly(thread, Duration.ofSeconds(20));
      assertFalse(thread.isAlive(), () -> "leaked " + thread);
    }
  }

  @Test
  void threadsEndWithTheLastBatchWithoutBeingClosed() {
    int step = 0;
    for (Batch batch : epoch(this::make)) {
      assertEquals(step++, batch.step());
      batch.close();
    }
    assertEquals(10, step);
    assertThreadsEnd();
  }

  @Test
  void closingEarlyStopsTheThreadsAndFreesWhatNobodyTook() {
    Epoch epoch = epoch(this::make);
    Iterator<Batch> batches = epoch.iterator();
    Batch taken = batches.next();
    batches.next().close();
    epoch.close();
    epoch.close();
    assertThreadsEnd();
    assertFalse(taken.images().isNull());
    for (Batch batch : made) {
      assertEquals(batch != taken, batch.images().isNull(), "batch " + batch.step());
      assertEquals(batch != taken, batch.labels().isNull(), "batch " + batch.step());
    }
    taken.close();
    assertFalse(batches.hasNext());
    assertThrows(NoSuchElementException.class, batches::next);
  }

  @Test
  void closingWaitsForTheBatchInTheMakingAndFreesIt() {
    CountDownLatch begun = new CountDownLatch(2);
    Epoch epoch =
        epoch(
            step -> {
              begun.countDown();
              Uninterruptibles.sleepUninterruptibly(Duration.ofMillis(50));
              return make(step);
            });
    Iterator<Batch> unused = epoch.iterator();
    assertTrue(unused.hasNext());
    Uninterruptibles.awaitUninterruptibly(begun);
    epoch.close();
    assertEquals(2, made.size());
    made.forEach(batch -> assertTrue(batch.images().isNull()));
    assertThreadsEnd();
  }

  @Test
  void anEpochThatIsLeftWithoutBeingClosedLosesItsThreads() {
    Epoch epoch = epoch(this::make);
    epoch.iterator().next().close();
    assertThreadsEnd();
    epoch.close();
  }

  @Test
  void atMostSoManyBatchesAreMadeAhead() {
    try (Epoch epoch = epoch(this::make)) {
      Iterator<Batch> batches = epoch.iterator();
      for (int taken = 1; taken <= 4; taken++) {
        batches.next().close();
        while (made.size() < taken + 3) {
          Thread.onSpinWait();
        }
        Uninterruptibles.sleepUninterruptibly(Duration.ofMillis(20));
        assertEquals(taken + 3, made.size());
      }
    }
  }

  @Test
  void aFailureOfAThreadReachesTheConsumerAsItIs() {
    IllegalStateException failure = new IllegalStateException("disk on fire");
    Epoch epoch =
        epoch(
            step -> {
              if (step == 2) {
                throw failure;
              }
              return make(step);
            });
    Iterator<Batch> batches = epoch.iterator();
    batches.next().close();
    batches.next().close();
    assertSame(failure, assertThrows(IllegalStateException.class, batches::next));
    assertFalse(batches.hasNext());
    assertThreadsEnd();
    made.forEach(batch -> assertTrue(batch.images().isNull(), "batch " + batch.step()));
  }

  @Test
  void anErrorOfAThreadReachesTheConsumerAsItIs() {
    OutOfMemoryError failure = new OutOfMemoryError("heap");
    Epoch epoch =
        epoch(
            step -> {
              throw failure;
            });
    Iterator<Batch> batches = epoch.iterator();
    assertSame(failure, assertThrows(OutOfMemoryError.class, batches::next));
  }

  @Test
  void anInterruptedConsumerIsToldAndStaysInterrupted() {
    CountDownLatch never = new CountDownLatch(1);
    Epoch epoch =
        epoch(
            step -> {
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return make(step);
            });
    Iterator<Batch> batches = epoch.iterator();
    Thread.currentThread().interrupt();
    assertThrows(CancellationException.class, batches::next);
    assertTrue(Thread.interrupted(), "the interrupt must not be lost");
    assertThreadsEnd();
    made.forEach(batch -> assertTrue(batch.images().isNull()));
  }

  @Test
  void canBeGoneThroughOnce() {
    try (Epoch epoch = epoch(this::make)) {
      assertTrue(epoch.iterator().hasNext());
      assertThrows(IllegalStateException.class, epoch::iterator);
    }
    Epoch closed = epoch(this::make);
    closed.close();
    assertThrows(IllegalStateException.class, closed::iterator);
  }

  @Test
  void anEmptyRestHasNoBatch() {
    Epoch epoch = new Epoch(this::make, 10, 10, 1, 2);
    assertFalse(epoch.iterator().hasNext());
    epoch.close();
    assertTrue(made.isEmpty());
  }
}
