"""Speed and memory of training with RepOptimizers and with branches: compare.py ROUNDS REPEATS (see run). Prints Markdown."""
import json
import os
import statistics
import subprocess
import sys

SIZES = [(128, 8), (32, 32), (224, 4)]
MODES = [("RepOpt-VGG-B1 (target)", "target"), ("RepVGG-B1 (multi-branch)", "multi-branch")]


def bench(mode, resolution, batch, repeats):
    command = ["target/repopt4j/bin/repopt", "bench", "--arch", "RepOpt-VGG-B1", "--mode", mode, "--resolution", str(resolution),
               "--batch-size", str(batch), "--warmup", "3", "--repeats", repeats, "--json", "-"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main():
    rounds, repeats = int(sys.argv[1]), sys.argv[2]
    load = os.getloadavg()[0]
    lines, last = [], None
    for resolution, batch in SIZES:
        times, medians, peaks = ([[] for _ in MODES] for _ in range(3))
        for i in range(rounds):
            for m, (name, mode) in enumerate(MODES):
                print("round %d/%d: %s, %dx%d, batch %d" % (i + 1, rounds, name, resolution, resolution, batch), file=sys.stderr, flush=True)
                last = bench(mode, resolution, batch, repeats)
                times[m] += last["measurements"][0]["milliseconds"]
                medians[m].append(last["measurements"][0]["median"])
                peaks[m].append(last["peak_resident_bytes"] / 2 ** 20)
        ratios = [b / a for a, b in zip(*medians)]
        for m, (name, _) in enumerate(MODES):
            middle = statistics.median(times[m])
            lines.append("| %s | %dx%d, batch %d | %.0f | %.0f - %.0f | %.2f | %s | %.0f |" % (
                name, resolution, resolution, batch, middle, min(medians[m]), max(medians[m]), batch * 1e3 / middle,
                "%.2f (%.2f - %.2f)" % (statistics.median(ratios), min(ratios), max(ratios)) if m == 0 else "1", statistics.median(peaks[m])))
    machine = last["machine"]
    print("%s, %s; %s, %d processors; Java %s, libtorch presets %s; load average %.1f; %d rounds of one process a row, %s steps each\n" % (
        last["date"][:10], last["repopt4j"], machine["cpu"], machine["processors"], machine["java"], machine["libtorch_presets"], load, rounds, repeats))
    print("| training step, float32, SGD | images | median ms | medians of the rounds | images/s | times as fast | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
