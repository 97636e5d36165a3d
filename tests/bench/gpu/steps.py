"""Times PyTorch beside repopt4j: steps.py copy|update|train ... Prints a JSON object a line, as soon as each is known.

copy: what the memory of the device can do, reading and writing counted. update: the optimizer's step alone, in both ways of updates.py.
train: whole training steps of networks.py, eager with the per-tensor update (as the official script trains) or compiled with PyTorch's
own SGD behind one multiplication with the masks. Every step waits for its loss, as 'repopt bench' does.
"""
import argparse
import json
import platform
import statistics
import sys
import time

import torch
import updates
from networks import Vgg, random_masks

RATE, DECAY = 1e-6, 4e-5


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def timed(work, device, warmup, repeats):
    """Milliseconds of each run."""
    for _ in range(warmup):
        work()
    times = []
    for _ in range(repeats):
        synchronize(device)
        begin = time.perf_counter()
        work()
        synchronize(device)
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def say(name, times, **more):
    row = {"name": name, "median": statistics.median(times), "fastest": min(times), "milliseconds": [round(t, 4) for t in times]}
    row.update(more)
    print(json.dumps(row), flush=True)


def copy(args):
    values = (1 << 28) if args.device == "cuda" else (1 << 23)
    source, target = torch.ones(values, device=args.device), torch.empty(values, device=args.device)
    times = timed(lambda: target.copy_(source), args.device, args.warmup, args.repeats)
    say("copy", times, gigabytes_per_second=2 * 4 * values / statistics.median(times) / 1e6)


def network(args):
    torch.manual_seed(0)
    net = Vgg(args.arch, args.mode, args.classes)
    masks = random_masks(net) if args.mode == "target" else {}
    net.to(args.device)
    on_device = {p: mask.to(args.device) for p, mask in masks.items()}
    return net.train(), on_device


def update(args):
    net, masks = network(args)
    for way, name in ((updates.PerTensorSgd, "per-tensor"), (updates.MaskedSgd, "masked")):
        sgd = way(updates.groups(net, DECAY), masks, RATE)
        kept = [torch.randn_like(p) * 1e-3 for p in net.parameters()]
        times = []
        for run in range(args.warmup + args.repeats):
            # Fresh gradients, outside the clock: the masked way multiplies them in place.
            for p, gradient in zip(net.parameters(), kept):
                p.grad = gradient.clone()
            times += timed(sgd.step, args.device, 0, 1)
        say(name, times[args.warmup:])


def precision(name):
    """Settings of one precision: whether autocast, whether channels last."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = name == "tf32"
    return name.startswith("bf16"), name.endswith("-last")


def train_once(args, precision_name):
    autocast, last = precision(precision_name)
    net, masks = network(args)
    form = torch.channels_last if last else torch.contiguous_format
    net.to(memory_format=form)
    masks = {p: mask.contiguous(memory_format=form) for p, mask in masks.items()}
    images = torch.randn(args.batch_size, 3, args.resolution, args.resolution).to(args.device).contiguous(memory_format=form)
    labels = torch.randint(args.classes, (args.batch_size,)).to(args.device)
    way = updates.MaskedSgd if args.compile else updates.PerTensorSgd
    sgd = way(updates.groups(net, DECAY), masks, RATE)
    model = torch.compile(net) if args.compile else net
    criterion = torch.nn.CrossEntropyLoss()

    def step():
        sgd.zero_grad()
        with torch.autocast(args.device, dtype=torch.bfloat16, enabled=autocast):
            loss = criterion(model(images), labels)
        loss.backward()
        sgd.step()
        value = loss.item()
        if value != value:
            sys.exit("steps.py: the loss became NaN")

    more = {}
    begin = time.perf_counter()
    step()
    more["first_step_seconds"] = time.perf_counter() - begin
    if args.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    times = timed(step, args.device, args.warmup, args.repeats)
    if args.device == "cuda":
        more["peak_device_bytes"] = torch.cuda.max_memory_allocated()
        more["peak_reserved_bytes"] = torch.cuda.max_memory_reserved()
    say(precision_name, times, images_per_second=1e3 * args.batch_size / statistics.median(times), batch_size=args.batch_size, compiled=args.compile, mode=args.mode, **more)


def train(args):
    for name in args.precision.split(","):
        try:
            train_once(args, name)
        except Exception as error:
            # One row too large for the memory, or more than this release of PyTorch can do, must not cost the others.
            print(json.dumps({"name": name, "error": " ".join((type(error).__name__ + ": " + str(error)).split())[:400]}), flush=True)
        if args.device == "cuda":
            torch.cuda.empty_cache()


def main():
    parser = argparse.ArgumentParser(prog="steps.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("facts", "copy", "update", "train"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--arch", default="RepOpt-VGG-B1")
    parser.add_argument("--mode", choices=("target", "repvgg"), default="target")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--precision", default="fp32", help="some of fp32,tf32,bf16,bf16-last: the last one with channels last in memory")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    # As the official script has it: the fastest algorithms for the shapes that come.
    torch.backends.cudnn.benchmark = True
    if args.what == "facts":
        cuda = torch.cuda.is_available()
        print(json.dumps({"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda, "cuda_usable": cuda,
                          "device": torch.cuda.get_device_name() if cuda else None, "cudnn": torch.backends.cudnn.version()}))
        return
    {"copy": copy, "update": update, "train": train}[args.what](args)


if __name__ == "__main__":
    main()
