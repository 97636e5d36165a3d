package org.repopt4j.io;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.repopt4j.io.HostileBytes.Pickle;

class PickleGlobalTest extends HostileFiles {
  static Stream<Arguments> cases() {
    return Stream.of(
            "os system",
            "posix system",
            "nt system",
            "builtins eval",
            "builtins exec",
            "__builtin__ eval",
            "builtins getattr",
            "builtins __import__",
            "subprocess Popen",
            "java.lang Runtime",
            "java.lang.Runtime getRuntime",
            "javax.script ScriptEngineManager",
            "torch load",
            "torch.hub load",
            "torch.nn.modules.conv Conv2d",
            "pickle loads",
            "functools partial",
            "operator attrgetter",
            "runpy run_path",
            "webbrowser open",
            "torch._utils _rebuild_everything",
            "torch._utilsX_rebuild_qtensor",
            "torch float8",
            "torch.jit load",
            "shutil rmtree",
            "")
        .map(
            name -> {
              int space = Math.max(name.indexOf(' '), 0);
              Pickle call =
                  new Pickle()
                      .text("x")
                      .global(name.substring(0, space), name.substring(space).strip())
                      .op('(')
                      .text("echo hacked > hacked")
                      .op('t', 'R');
              return Arguments.of(
                  "calls " + name,
                  "which no state dict needs",
                  HostileBytes.pth(Pickle.dict(call)));
            });
  }
}
