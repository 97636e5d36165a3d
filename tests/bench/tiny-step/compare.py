"""Times the C++ step and ours in turn: compare.py STEP ROUNDS (see run). Prints Markdown."""
import json
import os
import statistics
import subprocess
import sys

BATCH, SIDE, WARMUP, REPEATS = 2, 16, 3000, 3000
ENVIRONMENT = dict(os.environ, GLIBC_TUNABLES=os.environ.get("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"), OMP_NUM_THREADS="1")
NETWORK = ["--arch", "custom", "--num-blocks", "1,1,1,1", "--width", "0.125,0.125,0.125,0.125", "--num-classes", "10", "--threads", "1"]


def cpp(step):
    out = subprocess.run([step] + [str(n) for n in (BATCH, SIDE, WARMUP, REPEATS)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [float(line.split()[0]) for line in out.splitlines()]


def java():
    command = ["target/repopt4j/bin/repopt", "bench"] + NETWORK + ["-b", str(BATCH), "--resolution", str(SIDE), "--warmup", str(WARMUP), "--repeats", str(REPEATS), "--json", "-"]
    out = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return [ms * 1e3 for ms in json.loads(out)["measurements"][0]["milliseconds"]]


def main():
    step, rounds = sys.argv[1], int(sys.argv[2])
    load = os.getloadavg()[0]
    rows = [("C++, its libtorch", lambda: cpp(step)), ("Java, libtorch 2.10", java)]
    medians, fastest = [[] for _ in rows], [[] for _ in rows]
    for _ in range(rounds):
        for i, (_, run) in enumerate(rows):
            times = run()
            medians[i].append(statistics.median(times))
            fastest[i].append(min(times))
    print("load average %.1f; %d rounds of one process a row, %d steps each after %d; %d images of %dx%d, one thread" % (load, rounds, REPEATS, WARMUP, BATCH, SIDE, SIDE))
    print("\n| training step of a tiny network | median µs | medians of the rounds | fastest µs |\n| --- | --- | --- | --- |")
    for i, (name, _) in enumerate(rows):
        print("| %s | %.0f | %.0f - %.0f | %.0f |" % (name, statistics.median(medians[i]), min(medians[i]), max(medians[i]), min(fastest[i])))
    ratios = [b / a for a, b in zip(*medians)]
    print("\nJava over C++: %.2f (%.2f - %.2f)" % (statistics.median(ratios), min(ratios), max(ratios)))


if __name__ == "__main__":
    main()
