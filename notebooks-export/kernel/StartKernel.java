import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.logging.LogManager;
import org.rapaio.jupyter.kernel.channels.Channels;
import org.rapaio.jupyter.kernel.channels.LoopThread;
import org.rapaio.jupyter.kernel.core.ConnectionProperties;
import org.rapaio.jupyter.kernel.core.RapaioKernel;
import org.rapaio.jupyter.kernel.core.Transform;

/**
 * Starts rapaio-jupyter-kernel 2.3.0 so that it answers every time. Its own main class leaves a
 * deaf kernel behind in about one start of five, because a channel's thread dies: either it runs
 * before its {@code running} flag is set, or a message arrives before the message handlers are
 * there. Here the channels whose thread has died get a new one once all is set up; Jupyter repeats
 * the message that was lost.
 *
 * <p>Run by {@code export.sh} as {@code java -cp KERNEL.jar StartKernel.java CONNECTION_FILE}.
 */
public final class StartKernel {
  private StartKernel() {}

  public static void main(String[] args) throws Exception {
    LogManager.getLogManager().reset();
    ConnectionProperties connection =
        Transform.fromJson(Files.readString(Path.of(args[0])), ConnectionProperties.class);
    Channels channels = new Channels(connection);
    channels.connect(new RapaioKernel());
    // A thread that lost one of the races is gone within milliseconds.
    Thread.sleep(500);
    for (String name : List.of("heartbeat", "shell", "control")) {
      Object channel = field(Channels.class, name).get(channels);
      Field loop = field(channel.getClass(), "loopThread");
      LoopThread thread = (LoopThread) loop.get(channel);
      if (!thread.isAlive()) {
        LoopThread fresh = again(thread);
        loop.set(channel, fresh);
        fresh.start();
      }
    }
    channels.joinUntilClose();
  }

  /** A thread with the same name, pause and body, whose {@code running} flag is set already. */
  private static LoopThread again(LoopThread dead) throws ReflectiveOperationException {
    long sleep = field(LoopThread.class, "sleep").getLong(dead);
    Runnable body = (Runnable) field(LoopThread.class, "loopBody").get(dead);
    LoopThread fresh = new LoopThread(dead.getName(), sleep, body);
    field(LoopThread.class, "running").setBoolean(fresh, true);
    return fresh;
  }

  private static Field field(Class<?> type, String name) throws NoSuchFieldException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field;
  }
}
