"""The sections that measure beside PyTorch on the same device: update, training32, training128, training256, repvgg."""
from .health import goal
from .kit import Failed

PRECISIONS = (("fp32", "fp32", []), ("tf32", "tf32", []), ("bf16", "bf16-last", ["--channels-last"]))


def sizes(kit, batch=32):
    """Architecture, images and repetitions: the real ones on a GPU, tiny ones elsewhere."""
    if kit.cuda:
        repeats = 20 if batch <= 128 else 10
        return ["--arch", "RepOpt-VGG-B1", "--batch-size", batch, "--resolution", 224, "--warmup", 5, "--repeats", repeats]
    return ["--arch", "RepOpt-VGG-tiny", "--batch-size", 4, "--resolution", 32, "--warmup", 1, "--repeats", 3]


def attempt(rows, name, work):
    """Adds a row, or the sentence that says why there is none, so that the rest goes on."""
    try:
        found = work()
        rows[name] = found
        return found
    except (Failed, KeyError, ValueError) as error:
        rows[name] = {"error": str(error) or type(error).__name__}
        return None


def ratio(top, bottom, key):
    return top[key] / bottom[key] if top and bottom and top.get(key) and bottom.get(key) else None


def update(kit):
    """The optimizer's step over RepOpt-VGG-B1's parameters."""
    rows = {}
    shape = ["--arch", "RepOpt-VGG-B1" if kit.cuda else "RepOpt-VGG-tiny", "--warmup", 10 if kit.cuda else 1, "--repeats", 100 if kit.cuda else 3]
    copy = attempt(rows, "copy", lambda: kit.torch("copy", "--warmup", 5, "--repeats", 50 if kit.cuda else 3)[0])
    ours = attempt(rows, "ours", lambda: kit.bench("--what", "update", *shape)["measurements"][0])
    for way in attempt(rows, "torch", lambda: kit.torch("update", *shape)) or []:
        rows[way["name"]] = way
    share = ratio(ours, copy, "gigabytes_per_second")
    names = {"copy": "copy of a tensor (PyTorch)", "ours": "repopt4j", "per-tensor": "PyTorch, per tensor as the official update", "masked": "PyTorch, mask then torch.optim.SGD(fused=True)"}
    table = [["update", "median ms", "fastest ms", "GB/s"]]
    for key, name in names.items():
        row = rows.get(key) or {"error": "not run"}
        table.append([name] + ([row["median"], row["fastest"], row.get("gigabytes_per_second")] if "median" in row else ["failed: " + row["error"], "", ""]))
    return {"rows": rows, "table": table, "goals": [
        goal("update: share of the measured copy bandwidth", share, ">=", 0.85),
        goal("update: times as fast as the official per-tensor update", ratio(rows.get("per-tensor"), ours, "median"), ">=", 5),
        goal("update: times as fast as mask and fused SGD", ratio(rows.get("masked"), ours, "median"), ">=", 1.2)]}


def train_ours(kit, *arguments):
    report = kit.bench("--what", "train", *arguments)
    row = dict(report["measurements"][0])
    row["peak_device_bytes"], row["peak_reserved_bytes"] = report.get("peak_device_bytes"), report.get("peak_device_reserved_bytes")
    return row


def training(kit, batch):
    """Whole training steps of RepOpt-VGG-B1 at 224: ours, eager PyTorch with the official update, torch.compile."""
    rows, shape = {}, sizes(kit, batch)
    for name, _, options in PRECISIONS:
        attempt(rows, "ours " + name, lambda: train_ours(kit, *shape, "--precision", name, *options))
    if batch == 256:
        # Without a counterpart: what else there is for larger batches.
        attempt(rows, "ours fp16", lambda: train_ours(kit, *shape, "--precision", "fp16", "--channels-last"))
        attempt(rows, "ours fp32, activations recomputed", lambda: train_ours(kit, *shape, "--recompute"))
    theirs = ",".join(spec for _, spec, _ in PRECISIONS)
    for kind, option, share in (("eager", [], 0.5), ("compile", ["--compile"], 1.0)):
        # What was printed before the time ran out counts.
        found = attempt(rows, kind, lambda: kit.torch("train", *shape, "--precision", theirs, *option, seconds=max(10, kit.left() * share)))
        failed = rows.pop(kind)
        failure = failed if found is None else {"error": "did not finish in the time that there was"}
        for name, spec, _ in PRECISIONS:
            rows[kind + " " + name] = next((row for row in found or [] if row["name"] == spec), failure)
    table = [["training, batch %s" % shape[3], "median ms", "images/s", "peak device MiB"]]
    for key, row in rows.items():
        peak = row.get("peak_device_bytes")
        table.append([key] + ([row["median"], row["images_per_second"], peak / 2 ** 20 if peak else None] if "median" in row else ["failed: " + row["error"], "", ""]))
    goals = []
    for name, _, _ in PRECISIONS:
        ours = rows.get("ours " + name)
        for kind, bound in (("eager", 1.1), ("compile", 0.95)):
            other, title = rows.get(kind + " " + name), "batch %d, %s: repopt4j over %s" % (batch, name, {"eager": "eager PyTorch", "compile": "torch.compile"}[kind])
            goals.append(goal(title + ", images/s", ratio(ours, other, "images_per_second"), ">=", bound))
            goals.append(goal(title + ", peak memory", ratio(ours, other, "peak_device_bytes"), "<=", 1.0))
    return {"rows": rows, "table": table, "goals": goals}


def largest_batch(kit, mode):
    """What 'repopt bench --find-batch' finds, and what it tried."""
    report = kit.bench("--what", "train", *sizes(kit)[:2], *sizes(kit)[4:6], "--mode", mode, "--find-batch")
    if report["largest_batch"] is None:
        raise Failed("not even a batch of one image fits into the device's memory")
    return {"batch": report["largest_batch"], "tries": report["tries"]}


def repvgg(kit):
    """RepOpt-VGG-B1 against RepVGG-B1, both in our code: speed and largest batch."""
    rows, goals = {}, []
    for mode in ("target", "repvgg"):
        attempt(rows, mode, lambda: train_ours(kit, *sizes(kit), "--mode", mode))
    goals.append(goal("RepOpt-VGG over RepVGG, images/s at batch 32 (paper: 1.78)", ratio(rows["target"], rows["repvgg"], "images_per_second")))
    for mode in ("target", "repvgg"):
        attempt(rows, "largest batch " + mode, lambda: largest_batch(kit, mode))
    largest = [rows["largest batch " + mode] for mode in ("target", "repvgg")]
    goals.append(goal("RepOpt-VGG over RepVGG, largest batch (paper: 1.31)", ratio(largest[0], largest[1], "batch")))
    if kit.cuda and all("batch" in row for row in largest):
        for mode, row in zip(("target", "repvgg"), largest):
            shape = sizes(kit, row["batch"])
            shape[shape.index("--repeats") + 1] = 5
            attempt(rows, mode + " at its largest batch", lambda: train_ours(kit, *shape, "--mode", mode))
        goals.append(goal("RepOpt-VGG over RepVGG, images/s at the largest batches (paper: 1.83)",
                          ratio(rows["target at its largest batch"], rows["repvgg at its largest batch"], "images_per_second")))
    table = [["network", "median ms", "images/s", "largest batch"]]
    for mode in ("target", "repvgg"):
        row, found = rows[mode], rows["largest batch " + mode]
        table.append([mode] + ([row["median"], row["images_per_second"]] if "median" in row else ["failed: " + row["error"], ""]) + [found.get("batch") or "failed: " + found["error"]])
    return {"rows": rows, "table": table, "goals": goals}
