"""Takes the moments of a start from the JVM's own log of loaded classes: startup.py ROUNDS (see run). Prints Markdown.

Each class below is first used at the moment that it stands for. The run gets SIGTERM before its first step, so it finishes that
step and stops; the trainer reports at once then, and the class of the report is the last moment.
"""
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

MOMENTS = [
    ("the launcher and the JVM", "org.repopt4j.cli.Main"),
    ("the command line is read", "org.repopt4j.cli.StopSignals"),
    ("settings are checked", "org.repopt4j.runtime.Natives"),
    ("natives are loaded, data is read", "org.repopt4j.nn.VggBlock"),
    ("network and optimizer are built", "org.repopt4j.train.Trainer"),
    ("files of the run, loader", "org.repopt4j.data.Epoch"),
    ("the first step", "org.repopt4j.train.TrainListener$Progress"),
]


def start(folder):
    log = os.path.join(folder, "log")
    options = "-Xlog:class+load:file=%s:tm " % log + os.environ.get("REPOPT_JAVA_OPTS", "")
    begin = time.time() * 1e3
    process = subprocess.Popen(["target/repopt4j/bin/repopt", "train", "--output", os.path.join(folder, "run")],
                               env=dict(os.environ, REPOPT_JAVA_OPTS=options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    # From here on a signal is a wish to stop after the current step.
    while process.poll() is None and not loaded(log, "org.repopt4j.runtime.Natives"):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    error = process.communicate()[1]
    if process.returncode != 143 or "stopped after 1 batches" not in error:
        sys.exit("startup: the run ended with %d: %s" % (process.returncode, error))
    first = {}
    for line in open(log):
        found = re.match(r"\[(\d+)ms\] (\S+) ", line)
        if found:
            first.setdefault(found.group(2), int(found.group(1)) - begin)
    return [first[name] for _, name in MOMENTS], len(first)


def loaded(log, name):
    return os.path.exists(log) and name + " " in open(log).read()


def main():
    rounds = []
    for i in range(int(sys.argv[1]) + 1):
        with tempfile.TemporaryDirectory() as folder:
            moments, classes = start(folder)
        if i:  # the first one fills the caches
            rounds.append(moments)
    middle = [statistics.median(r[i] for r in rounds) for i in range(len(MOMENTS))]
    steps = [statistics.median(r[i] - (r[i - 1] if i else 0) for r in rounds) for i in range(len(MOMENTS))]
    print("load average %.1f; medians of %d starts; %d classes" % (os.getloadavg()[0], len(rounds), classes))
    print("\n| until | takes ms | is over after ms |\n| --- | --- | --- |")
    for i, (what, _) in enumerate(MOMENTS):
        print("| %s | %.0f | %.0f |" % (what, steps[i], middle[i]))
    last = [r[-1] for r in rounds]
    print("\nFirst finished step: %.0f ms (%.0f - %.0f)" % (statistics.median(last), min(last), max(last)))


if __name__ == "__main__":
    main()
