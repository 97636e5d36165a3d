package org.repopt4j.data;

import static com.google.common.base.Preconditions.checkState;

import com.google.common.base.Throwables;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import com.google.common.util.concurrent.Uninterruptibles;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/**
 * The batches of an epoch, to be gone through once by one thread, while others make the next ones.
 *
 * <p>Its threads end with the last batch, with the first failure, or with {@link #close}, which
 * also frees the batches that were made but not handed out. What was handed out is the caller's to
 * close.
 */
public final class Epoch implements Iterable<Batch>, AutoCloseable {
  /** An epoch that was left without being closed must not hold its threads for ever. */
  private static final long IDLE_SECONDS = 1;

  private final IntFunction<Batch> maker;
  private final int end;
  private final int prefetch;
  private final ThreadPoolExecutor workers;
  private final Queue<Future<Batch>> pending = new ArrayDeque<>();
  private int submitted;
  private boolean iterated;

  /** Batches {@code start} to {@code end - 1}, each made by {@code maker} on a worker's thread. */
  Epoch(IntFunction<Batch> maker, int start, int end, int threads, int prefetch) {
    this.maker = maker;
    this.end = end;
    this.prefetch = prefetch;
    this.submitted = start;
    this.workers =
        new ThreadPoolExecutor(
            threads,
            threads,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            new ThreadFactoryBuilder().setDaemon(true).setNameFormat("batch-loader-%d").build());
    workers.allowCoreThreadTimeOut(true);
  }

  /**
   * Goes through the batches. {@code next()} throws what the making of the batch threw, and {@link
   * CancellationException} if this thread was interrupted (it still is then); both close the epoch.
   *
   * @throws IllegalStateException if it was called before, or the epoch is closed
   */
  @Override
  public Iterator<Batch> iterator() {
    checkState(!iterated, "an epoch can be gone through once; ask the loader for a new one");
    checkState(!workers.isShutdown(), "the epoch is closed");
    iterated = true;
    submit();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return !pending.isEmpty();
      }

      @Override
      public Batch next() {
        return take();
      }
    };
  }

  private void submit() {
    while (submitted < end && pending.size() < prefetch) {
      int step = submitted++;
      pending.add(workers.submit(() -> maker.apply(step)));
    }
    if (submitted == end) {
      workers.shutdown();
    }
  }

  private Batch take() {
    Future<Batch> first = pending.poll();
    if (first == null) {
      throw new NoSuchElementException("the epoch has no more batches");
    }
    submit();
    try {
      Batch batch = first.get();
      bring(batch);
      return batch;
    } catch (ExecutionException e) {
      close();
      Throwables.throwIfUnchecked(e.getCause());
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      pending.add(first);
      close();
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException("interrupted while waiting for a batch");
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  /**
   * To its device, and sends the next one after it, if that is made: its copy goes on meanwhile.
   */
  private void bring(Batch batch) {
    try {
      batch.arrive();
      Future<Batch> next = pending.peek();
      if (next != null && next.isDone()) {
        Futures.getDone(next).depart();
      }
    } catch (ExecutionException e) {
      // The next one could not be made, which is told when it is asked for.
      return;
    } catch (RuntimeException | Error e) {
      batch.close();
      close();
      throw e;
    }
  }

  /** Stops the threads and frees the batches that nobody took. */
  @Override
  public void close() {
    workers.shutdownNow();
    Uninterruptibles.awaitTerminationUninterruptibly(workers);
    for (Future<Batch> made : pending) {
      if (made.isDone()) {
        free(made);
      }
    }
    pending.clear();
  }

  private static void free(Future<Batch> made) {
    try {
      Futures.getDone(made).close();
    } catch (ExecutionException e) {
      // Nobody asked for this batch, so nobody is to be told that it could not be made.
      return;
    }
  }
}
