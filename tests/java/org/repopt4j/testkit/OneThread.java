package org.repopt4j.testkit;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.repopt4j.runtime.Natives;

/** Runs a test class with one thread for each operator, so that sums have one order. */
public final class OneThread implements BeforeAllCallback, AfterAllCallback {
  private int before;

  @Override
  public void beforeAll(ExtensionContext context) {
    before = Natives.threads();
    Natives.threads(1);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    Natives.threads(before);
  }
}
