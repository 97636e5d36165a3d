"""The sections that ask whether things work: doctor, tests, memory."""
import glob
import json
import os
import shutil
import xml.etree.ElementTree as xml

from .kit import Failed

MEMORY_TEST = "org.repopt4j.train.DeviceMemoryTest"
# Uses the memory up a dozen times; what was run beside it would be lost if it took too long.
BATCH_TEST = "org.repopt4j.bench.LargestBatchTest"


def host(kit):
    """What the host is, for the results."""
    facts = {"cpu": None, "processors": os.cpu_count()}
    try:
        with open("/proc/cpuinfo") as file:
            facts["cpu"] = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), None)
    except OSError:
        pass
    if shutil.which("nvidia-smi"):
        try:
            facts["nvidia_smi"] = kit.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.sm,clocks.mem", "--format=csv"], seconds=30).strip().splitlines()
        except Failed as error:
            facts["nvidia_smi"] = [str(error)]
    try:
        facts["torch"] = json.loads(kit.run([kit.python, kit.path("bench", "gpu", "steps.py"), "facts"], seconds=120)) if kit.python else None
    except Failed as error:
        facts["torch"] = str(error)
    return facts


def doctor(kit):
    """Finds the device; 'repopt doctor --device cuda' itself ends with 1 where there is none."""
    facts = json.loads(kit.repopt("doctor", "--device", "cuda", "--json", check=False, seconds=180))
    device = facts.get("device") or {}
    missing = [row["library"] for row in facts.get("cuda", {}).get("libraries", []) if row["found"].startswith("missing")]
    rows = [["Java", facts["java"]["version"]], ["libtorch", facts["libtorch"].get("presets")], ["build", facts["libtorch"]["build"]], ["libraries not found", ", ".join(missing) or "none"]]
    if not facts["libtorch"].get("loaded"):
        raise Failed("libtorch does not load: %s" % facts["libtorch"].get("error"))
    usable = bool(device.get("usable"))
    rows += [["no CUDA device", device.get("why not")]] if not usable else [["device", device.get("jobs take")]]
    works = [["works: " + what, device[what]] for what in ("matrix products", "convolutions") if what in device]
    section = {"device": "cuda" if usable else "cpu", "host": host(kit), "doctor": facts, "table": [["fact", "value"]] + rows + works}
    if usable:
        section["goals"] = [goal("repopt doctor --device cuda: products and convolutions work", sum(row[1] == "work" for row in works), ">=", 2)]
    else:
        section["notes"] = ["no CUDA device: %s" % device.get("why not")]
    return section


def goal(what, value, sign=None, bound=None, anywhere=False):
    """A figure and, where there is one, the bound that it should keep.

    anywhere: it means something without a GPU, too.
    """
    met = None if sign is None or value is None else bool(value >= bound if sign == ">=" else value <= bound)
    return {"what": what, "value": value, "bound": None if sign is None else "%s %s" % (sign, bound), "met": met, "anywhere": anywhere}


def junit(kit, name, *selection):
    """Runs tests on the device; returns counts and the names of those that failed."""
    reports = os.path.join(kit.state, "junit-" + name)
    shutil.rmtree(reports, ignore_errors=True)
    kit.java("-Drepopt.test.device=" + kit.device, "org.junit.platform.console.ConsoleLauncher", "execute", *selection, "--details", "tree",
             "--disable-banner", "--disable-ansi-colors", "--reports-dir", reports, check=False)
    counts, failures = {"tests": 0, "failed": 0, "skipped": 0}, []
    for report in sorted(glob.glob(os.path.join(reports, "TEST-*.xml"))):
        suite = xml.parse(report).getroot()
        counts["tests"] += int(suite.get("tests"))
        counts["skipped"] += int(suite.get("skipped"))
        for case in suite.iter("testcase"):
            problem = next((e for e in case if e.tag in ("failure", "error")), None)
            if problem is not None:
                counts["failed"] += 1
                failures.append("%s.%s: %s" % (case.get("classname", "").rsplit(".", 1)[-1], case.get("name"), (problem.get("message") or problem.get("type") or "")[:300]))
    if not counts["tests"]:
        raise Failed("the console launcher ran no test; see the log")
    counts["passed"] = counts["tests"] - counts["failed"] - counts["skipped"]
    return counts, failures


def tests(kit):
    """The golden tests and, where there is a GPU, those that only make sense on one, on the device."""
    gpu = ["--include-tag" if kit.cuda else "--exclude-tag", "gpu"]
    counts, failures = junit(kit, "tests", "--scan-class-path", kit.path("tests", "classes"), "--include-tag", "device", *gpu, "--exclude-classname", MEMORY_TEST, "--exclude-classname", BATCH_TEST)
    return {"counts": counts, "table": [["passed", "failed", "skipped"], [counts["passed"], counts["failed"], counts["skipped"]]], "notes": failures,
            "goals": [goal("golden and GPU tests on the device: failed", counts["failed"], "<=", 0, anywhere=True), goal("golden and GPU tests on the device: passed", counts["passed"], anywhere=True)]}


def memory(kit):
    """2,000 steps in flat memory; a failed allocation leaves the process usable; recomputation makes room for larger batches."""
    counts, notes = junit(kit, "memory", "--select-class", MEMORY_TEST)
    table = [["tests", "passed", "failed", "skipped"], ["flat and usable", counts["passed"], counts["failed"], counts["skipped"]]]
    recomputed = None
    if kit.cuda:
        try:
            batch, failures = junit(kit, "batch", "--select-class", BATCH_TEST)
            table.append(["recomputation", batch["passed"], batch["failed"], batch["skipped"]])
            recomputed = batch["passed"]
        except Failed as error:
            failures = [str(error)]
        notes = notes + failures
    return {"counts": counts, "table": table, "notes": notes,
            "goals": [goal("2,000 steps in flat device memory, usable after running out of it: tests passed of 2", counts["passed"], ">=", 2, anywhere=True),
                      goal("recomputation makes room for 1.5 times the batch: tests passed of 1", recomputed, ">=", 1)]}
