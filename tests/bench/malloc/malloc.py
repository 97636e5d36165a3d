"""Times 'repopt bench' under different settings of glibc's malloc: malloc.py ROUNDS REPEATS (see run). Prints Markdown."""
import json
import os
import statistics
import subprocess
import sys

HUGE = "glibc.malloc.hugetlb=1"
KEEP = "glibc.malloc.mmap_threshold=%d:glibc.malloc.trim_threshold=%d" % (1 << 32, 1 << 32)
SETTINGS = [
    ("glibc's own", "glibc.malloc.check=0"),
    ("huge pages", HUGE),
    ("keep what is freed", KEEP),
    ("huge pages, keep what is freed", HUGE + ":" + KEEP),
    ("huge pages, keep, one arena", HUGE + ":" + KEEP + ":glibc.malloc.arena_max=1"),
]
B1 = ["--arch", "RepOpt-VGG-B1"]
STEPS = [
    ("training, B1, 128x128, batch 8", B1 + ["--batch-size", "8", "--resolution", "128"]),
    ("hyper-search, B1, 32x32, batch 32", B1 + ["--mode", "hs", "--num-classes", "100", "--batch-size", "32", "--resolution", "32"]),
    ("inference, B1, 128x128, batch 8", B1 + ["--what", "inference", "--batch-size", "8", "--resolution", "128"]),
]


def main():
    rounds, repeats = int(sys.argv[1]), sys.argv[2]
    print("load average %.1f; %d rounds of one process a row, %s steps each" % (os.getloadavg()[0], rounds, repeats))
    for title, options in STEPS:
        times, medians, peaks = ([[] for _ in SETTINGS] for _ in range(3))
        for _ in range(rounds):
            for i, (_, tunables) in enumerate(SETTINGS):
                command = ["target/repopt4j/bin/repopt", "bench", "--warmup", "3", "--repeats", repeats, "--json", "-"] + options
                done = subprocess.run(command, env=dict(os.environ, GLIBC_TUNABLES=tunables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                if done.returncode:
                    sys.exit(done.stderr)
                found = json.loads(done.stdout)
                times[i] += found["measurements"][0]["milliseconds"]
                medians[i].append(found["measurements"][0]["median"])
                peaks[i].append(found["peak_resident_bytes"])
        print("\n| %s | median ms | medians of the rounds | ratio | peak MiB |\n| --- | --- | --- | --- | --- |" % title)
        for i, (name, _) in enumerate(SETTINGS):
            print("| %s | %.1f | %.1f - %.1f | %.2f | %.0f |" % (name, statistics.median(times[i]), min(medians[i]), max(medians[i]),
                  statistics.median(times[i]) / statistics.median(times[1]), max(peaks[i]) / 2 ** 20), flush=True)


if __name__ == "__main__":
    main()
