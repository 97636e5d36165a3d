"""The results folder: results.json, results.md and check.log, of this call of check and the earlier ones on this host."""
import datetime
import json
import os

MOST_LOG = 1 << 20
# What a GPU host is to show, and the sections whose goals say whether it does.
SHOWN = {
    "1 golden and GPU tests on CUDA tensors": ("tests",),
    "2 the optimizer's step": ("update",),
    "3 training beside PyTorch": ("training32", "training128", "training256"),
    "4 RepOpt-VGG against RepVGG": ("repvgg",),
    "5 search, training, kill and resume": ("run",),
    "6 flat memory, usable after running out of it": ("memory",),
}


def text(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return "%.4g" % value if abs(value) < 100 else "%.1f" % value
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(rows):
    lines = ["| " + " | ".join(text(cell) for cell in row) + " |" for row in rows]
    return [lines[0], "| " + " | ".join("---" for _ in rows[0]) + " |"] + lines[1:] + [""]


def verdict(goal, cuda):
    if not cuda and not goal["anywhere"]:
        return "not yet measured (no CUDA device)"
    if goal["value"] is None:
        return "not yet measured"
    return "" if goal["met"] is None else "met" if goal["met"] else "**missed**"


def shown(sections):
    """A line for each of SHOWN: met, missed, measured (where there is no bound), or not yet measured."""
    cuda = (sections.get("doctor") or {}).get("device") == "cuda"
    for line, names in SHOWN.items():
        goals = [goal for name in names for goal in (sections.get(name) or {}).get("goals") or []]
        lacking = [name for name in names if not (sections.get(name) or {}).get("goals")]
        values = [goal for goal in goals if goal["value"] is not None]
        missed = [goal for goal in values if goal["met"] is False]
        if not cuda or not values:
            found = "not yet measured" if cuda else "not yet measured (no CUDA device)"
        elif missed:
            found = "missed: " + "; ".join("%s is %s, not %s" % (goal["what"], text(goal["value"]), goal["bound"]) for goal in missed)
        else:
            found = "met" if any(goal["met"] for goal in values) else "measured"
        if cuda and values and (lacking or len(values) < len(goals)):
            found += "; not yet measured: " + "; ".join(["section " + name for name in lacking] + [goal["what"] for goal in goals if goal["value"] is None])
        yield "%s: %s" % (line, found)


def markdown(sections, order):
    doctor = sections.get("doctor") or {}
    cuda, host = doctor.get("device") == "cuda", doctor.get("host") or {}
    lines = ["# GPU check", "", "%s UTC; %s, %s processors." % (datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), host.get("cpu"), host.get("processors"))]
    lines += [line for line in host.get("nvidia_smi") or []]
    other = host.get("torch")
    lines += ["PyTorch beside it: %s." % (", ".join("%s %s" % pair for pair in other.items()) if isinstance(other, dict) else other or "none")]
    if not cuda:
        lines += ["", "**no CUDA device**: what follows ran in small on the CPU, and its speeds mean nothing."]
    lines += ["", "## What is shown", ""] + ["- " + line for line in shown(sections)] + ["", "## Goals", ""]
    rows = [["goal", "measured", "bound", ""]]
    for name in order:
        for goal in (sections.get(name) or {}).get("goals") or []:
            rows.append([goal["what"], goal["value"] if cuda or goal["anywhere"] else None, goal["bound"], verdict(goal, cuda)])
        if not (sections.get(name) or {}).get("goals"):
            if name != "doctor" or not sections.get(name):
                rows.append(["section " + name, None, None, (sections.get(name) or {}).get("error") or "not yet measured"])
    lines += table(rows)
    for name in order:
        section = sections.get(name)
        if section:
            lines += ["## %s: %s, %.0f s" % (name, section["status"], section["seconds"]), ""]
            if section.get("error"):
                lines += [text(section["error"]), ""]
            if section.get("table"):
                lines += table(section["table"])
            lines += ["- " + text(note) for note in section.get("notes") or []] + [""]
    return "\n".join(lines) + "\n"


def log(kit, order):
    """The sections' logs, each cut in its middle where it is too long."""
    for name in order:
        path = os.path.join(kit.state, name + ".log")
        if os.path.exists(path):
            with open(path, "rb") as file:
                content = file.read()
            if len(content) > MOST_LOG:
                content = content[:MOST_LOG // 2] + b"\n[...]\n" + content[-MOST_LOG // 2:]
            yield b"==== %s\n%s\n" % (name.encode(), content)


def write(kit, folder, sections, order):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "results.json"), "w") as file:
        json.dump({name: sections[name] for name in order if sections.get(name)}, file, indent=1)
    with open(os.path.join(folder, "results.md"), "w") as file:
        file.write(markdown(sections, order))
    with open(os.path.join(folder, "check.log"), "wb") as file:
        file.writelines(log(kit, order))
