package org.repopt4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.repopt4j.testkit.Refusals.assertRefused;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecipeTest {
  /**
   * The commands of the official README and readme_reproduce_experiments.txt; the batch is that of
   * all devices. What a command does not name is the default of the official config.py: warm-up
   * from 0, label smoothing 0.1, no clipping.
   */
  @ParameterizedTest
  @CsvSource({
    "cifar-search,            256, 240, 0.1, 4e-5, 10, 0,    0.1, 5",
    "cifar-search-one-device, 256, 240, 0.1, 4e-5, 5,  0,    0.0, 0",
    "imagenet-target,         256, 120, 0.1, 4e-5, 5,  0,    0.1, 0",
    "ghost-search,           1024, 600, 0.6, 1e-5, 10, 0,    0.1, 5",
    "ghost-target,           1024, 300, 0.6, 1e-5, 5,  1e-4, 0.1, 0"
  })
  void hasTheOfficialNumbers(
      String name,
      int batchSize,
      int epochs,
      double lr,
      double weightDecay,
      double warmupEpochs,
      double warmupLr,
      double smoothing,
      double clipGrad) {
    Recipe recipe = Recipe.named(name);
    assertEquals(batchSize, recipe.batchSize());
    assertEquals(epochs, recipe.epochs());
    assertEquals(lr, recipe.lr());
    assertEquals(weightDecay, recipe.weightDecay());
    assertEquals(warmupEpochs, recipe.warmupEpochs());
    assertEquals(warmupLr, recipe.warmupLr());
    assertEquals(smoothing, recipe.smoothing());
    assertEquals(clipGrad, recipe.clipGrad());
  }

  @Test
  void allOfThemAreNamedHereOrAreForTheDigits() {
    assertEquals(
        Set.of(
            "digits",
            "cifar-search",
            "cifar-search-one-device",
            "imagenet-target",
            "ghost-search",
            "ghost-target"),
        Arrays.stream(Recipe.values()).map(Recipe::toString).collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @EnumSource
  void isFoundByItsNameInAnyCase(Recipe recipe) {
    assertEquals(recipe, Recipe.named(recipe.toString()));
    assertEquals(recipe, Recipe.named(recipe.toString().toUpperCase(java.util.Locale.ROOT)));
    assertFalse(recipe.description().isBlank());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "imagenet", "cifar_search"})
  void anotherNameIsRefusedWithAllThatThereAre(String name) {
    assertRefused(
        () -> Recipe.named(name), "--recipe", "'" + name + "'", "cifar-search-one-device, ");
  }
}
