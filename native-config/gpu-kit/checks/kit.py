"""An unpacked kit: where its things are, how its programs are started, and what earlier calls of check left."""
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time


class Failed(Exception):
    """A program of a section failed; the message is one sentence. Holds what the program wrote before."""

    def __init__(self, sentence, out=""):
        super().__init__(sentence)
        self.out = out


class Kit:
    def __init__(self, home, deadline):
        self.home, self.deadline = home, deadline
        self.state = os.path.join(home, "state")
        self.work = os.path.join(home, "work")
        os.makedirs(self.state, exist_ok=True)
        self.device = None
        self.log = None
        self.python = self.python_with_torch()
        self.environment = self.environment_of(self.python)

    @staticmethod
    def python_with_torch():
        """The Python that has PyTorch: REPOPT_PYTHON, the one that runs this, or the one on the PATH; None where none has."""
        for python in (os.environ.get("REPOPT_PYTHON"), sys.executable, shutil.which("python3")):
            if python and subprocess.run([python, "-c", "import torch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return python
        return None

    def environment_of(self, python):
        environment = {k: v for k, v in os.environ.items() if k not in ("CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS")}
        environment["JAVA_HOME"] = os.path.join(self.home, "java")
        environment["REPOPT_SHARED"] = os.path.join(self.home, "shared")
        environment["XDG_CACHE_HOME"] = os.path.join(self.home, "cache")
        # Each kit has its own unpacked natives: another build of libtorch in the user's cache must not be met.
        environment["REPOPT_JAVA_OPTS"] = "-Dorg.bytedeco.javacpp.cachedir=" + os.path.join(self.home, "cache", "javacpp")
        # The launcher looks for the CUDA libraries beside the first python3 on the PATH.
        if python:
            environment["PATH"] = os.path.dirname(python) + os.pathsep + environment.get("PATH", "")
        return environment

    def path(self, *names):
        return os.path.join(self.home, *names)

    def left(self):
        """Seconds until this section must end."""
        return self.deadline - time.monotonic()

    @property
    def cuda(self):
        return self.device == "cuda"

    def run(self, command, seconds=None, check=True, cwd=None):
        """Runs a command, its output in the section's log, and returns what it wrote to standard output.

        A command that takes longer than the seconds, or than the section may, is killed with all that it started.
        """
        limit = self.left() if seconds is None else min(seconds, self.left())
        if limit <= 1:
            raise Failed("no time was left for: " + shlex.join(command)[:200])
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd or self.home, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", start_new_session=True)
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            self.note(command, out, err, "killed after %.0f s" % limit)
            raise Failed("took longer than the %.0f s that it may: %s" % (limit, shlex.join(command)[:200]), out)
        self.note(command, out, err, "exit code %d after %.1f s" % (process.returncode, time.monotonic() - begin))
        if check and process.returncode:
            lines = [line for line in (err.strip() or out.strip()).splitlines() if line.strip()]
            # picocli prints its help behind the sentence; Python prints the error at the end.
            sentence = lines[-1] if lines and lines[0].startswith("Traceback") else next((line for line in lines if not line.startswith(("WARNING", "  "))), "no output")
            raise Failed("exit code %d: %s" % (process.returncode, sentence.strip()[:400]), out)
        return out

    def note(self, command, out, err, end):
        if self.log:
            with open(self.log, "a") as file:
                file.write("\n$ %s\n%s%s[%s]\n" % (shlex.join(command), out, err, end))

    def repopt(self, *arguments, **options):
        return self.run([self.path("repopt4j", "bin", "repopt")] + [str(a) for a in arguments], **options)

    def bench(self, *arguments, **options):
        """What 'repopt bench --json -' says."""
        return json.loads(self.repopt("bench", "--device", self.device, *arguments, "--json", "-", **options))

    def torch(self, *arguments, **options):
        """The JSON lines of the Python side; those that it printed before it failed, if there are any."""
        if self.python is None:
            raise Failed("no Python with torch was found: set REPOPT_PYTHON to one")
        try:
            out = self.run([self.python, self.path("bench", "gpu", "steps.py")] + [str(a) for a in arguments] + ["--device", self.device], **options)
        except Failed as error:
            out = error.out
            if "{" not in out:
                raise
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def java(self, *arguments, **options):
        """A Java program with the tests on its class path and the CUDA libraries on LD_LIBRARY_PATH, as the launcher has it."""
        class_path = os.pathsep.join([self.path("tests", "classes"), self.path("tests", "lib", "*"), self.path("repopt4j", "lib", "*")])
        java = [self.path("java", "bin", "java"), "-Xmx2g", "-XX:+UseSerialGC", "-Djava.library.path=", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                self.environment["REPOPT_JAVA_OPTS"], "-cp", class_path]
        script = '. "$0"; cuda_library_path; exec "$@"'
        return self.run(["sh", "-euc", script, self.path("repopt4j", "bin", "cuda-libraries.sh")] + java + [str(a) for a in arguments], **options)

    def remember(self, name, section):
        with open(os.path.join(self.state, name + ".json"), "w") as file:
            json.dump(section, file, indent=1)

    def remembered(self, name):
        try:
            with open(os.path.join(self.state, name + ".json")) as file:
                return json.load(file)
        except (OSError, ValueError):
            return None
