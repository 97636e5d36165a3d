"""Times loading in Python and in Java, side by side: load.py CLASSPATH CLASSES FOLDER (see run.sh)."""
import os
import platform
import statistics
import subprocess
import sys
import time

import torch

ROUNDS, TIMES = 4, 10
FRESH = 2  # loads of a process for which the kernel must find memory, and Java classes


def python(path):
    for _ in range(TIMES):
        begin, processor = time.perf_counter(), time.thread_time()
        tensors = torch.load(path, map_location="cpu")
        print((time.perf_counter() - begin) * 1e3, (time.thread_time() - processor) * 1e3)
        del tensors


def numbers(text):
    return [float(word) for word in text.split()]


def main():
    if sys.argv[1] == "python":
        return python(sys.argv[2])
    classpath, classes, folder = sys.argv[1:]
    java = ["java", "-XX:+UseSerialGC", "-Xmx64m", "-Dorg.bytedeco.javacpp.maxphysicalbytes=0", "-cp", classes + ":" + classpath, "Load"]
    pth, safetensors = os.path.join(folder, "l2.pth"), os.path.join(folder, "l2.safetensors")
    # The launcher sets this for every command; Python gets it, too, so that the two differ in nothing else.
    huge = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.hugetlb=1")
    plain = dict(os.environ)
    plain.pop("GLIBC_TUNABLES", None)
    rows = []
    for pages, environment in (("default", plain), ("huge", huge)):
        rows.append(("torch.load, .pth", pages, [sys.executable, __file__, "python", pth], environment))
        rows.append(("StateDicts.read, .pth", pages, java + ["read", pth, str(TIMES)], environment))
        rows.append(("StateDicts.read, .safetensors", pages, java + ["read", safetensors, str(TIMES)], environment))
        rows.append(("windows mapped and copied, .safetensors", pages, java + ["copy", safetensors, str(TIMES)], environment))
        rows.append(("SafetensorsReader.map, .safetensors", pages, java + ["map", safetensors, str(TIMES)], environment))
    for path in (pth, safetensors):
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
    first, wall, busy, heaps = ([[] for _ in rows] for _ in range(4))
    for _ in range(ROUNDS):
        for i, (_, _, command, environment) in enumerate(rows):
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                sys.exit(done.stderr)
            loads = [numbers(line) for line in done.stdout.splitlines()]
            first[i].append(loads[0][0])
            wall[i] += [load[0] for load in loads[FRESH:]]
            busy[i] += [load[1] for load in loads[FRESH:]]
            if command[0] == "java":
                heaps[i] += numbers(done.stderr)[-1:]
    size = os.path.getsize(pth)
    print("%s, Python %s, torch %s; %.0f MB, page cache warm; load average %.1f" % (
        platform.platform(), platform.python_version(), torch.__version__, size / 1e6, os.getloadavg()[0]))
    print("%d processes a row, one row after the other; first: median of their first loads; then %d loads from the %d. on" % (
        ROUNDS, len(wall[0]), FRESH + 1))
    print()
    print("| load | pages of malloc | first ms | median ms | fastest ms | median CPU ms | ratio of medians | ratio of CPU | peak heap MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for i, (what, pages, _, _) in enumerate(rows):
        middle, cpu, base = statistics.median(wall[i]), statistics.median(busy[i]), i - i % 5
        print("| %s | %s | %.0f | %.1f | %.1f | %.1f | %.2f | %.2f | %s |" % (
            what, pages, statistics.median(first[i]), middle, min(wall[i]), cpu, middle / statistics.median(wall[base]),
            cpu / statistics.median(busy[base]), "%.1f" % max(heaps[i]) if heaps[i] else ""))


if __name__ == "__main__":
    main()
