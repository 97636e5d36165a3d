package org.repopt4j.testkit;

import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;
import org.repopt4j.runtime.Natives;

/** Loads libtorch the way the library does before any test touches a class of the presets. */
public final class NativesBeforeTests implements LauncherSessionListener {
  @Override
  public void launcherSessionOpened(LauncherSession session) {
    Natives.load();
  }
}
