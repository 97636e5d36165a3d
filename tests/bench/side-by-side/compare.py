"""Runs the official Python code, ours and plain C++ in turn and prints ratios.

A round is one process of each subject, one after the other, so that a disturbance of the machine meets all of them; each process
warms up and then times some steps. Prints a Markdown section and writes it with all numbers into a folder.
"""
import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", "..", ".."))
REPOPT = os.path.join(ROOT, "target", "repopt4j", "bin", "repopt")
HUGE = "glibc.malloc.hugetlb=1"
B1 = ["--arch", "RepOpt-VGG-B1"]
STEP = ["--batch-size", "8", "--resolution", "128"]
SEARCH = ["--batch-size", "32", "--resolution", "32"]


class Subject:
    """One row of a table: a command that prints JSON, and the environment that it has."""

    def __init__(self, group, name, command, tunables, key):
        self.group, self.name, self.command, self.tunables, self.key = group, name, command, tunables, key
        self.rounds, self.last = [], None  # milliseconds of each round; what the last process printed

    def run(self):
        environment = {k: v for k, v in os.environ.items() if k not in ("GLIBC_TUNABLES", "OMP_WAIT_POLICY", "OMP_NUM_THREADS", "REPOPT_JAVA_OPTS")}
        if self.tunables:
            environment["GLIBC_TUNABLES"] = self.tunables
        done = subprocess.run(self.command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("side-by-side: %s\nfailed with %d: %s" % (shlex.join(self.command), done.returncode, done.stderr.strip()[-2000:]))
        self.last = json.loads(done.stdout)
        found = self.last if "milliseconds" in self.last else self.last["measurements"][0]
        self.rounds.append(found["milliseconds"])

    def times(self):
        return [t for one in self.rounds for t in one]

    def medians(self):
        return [statistics.median(one) for one in self.rounds]


class Limit:
    """A read-modify-write limit that one of our processes measured beside its step."""

    def __init__(self, subject, place):
        self.subject, self.place, self.rounds = subject, place, []

    def note(self):
        self.rounds.append(self.subject.last["measurements"][self.place]["milliseconds"])

    def medians(self):
        return [statistics.median(one) for one in self.rounds]


class PlainCpp:
    """The rows of tests/bench/baseline, by name and pages: the medians of each round."""

    def __init__(self, args):
        self.command = [os.path.join(HERE, "..", "baseline", "run"), str(args.repeats), str(args.threads)]
        self.rows, self.speed = {}, {}

    def run(self):
        done = subprocess.run(self.command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("side-by-side: the plain C++ baseline failed; leave it out with --no-baseline")
        for row in json.loads(done.stdout)["rows"]:
            key = (row["name"], "huge" if row["huge_pages"] else "small")
            self.rows.setdefault(key, []).append(row["median"])
            self.speed.setdefault(key, []).append(row["gigabytes_per_second"])

    def limits(self):
        """The stricter of the two kinds of pages, round by round."""
        found = {}
        for rule in ("sgd", "adamw"):
            name = rule + " limit with a dense mask"
            if (name, "huge") in self.rows:
                found["cpp." + rule] = [min(pair) for pair in zip(self.rows[name, "huge"], self.rows[name, "small"])]
        return found


def official(args, group, name, options, tunables, key, repeats):
    command = [args.python, os.path.join(HERE, "official_steps.py"), "--official", args.official, "--threads", str(args.threads)]
    return Subject(group, name, command + options + ["--warmup", str(args.warmup), "--repeats", str(repeats)], tunables, key)


def ours(args, group, name, options, key, repeats):
    command = [REPOPT, "bench", "--threads", str(args.threads), "--json", "-"] + B1
    return Subject(group, name, command + options + ["--warmup", str(args.warmup), "--repeats", str(repeats)], None, key)


def subjects(args):
    scales = ["--scales", os.path.join(args.official, "RepOpt-VGG-B1-scales.pth")]
    few, many = args.repeats, 3 * args.repeats
    rows = []
    for rule, official_rule, title in (("sgd", "sgd", "SGD step"), ("adamw", "adamw", "AdamW step")):
        update = ["--what", "update", "--opt", official_rule]
        rows.append(official(args, title, "official Python, as installed", update, None, rule + ".stock", few))
        rows.append(official(args, title, "official Python, huge pages", update, HUGE, rule + ".huge", few))
        for name, opt in ((("repopt4j", "sgd"),) if rule == "sgd" else (("repopt4j, official rule", "adamw-official"), ("repopt4j, exact rule", "adamw"))):
            rows.append(ours(args, title, name, ["--what", "update", "--opt", opt] + scales, opt + ".ours", many))
    title, step = "Training step, 128x128, batch 8", ["--what", "train"] + STEP
    rows.append(official(args, title, "official Python, as installed", step, None, "train.stock", few))
    rows.append(official(args, title, "official Python, huge pages", step, HUGE, "train.huge", few))
    train = ["--what", "train", "--mode", "target"] + STEP + scales
    rows.append(ours(args, title, "repopt4j, float32", train, "train.ours", few))
    rows.append(ours(args, title, "repopt4j, bf16", train + ["--precision", "bf16"], "train.bf16", few))
    if has_channels_last():
        rows.append(ours(args, title, "repopt4j, float32, channels last", train + ["--channels-last"], "train.last", few))
        rows.append(ours(args, title, "repopt4j, bf16, channels last", train + ["--precision", "bf16", "--channels-last"], "train.bf16last", few))
    title, search = "Hyper-search step, 32x32, batch 32", ["--what", "hs", "--classes", "100"] + SEARCH
    rows.append(official(args, title, "official Python, as installed", search, None, "hs.stock", few))
    rows.append(official(args, title, "official Python, huge pages", search, HUGE, "hs.huge", few))
    rows.append(ours(args, title, "repopt4j, float32", ["--what", "train", "--mode", "hs", "--num-classes", "100"] + SEARCH, "hs.ours", few))
    return [row for row in rows if not args.only or row.key.split(".")[0].split("-")[0] in args.only.split(",")]


def has_channels_last():
    return "--channels-last" in subprocess.run([REPOPT, "bench", "--help"], stdout=subprocess.PIPE, text=True).stdout


def goals(rows, limits, cpp):
    """Rows of: what, ratios of the rounds, bound, whether the ratio must be at most the bound."""
    by = {row.key: row.medians() for row in rows}
    by.update((key, limit.medians()) for key, limit in limits.items())
    by.update(cpp.limits() if cpp else {})
    wanted = [
        ("SGD step: repopt4j over its limit with a dense mask", "sgd.ours", "sgd.limit", 1.15, True),
        ("SGD step: repopt4j over plain C++'s limit with a dense mask", "sgd.ours", "cpp.sgd", 1.15, True),
        ("SGD step: official with huge pages over repopt4j", "sgd.huge", "sgd.ours", 4, False),
        ("SGD step: official as installed over repopt4j", "sgd.stock", "sgd.ours", 20, False),
        ("AdamW, official rule: repopt4j over its limit with a dense mask", "adamw-official.ours", "adamw-official.limit", 1.25, True),
        ("AdamW, exact rule: repopt4j over its limit with a dense mask", "adamw.ours", "adamw.limit", 1.25, True),
        ("AdamW, official rule: repopt4j over plain C++'s limit with a dense mask", "adamw-official.ours", "cpp.adamw", 1.25, True),
        ("AdamW, exact rule: repopt4j over plain C++'s limit with a dense mask", "adamw.ours", "cpp.adamw", 1.25, True),
        ("AdamW: official with huge pages over repopt4j, official rule", "adamw.huge", "adamw-official.ours", None, False),
        ("AdamW: official as installed over repopt4j, official rule", "adamw.stock", "adamw-official.ours", None, False),
        ("Training step: official as installed over repopt4j", "train.stock", "train.ours", 1.5, False),
        ("Training step: official with huge pages over repopt4j", "train.huge", "train.ours", 1.15, False),
        ("Training step: repopt4j float32 over bf16", "train.ours", "train.bf16", 1.6, False),
        ("Training step: repopt4j float32 over float32, channels last", "train.ours", "train.last", None, False),
        ("Training step: repopt4j float32 over bf16, channels last", "train.ours", "train.bf16last", None, False),
        ("Hyper-search step: official with huge pages over repopt4j", "hs.huge", "hs.ours", 1.5, False),
        ("Hyper-search step: official as installed over repopt4j", "hs.stock", "hs.ours", None, False),
    ]
    for what, top, bottom, bound, at_most in wanted:
        if top in by and bottom in by:
            ratios = [a / b for a, b in zip(by[top], by[bottom])]
            yield what, ratios, bound, at_most


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    cuts = statistics.quantiles(values, n=4, method="inclusive")
    return cuts[0], cuts[2]


def report(args, rows, limits, cpp, started):
    out = []
    newest = next((row.last for row in rows if "machine" in (row.last or {})), None)
    torch = next((row.last for row in rows if "torch" in (row.last or {})), None)
    out.append("    tests/bench/side-by-side/run " + " ".join(shlex.quote(a) for a in sys.argv[1:]))
    out.append("")
    machine = newest["machine"] if newest else {}
    out.append("%s; %s, %s processors, %s threads each, load average %.1f at the start; %s." % (
        started.strftime("%Y-%m-%d"), machine.get("cpu", platform.processor()), machine.get("processors", os.cpu_count()), args.threads, args.load, platform.platform()))
    if newest:
        out.append("%s, commit %s, Java %s, libtorch presets %s (%s)." % (newest["repopt4j"], commit(), machine["java"], machine["libtorch_presets"], machine["vector_instructions"]))
    if torch:
        out.append("Python %s, torch %s. %d rounds of one process a row, one row after the other; %d steps of warm-up a process." % (
            torch["python"], torch["torch"], args.rounds, args.warmup))
    for group in dict.fromkeys(row.group for row in rows):
        out += ["", "| %s | median ms | quartiles ms | medians of the rounds | peak memory |" % group, "| --- | --- | --- | --- | --- |"]
        for row in (r for r in rows if r.group == group):
            low, high = quartiles(row.times())
            peak = row.last.get("peak_resident_bytes")
            out.append("| %s | %.1f | %.1f - %.1f | %.1f - %.1f | %s |" % (
                row.name, statistics.median(row.times()), low, high, min(row.medians()), max(row.medians()), "%.0f MiB" % (peak / 2 ** 20) if peak else ""))
            for key, limit in limits.items():
                if limit.subject is row:
                    times = [t for one in limit.rounds for t in one]
                    low, high = quartiles(times)
                    name = limit.subject.last["measurements"][limit.place]["name"]
                    out.append("| - its read-modify-write %s | %.1f | %.1f - %.1f | %.1f - %.1f | |" % (
                        name, statistics.median(times), low, high, min(limit.medians()), max(limit.medians())))
    if cpp:
        out += ["", "| plain C++ (`tests/bench/baseline`) | pages | median ms | medians of the rounds | GB/s |", "| --- | --- | --- | --- | --- |"]
        for (name, pages), medians in cpp.rows.items():
            speed = statistics.median(cpp.speed[name, pages])
            out.append("| %s | %s | %.1f | %.1f - %.1f | %s |" % (name, pages, statistics.median(medians), min(medians), max(medians), "%.0f" % speed if speed else ""))
    out += ["", "| ratio of medians | median of the rounds | range of the rounds | goal | |", "| --- | --- | --- | --- | --- |"]
    for what, ratios, bound, at_most in goals(rows, limits, cpp):
        middle = statistics.median(ratios)
        met = "" if bound is None else "met" if (middle <= bound if at_most else middle >= bound) else "**missed**"
        goal = "" if bound is None else "%s %s" % ("at most" if at_most else "at least", bound)
        out.append("| %s | %.2f | %.2f - %.2f | %s | %s |" % (what, middle, min(ratios), max(ratios), goal, met))
    memory = next((row.last["memory"] for row in rows if "memory" in (row.last or {})), None)
    if memory:
        share = memory["grad_mult_share"]
        out.append("| Grad Mults over weights, in bytes (dense masks: %.1f %%) | %.3f %% | | at most 0.5 %% | %s |" % (
            100 * memory["dense_mask_share"], 100 * share, "met" if share < 0.005 else "**missed**"))
        out += ["", "The limit beside each of our updates is that of %s." % next(row.last["limit_by"] for row in rows if "limit_by" in row.last)]
    return "\n".join(out) + "\n"


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/side-by-side/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", required=True, metavar="DIR", help="a clone of https://github.com/DingXiaoH/RepOptimizers with the released scales")
    parser.add_argument("--python", default=os.environ.get("REPOPT_PYTHON", "/usr/bin/python3"), help="a Python with torch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warmup", type=int, default=8, help="steps of a process that do not count")
    parser.add_argument("--repeats", type=int, default=5, help="steps of a process that do; three times as many for our updates")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", help="some of sgd,adamw,train,hs")
    parser.add_argument("--no-baseline", action="store_true", help="leave the plain C++ rows out")
    parser.add_argument("--output", default=os.path.join(ROOT, "target", "side-by-side"), metavar="FOLDER")
    args = parser.parse_args()
    args.official = os.path.abspath(args.official)
    for path in (REPOPT, os.path.join(args.official, "repoptimizer")):
        if not os.path.exists(path):
            sys.exit("side-by-side: %s is not there; build with 'mvn -q -DskipTests package' and give a clone with --official" % path)
    args.load = os.getloadavg()[0]
    started = datetime.datetime.now()
    rows = subjects(args)
    if not rows:
        parser.error("--only takes some of sgd,adamw,train,hs, got: %s" % args.only)
    limits = {}
    for row in rows:
        if row.key.endswith(".ours") and row.group.endswith("W step") or row.key == "sgd.ours":
            limits[row.key.replace(".ours", ".limit")] = Limit(row, 1)
            limits[row.key.replace(".ours", ".bare")] = Limit(row, 2)
    cpp = None if args.no_baseline else PlainCpp(args)
    for i in range(args.rounds):
        if cpp:
            print("round %d/%d: plain C++" % (i + 1, args.rounds), file=sys.stderr, flush=True)
            cpp.run()
        for row in rows:
            print("round %d/%d: %s: %s" % (i + 1, args.rounds, row.group, row.name), file=sys.stderr, flush=True)
            row.run()
            for limit in limits.values():
                if limit.subject is row:
                    limit.note()
    text = report(args, rows, limits, cpp, started)
    os.makedirs(args.output, exist_ok=True)
    with open(os.path.join(args.output, "results.md"), "w") as f:
        f.write(text)
    with open(os.path.join(args.output, "results.json"), "w") as f:
        json.dump({"date": started.isoformat(), "command": sys.argv, "commit": commit(), "platform": platform.platform(), "load_average": args.load,
                   "rows": [{"group": r.group, "name": r.name, "key": r.key, "command": r.command, "tunables": r.tunables, "rounds": r.rounds, "last": r.last} for r in rows],
                   "limits": {k: {"of": v.subject.key, "rounds": v.rounds} for k, v in limits.items()}, "baseline": [{"name": n, "pages": p, "medians": m} for (n, p), m in cpp.rows.items()] if cpp else None,
                   "ratios": [{"what": w, "rounds": r, "bound": b, "at_most": m} for w, r, b, m in goals(rows, limits, cpp)]}, f, indent=1)
    print(text)
    print("written: %s/results.md and results.json" % args.output, file=sys.stderr)


if __name__ == "__main__":
    main()
