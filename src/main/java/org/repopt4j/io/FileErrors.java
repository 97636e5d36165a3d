package org.repopt4j.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.repopt4j.runtime.NativeErrors;

/** What Java's errors about files say to people: many have the bare path as their message. */
public final class FileErrors {
  private FileErrors() {}

  /** One line: the file, where the error names it, and what is wrong. */
  public static String sentence(IOException error) {
    if (error instanceof FileSystemException file
        && file.getReason() == null
        && file.getFile() != null) {
      return InvalidFileException.oneLine(file.getFile() + ": " + what(file));
    }
    return NativeErrors.sentence(error);
  }

  /** What is wrong, without the file's name. */
  static String reason(FileSystemException error) {
    return error.getReason() == null ? what(error) : error.getReason();
  }

  private static String what(FileSystemException error) {
    if (error instanceof NoSuchFileException) {
      return "there is no such file or folder";
    }
    if (error instanceof AccessDeniedException) {
      return "access is denied";
    }
    if (error instanceof FileAlreadyExistsException) {
      return "it exists already and is not a folder";
    }
    if (error instanceof NotDirectoryException) {
      return "it is not a folder";
    }
    return error instanceof DirectoryNotEmptyException
        ? "it is a folder that is not empty"
        : "it cannot be used";
  }
}
