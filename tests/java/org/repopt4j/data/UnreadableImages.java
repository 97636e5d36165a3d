package org.repopt4j.data;

import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.Ints;
import java.util.List;
import java.util.Set;

/** A data set some of whose images cannot be read. */
final class UnreadableImages implements ImageDataSet {
  private final ImageDataSet images;
  private final Set<Integer> unreadable;

  UnreadableImages(ImageDataSet images, int... unreadable) {
    this.images = images;
    this.unreadable = ImmutableSet.copyOf(Ints.asList(unreadable));
  }

  @Override
  public void read(int index, byte[] into, int offset) {
    if (unreadable.contains(index)) {
      throw new CorruptImageException("cut short");
    }
    images.read(index, into, offset);
  }

  @Override
  public String name() {
    return images.name();
  }

  @Override
  public int size() {
    return images.size();
  }

  @Override
  public List<String> classNames() {
    return images.classNames();
  }

  @Override
  public int channels() {
    return images.channels();
  }

  @Override
  public int height() {
    return images.height();
  }

  @Override
  public int width() {
    return images.width();
  }

  @Override
  public int label(int index) {
    return images.label(index);
  }

  @Override
  public Normalization normalization() {
    return images.normalization();
  }

  @Override
  public Augmentation augmentation() {
    return images.augmentation();
  }
}
