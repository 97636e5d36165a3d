package org.repopt4j;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.resolvers.SelectedClassResolverFromClasspath;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Imports point down, and nothing but the command line prints. */
class PackageOrderTest {
  private static final String ROOT = "org.repopt4j.";

  /** Which rooms each room may know. */
  private static final ImmutableMap<String, ImmutableSet<String>> MAY_KNOW = mayKnow();

  private static ImmutableMap<String, ImmutableSet<String>> mayKnow() {
    ImmutableSet<String> floor = ImmutableSet.of("runtime");
    ImmutableSet<String> theory = ImmutableSet.of("csla", "runtime");
    ImmutableSet<String> networks = ImmutableSet.of("nn", "csla", "runtime");
    ImmutableSet<String> tools = join(networks, "checkpoint", "data", "distributed", "io", "optim");
    ImmutableSet<String> training = join(tools, "train");
    return ImmutableMap.<String, ImmutableSet<String>>builder()
        .put("runtime", ImmutableSet.of())
        .put("csla", floor)
        .put("nn", theory)
        .put("data", floor)
        .put("io", floor)
        .put("optim", networks)
        .put("checkpoint", join(floor, "io"))
        .put("distributed", networks)
        .put("train", tools)
        .put("search", training)
        .put("crosscheck", join(training, "search"))
        .put("quant", training)
        .put("serve", training)
        .put("report", training)
        .put("bench", training)
        .put("cli", join(training, "search", "crosscheck", "quant", "serve", "report", "bench"))
        .buildOrThrow();
  }

  private static ImmutableSet<String> join(ImmutableSet<String> rooms, String... more) {
    return ImmutableSet.<String>builder().addAll(rooms).add(more).build();
  }

  private static ArchRule importsPointDown(String room) {
    List<String> allowed = new ArrayList<>(List.of(ROOT + room + ".."));
    MAY_KNOW.get(room).forEach(other -> allowed.add(ROOT + other + ".."));
    DescribedPredicate<JavaClass> forbidden =
        resideInAPackage("org.repopt4j..")
            .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(new String[0]))));
    return noClasses()
        .that()
        .resideInAPackage(ROOT + room + "..")
        .should()
        .dependOnClassesThat(forbidden.as("reside in none of " + allowed))
        .allowEmptyShould(true);
  }

  private static final ArchRule EVERY_CLASS_HAS_A_ROOM =
      classes()
          .should()
          .resideInAnyPackage(
              MAY_KNOW.keySet().stream().map(room -> ROOT + room + "..").toArray(String[]::new));

  private static final ArchRule NO_CYCLES =
      slices().matching(ROOT + "(*)..").should().beFreeOfCycles();

  private static final ArchRule NOTHING_PRINTS =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + "cli..")
          .should(ACCESS_STANDARD_STREAMS)
          .orShould()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "libtorch prints",
                  call ->
                      call.getName().equals("print")
                          && call.getTargetOwner()
                              .getPackageName()
                              .startsWith("org.bytedeco.pytorch")));

  private static final ArchRule NAMES_SAY_SOMETHING =
      noClasses().should().haveNameMatching(".*(Utils?|Helpers?|Manager|Impl)");

  private static JavaClasses ours;

  // The JDK's classes tell which ones are exceptions; libtorch's are too many to be read.
  @BeforeAll
  static void readOurClasses() {
    ArchConfiguration.get().setClassResolver(SelectedClassResolverFromClasspath.class);
    ArchConfiguration.get().setClassResolverArguments("java");
    ours =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.repopt4j");
    assertTrue(ours.contain(org.repopt4j.csla.CslaBlock.class), "the library was not found");
    assertFalse(ours.contain(PackageOrderTest.class), "tests are not part of the library");
  }

  @AfterAll
  static void resetConfiguration() {
    ArchConfiguration.get().reset();
  }

  @Test
  void importsPointDown() {
    MAY_KNOW.keySet().forEach(room -> importsPointDown(room).check(ours));
  }

  @Test
  void everyClassHasARoom() {
    EVERY_CLASS_HAS_A_ROOM.check(ours);
  }

  @Test
  void packagesHaveNoCycles() {
    NO_CYCLES.check(ours);
  }

  @Test
  void nothingOutsideTheCommandLinePrints() {
    NOTHING_PRINTS.check(ours);
  }

  @Test
  void namesSaySomething() {
    NAMES_SAY_SOMETHING.check(ours);
  }

  @Test
  void theRulesForbidWhatTheyShould(@TempDir Path folder) throws IOException {
    JavaClasses wrong =
        compiled(
            folder,
            Map.ofEntries(
                entry("csla.Upward", "class Upward { org.repopt4j.nn.Network network; }"),
                entry("nn.Network", "public class Network { org.repopt4j.optim.Step step; }"),
                entry("optim.Step", "public class Step { org.repopt4j.nn.Network network; }"),
                entry("data.Sideways", "class Sideways { org.repopt4j.io.TensorFile file; }"),
                entry("io.TensorFile", "public class TensorFile { }"),
                entry("attic.Lost", "class Lost { }"),
                entry("io.Loud", "class Loud { void f() { System.out.println(); } }"),
                entry(
                    "io.Trace",
                    "class Trace { void f(java.io.IOException e) { e.printStackTrace(); } }"),
                entry(
                    "io.Native",
                    "class Native { void f(org.bytedeco.pytorch.Tensor t) { t.print(); } }"),
                entry("cli.Speaker", "class Speaker { void f() { System.err.println(); } }"),
                entry("nn.KernelUtils", "class KernelUtils { }")));
    assertEquals(1, violations(importsPointDown("csla"), wrong));
    assertEquals(1, violations(importsPointDown("nn"), wrong));
    assertEquals(0, violations(importsPointDown("optim"), wrong));
    assertEquals(1, violations(importsPointDown("data"), wrong));
    assertEquals(0, violations(importsPointDown("io"), wrong));
    assertEquals(1, violations(EVERY_CLASS_HAS_A_ROOM, wrong));
    assertEquals(1, violations(NO_CYCLES, wrong));
    assertEquals(3, violations(NOTHING_PRINTS, wrong));
    assertEquals(1, violations(NAMES_SAY_SOMETHING, wrong));
  }

  private static int violations(ArchRule rule, JavaClasses classes) {
    return rule.evaluate(classes).getFailureReport().getDetails().size();
  }

  private static JavaClasses compiled(Path folder, Map<String, String> sources) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("-proc:none", "-d", folder + "/classes"));
    for (Map.Entry<String, String> source : sources.entrySet()) {
      String room = source.getKey().substring(0, source.getKey().indexOf('.'));
      Path file = folder.resolve(source.getKey().replace('.', '/') + ".java");
      Files.createDirectories(file.getParent());
      Files.writeString(file, "package " + ROOT + room + "; " + source.getValue());
      arguments.add(file.toString());
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    assertEquals(0, compiler.run(null, null, null, arguments.toArray(new String[0])));
    return new ClassFileImporter().importPath(folder.resolve("classes"));
  }
}
