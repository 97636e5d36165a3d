"""Times steps of the official Python repository, of which DIR is a clone: official_steps.py --official DIR --what update|train|hs …

Everything that is timed is computed by its modules: its network, its optimizer, in the order of its training loop. Prints JSON.
"""
import argparse
import json
import os
import platform
import resource
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "crosscheck"))
from official_side import load_official, silent  # noqa: E402

BLOCKS, WIDTHS = [4, 6, 16, 1], [2, 2, 2, 4]  # RepOpt-VGG-B1
RATE = 1e-6  # the network is to stay finite however long it is timed


def target(official, rule, classes):
    """The target network and its RepOptimizer, as the official script builds them."""
    with silent():
        model = official.vgg.RepOptVGG(BLOCKS, num_classes=classes, width_multiplier=WIDTHS, mode="target")
        path = os.path.join(official.folder, "RepOpt-VGG-B1-scales.pth")
        scales = official.vgg_impl.extract_RepOptVGG_scales_from_pth(BLOCKS, WIDTHS, path)
        handler = official.vgg_impl.RepOptVGGHandler(model, scales, cpu_mode=True, update_rule=rule)
        handler.reinitialize()
        mults = handler.generate_grad_mults()
        groups = official.groups.set_weight_decay(model)
        if rule == "sgd":
            return model, official.sgd(mults, groups, lr=RATE, momentum=0.9, weight_decay=4e-5, nesterov=True)
        return model, official.adamw(mults, groups, lr=RATE, weight_decay=4e-5)


def timed(warmup, repeats, run, prepare=lambda: None):
    milliseconds = []
    for i in range(warmup + repeats):
        prepare()
        begin = time.perf_counter()
        run()
        if i >= warmup:
            milliseconds.append((time.perf_counter() - begin) * 1e3)
    return milliseconds


def update(official, args):
    model, optimizer = target(official, args.opt, args.classes)
    gradients = [torch.randn_like(p) * 1e-3 for p in model.parameters()]
    for p, g in zip(model.parameters(), gradients):
        p.grad = g.clone()

    def fresh():
        # The official AdamW multiplies p.grad in place.
        for p, g in zip(model.parameters(), gradients):
            p.grad.copy_(g)

    return timed(args.warmup, args.repeats, optimizer.step, fresh)


def step(official, args):
    if args.what == "hs":
        with silent():
            model = official.vgg.RepOptVGG(BLOCKS, num_classes=args.classes, width_multiplier=WIDTHS, mode="hs")
            groups = official.groups.set_weight_decay(model)
        optimizer = torch.optim.SGD(groups, momentum=0.9, nesterov=True, lr=RATE, weight_decay=4e-5)
    else:
        model, optimizer = target(official, args.opt, args.classes)
    model.train()
    x = torch.randn(args.batch_size, 3, args.resolution, args.resolution)
    y = torch.randint(args.classes, (args.batch_size,))

    def run():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        value = loss.item()
        assert value == value, "the loss is no number"

    return timed(args.warmup, args.repeats, run)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--official", required=True)
    parser.add_argument("--what", choices=["update", "train", "hs"], required=True)
    parser.add_argument("--opt", choices=["sgd", "adamw"], default="sgd")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    official = load_official(os.path.abspath(args.official))
    milliseconds = (update if args.what == "update" else step)(official, args)
    print(json.dumps({"milliseconds": milliseconds, "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                      "torch": torch.__version__, "python": platform.python_version(), "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
