"""The section run: hyper-search, then training with the scales and without, and a run that is killed and goes on."""
import csv
import glob
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import time

from .health import goal
from .kit import Failed


def settings(kit):
    if kit.cuda:
        glyphs = ["--data", "cifar100", "--data-dir", kit.path("shared", "data", "glyphs100"), "--no-flip"]
        return ["--arch", "RepOpt-VGG-B1"] + glyphs + ["--batch-size", "128", "--workers", "4", "--device", "cuda"], 10
    return ["--arch", "custom", "--num-blocks", "1,1,1,1", "--width", "0.125,0.125,0.125,0.125", "--strides", "1,1,2,2,2", "--data", "digits", "--batch-size", "128", "--device", "cpu"], 1


def accuracy(folder):
    """The test accuracy after the last epoch."""
    with open(os.path.join(folder, "summary.csv"), newline="") as file:
        last = list(csv.DictReader(file))[-1]
    return float(last[next(key for key in last if key == "eval_top1")]) * 100


def run(kit):
    base, epochs = settings(kit)
    folder = os.path.join(kit.work, "run")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    rows, table, begin = {}, [["run", "seconds", "test accuracy %"]], time.monotonic()
    jobs = [("search", ["search"]), ("RepOptimizer", ["train", "--scales", os.path.join(folder, "search", "scales.safetensors")]),
            ("plain SGD", ["train"]), ("RepVGG", ["train", "--mode", "repvgg"])]
    for name, job in jobs:
        output, started = os.path.join(folder, name.replace(" ", "-")), time.monotonic()
        try:
            kit.repopt(job[0], *base, *job[1:], "--epochs", epochs, "--warmup-epochs", min(1, epochs - 1), "--seed", 0, "--output", output)
            output = os.path.join(folder, "search") if name == "search" else output
            rows[name] = {"seconds": time.monotonic() - started, "accuracy": accuracy(output)}
            table.append([name, rows[name]["seconds"], rows[name]["accuracy"]])
        except (Failed, OSError, IndexError, StopIteration) as error:
            rows[name] = {"error": str(error)}
            table.append([name, "failed: " + str(error), ""])
    whole = all("accuracy" in rows[name] for name, _ in jobs)
    seconds = time.monotonic() - begin
    goals = [goal("search, then target, plain and RepVGG training: seconds", seconds if whole else None, "<=", 600)]
    goals += [goal("test accuracy %% after %d epochs, %s" % (epochs, name), rows[name].get("accuracy")) for name, _ in jobs]
    try:
        killed = kill_and_resume(kit, base, folder)
    except (Failed, OSError) as error:
        killed = {"error": str(error)}
    rows["kill and resume"] = killed
    table.append(["kill -9, resume against the run that was not stopped", killed.get("seconds", "failed: " + killed.get("error", "")), killed.get("verdict", "")])
    goals.append(goal("resumed run against the whole one: relative difference of the weights", killed.get("difference"), "<=", 0 if not kit.cuda else 1e-2, anywhere=True))
    shutil.rmtree(folder, ignore_errors=True)
    return {"rows": rows, "table": table, "goals": goals}


def kill_and_resume(kit, base, folder):
    """The same run twice, the second time killed behind its first checkpoint and begun again."""
    begin = time.monotonic()
    job = ["train"] + base + ["--epochs", "2", "--warmup-epochs", "0", "--seed", "3", "--deterministic", "--checkpoint-every", "10", "--resume", "auto"]
    if not kit.cuda:
        job += ["--threads", "1"]
    whole, broken = os.path.join(folder, "whole"), os.path.join(folder, "broken")
    kit.repopt(*job, "--output", whole)
    command = [kit.path("repopt4j", "bin", "repopt")] + job + ["--output", broken]
    with open(kit.log, "a") as log:
        log.write("\n$ %s\n" % shlex.join(command))
        log.flush()
        process = subprocess.Popen(command, env=kit.environment, cwd=kit.home, stdout=log, stderr=log, start_new_session=True)
        try:
            while process.poll() is None and kit.left() > 5 and not glob.glob(os.path.join(broken, "checkpoints", "*", "manifest.json")):
                time.sleep(0.02)
            ended = process.poll()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.write("[kill -9]\n")
    if ended is not None:
        raise Failed("the run ended with %d before it could be killed" % ended)
    kit.repopt(*job, "--output", broken)
    found = compare(kit, os.path.join(whole, "last.safetensors"), os.path.join(broken, "last.safetensors"))
    found["seconds"] = time.monotonic() - begin
    return found


def compare(kit, one, other):
    sums = []
    for path in (one, other):
        with open(path, "rb") as file:
            sums.append(hashlib.sha256(file.read()).hexdigest())
    if sums[0] == sums[1]:
        return {"difference": 0.0, "verdict": "bit for bit the same"}
    script = ("import sys; sys.path.insert(0, sys.argv[1]); import tensors; a, b = map(tensors.read, sys.argv[2:4]);"
              "print(max(float((a[n].double() - b[n].double()).norm() / a[n].double().norm().clamp(min=1e-30)) for n in a))")
    if kit.python is None:
        raise Failed("the weights differ, and without torch there is no saying how much")
    difference = float(kit.run([kit.python, "-c", script, kit.path("bench", "gpu"), one, other]))
    return {"difference": difference, "verdict": "relative difference %.3g" % difference}
