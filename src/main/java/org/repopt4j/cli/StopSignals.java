package org.repopt4j.cli;

import java.lang.reflect.Proxy;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Turns SIGINT and SIGTERM into a wish to stop after the current step; a second one ends the
 * process at once.
 *
 * <p>One that follows at the heels of the first is no second wish: {@code timeout} and job
 * schedulers send a signal to the process and then to its whole group, to which it belongs.
 *
 * <p>Java's only interface to signals is {@code sun.misc.Signal}, which the compiler warns of; it
 * is reached by reflection, and where it is missing the signals keep their usual effect.
 */
final class StopSignals implements BooleanSupplier {
  private static final int SIGINT = 2;
  private static final int SIGTERM = 15;

  private static final long SAME_NANOS = 100_000_000;

  private final AtomicInteger received = new AtomicInteger();
  private long firstTime;

  private StopSignals() {}

  /** Catches both signals from now on. */
  static StopSignals install() {
    StopSignals signals = new StopSignals();
    signals.handle("INT", SIGINT);
    signals.handle("TERM", SIGTERM);
    return signals;
  }

  private void handle(String name, int number) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, args) -> {
                switch (method.getName()) {
                  case "handle" -> receive(number);
                  case "hashCode" -> {
                    return System.identityHashCode(self);
                  }
                  case "equals" -> {
                    return self == args[0];
                  }
                  default -> {
                    return name;
                  }
                }
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      received.set(0); // Not available here: the signal ends the process as usual.
    }
  }

  private synchronized void receive(int number) {
    if (received.compareAndSet(0, number)) {
      firstTime = System.nanoTime();
    } else if (System.nanoTime() - firstTime > SAME_NANOS) {
      Runtime.getRuntime().halt(128 + number);
    }
  }

  @Override
  public boolean getAsBoolean() {
    return received.get() != 0;
  }

  /** The exit code that tells of the signal, if one came. */
  OptionalInt exitCode() {
    int number = received.get();
    return number == 0 ? OptionalInt.empty() : OptionalInt.of(128 + number);
  }
}
