"""What the official Python repository computes, for comparison with org.repopt4j.crosscheck.

  official_side.py --official DIR --output FOLDER [--cases N] [--seed S] [--threads N] [--small] [--no-whole]

DIR is a clone of https://github.com/DingXiaoH/RepOptimizers; all that is computed here is computed by its modules. FOLDER
gets manifest.json, which names each case with all its parameters, and for each case a file of tensors. Weights, scales,
images and labels are drawn by a generator that both sides have (SplitMix64), so that only results are written; several
tensors of one quantity are written as one, flattened, in the order of the state dict. Needs torch and numpy, nothing else.
"""
import argparse
import builtins
import contextlib
import copy
import hashlib
import io
import json
import math
import os
import random
import re
import subprocess
import sys
import types

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as e:
    sys.stderr.write("missing: %s\n" % (e.name or e))
    sys.exit(3)

MASK = (1 << 64) - 1
# AdamW's first step is the whole learning rate up or down wherever a gradient is far above eps, also where it is nothing but
# float32's rounding of a 0. With this eps the float32 steps depend on gradients smoothly; float64 has the usual one.
EPS_FLOAT32 = 1e-3
# Nearer than KINK to 0, rounding may decide on which side a ReLU is.
KINK, MOST_REDRAWS = 2e-5, 100
SCRIPT_RUNS = 9
SCALES = ("scale_conv", "scale_1x1", "scale_identity", "fusion_scale")
RELEASED = {
    "RepOpt-VGG-B1": ("RepOpt-VGG-B1-scales.pth", [4, 6, 16, 1], [2, 2, 2, 4]),
    "RepOpt-VGG-B2": ("RepOpt-VGG-B2-scales.pth", [4, 6, 16, 1], [2.5, 2.5, 2.5, 5]),
    "RepOpt-VGG-L1": ("RepOpt-VGG-L1-scales.pth", [8, 14, 24, 1], [2, 2, 2, 4]),
    "RepOpt-VGG-L2": ("RepOpt-VGG-L2-scales.pth", [8, 14, 24, 1], [2.5, 2.5, 2.5, 5]),
    "RepOpt-GhostNet-0.5x": ("RepOptGhostNet_0_5x_scales.pth", None, None),
}


# ---- the generator that both sides have

def uniform(seed, name, count):
    """float64 multiples of 2**-24 in [0, 1): a SplitMix64 stream whose start is the FNV-1a hash of seed and name."""
    key = 0xCBF29CE484222325
    for byte in ("%d/%s" % (seed, name)).encode():
        key = ((key ^ byte) * 0x100000001B3) & MASK
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) * 2.0 ** -24


def tensor(values, shape):
    """Without torch.from_numpy, which needs a numpy that torch was built for."""
    return torch.tensor(values.astype(np.float32).tolist(), dtype=torch.float32).reshape(tuple(shape))


def draw(seed, name, shape, low, high):
    return tensor(low + (high - low) * uniform(seed, name, int(np.prod(shape))), shape)


def draw_scales(seed, name, shape):
    """Both signs, none near 0."""
    u = 2.0 * uniform(seed, name, int(np.prod(shape))) - 1.0
    return tensor(np.where(u < 0, -1.0, 1.0) * (0.2 + 1.2 * np.abs(u)), shape)


def labels(seed, name, count, classes):
    return torch.tensor((uniform(seed, name, count) * classes).astype(np.int64).tolist(), dtype=torch.int64)


def fill(model, seed, mode):
    """Gives every weight and buffer a drawn value; what it is drawn from depends on its name and shape."""
    with torch.no_grad():
        for name, t in model.state_dict().items():
            parts = name.split(".")
            if parts[-1] == "num_batches_tracked":
                continue
            key = mode + ":" + name
            scale = len(parts) > 1 and parts[-2] in SCALES or name.endswith("cheap_operation.1.weight") and mode in ("hs", "csla")
            if scale:
                value = draw_scales(seed, key, t.shape)
            elif t.dim() > 1:
                bound = 1.5 / math.sqrt(int(np.prod(t.shape[1:])))
                value = draw(seed, key, t.shape, -bound, bound)
            elif parts[-1] in ("running_var", "weight"):
                value = draw(seed, key, t.shape, 0.5, 1.5)
            else:
                value = draw(seed, key, t.shape, -0.3, 0.3)
            t.copy_(value)
    return model


# ---- what is written

def flat(tensors):
    tensors = [t.detach().reshape(-1) for t in tensors]
    return torch.cat(tensors).clone() if tensors else torch.zeros(0)


def sha(t):
    """SHA-256 of the values' bytes, row by row."""
    digest = hashlib.sha256()
    t = t.detach().contiguous()
    digest.update((memory(t)))
    return digest.hexdigest()


def memory(t):
    try:
        return memoryview(t.numpy()).cast("B") if t.dim() else t.numpy().tobytes()
    except (RuntimeError, TypeError):
        kind = {torch.float32: np.float32, torch.int64: np.int64, torch.float64: np.float64}[t.dtype]
        return np.array(t.tolist(), dtype=kind).tobytes()


def hashes(state):
    return {name: sha(t) for name, t in state.items()}


def save(path, tensors):
    """A safetensors file: the length of the header, the header, the data."""
    header, data = {}, b""
    for name, t in tensors.items():
        raw = bytes(memory(t.detach().contiguous()))
        header[name] = {"dtype": {torch.float32: "F32", torch.float64: "F64"}[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(len(head).to_bytes(8, "little") + head + data)


def floating(model):
    return [t for t in model.state_dict().values() if t.is_floating_point()]


def trainable(model):
    return [p for p in model.parameters() if p.requires_grad]


@contextlib.contextmanager
def silent():
    with contextlib.redirect_stdout(io.StringIO()):
        yield


# ---- the official modules

def schedulers():
    """timm's base class and its two schedules, restated from the documentation of 0.4.12, for the official lr_scheduler.py."""

    class Scheduler:
        def __init__(self, optimizer, param_group_field, noise_range_t=None, noise_type="normal", noise_pct=0.67,
                     noise_std=1.0, noise_seed=None, initialize=True):
            self.optimizer, self.field = optimizer, param_group_field
            self.base_values = [group[param_group_field] for group in optimizer.param_groups]
            self.update_groups(self.base_values)

        def step_update(self, num_updates, metric=None):
            values = self.get_update_values(num_updates)
            if values is not None:
                self.update_groups(values)

        def update_groups(self, values):
            if not isinstance(values, (list, tuple)):
                values = [values] * len(self.optimizer.param_groups)
            for group, value in zip(self.optimizer.param_groups, values):
                group[self.field] = value

    class Warm(Scheduler):
        def __init__(self, optimizer, warmup_t=0, warmup_lr_init=0.0, t_in_epochs=True):
            super().__init__(optimizer, param_group_field="lr")
            self.warmup_t, self.warmup_lr_init, self.t_in_epochs = warmup_t, warmup_lr_init, t_in_epochs
            self.slopes = [(v - warmup_lr_init) / warmup_t if warmup_t else 1 for v in self.base_values]
            if warmup_t:
                self.update_groups(warmup_lr_init)

        def get_update_values(self, t):
            if self.t_in_epochs:
                return None
            if t < self.warmup_t:
                return [self.warmup_lr_init + t * slope for slope in self.slopes]
            return [self.after(v, t) for v in self.base_values]

    class CosineLRScheduler(Warm):
        def __init__(self, optimizer, t_initial, lr_min=0.0, cycle_limit=0, **warm):
            super().__init__(optimizer, **warm)
            assert cycle_limit == 1
            self.t_initial, self.lr_min = t_initial, lr_min

        def after(self, base, t):
            if t >= self.t_initial:
                return self.lr_min
            return self.lr_min + 0.5 * (base - self.lr_min) * (1 + math.cos(math.pi * t / self.t_initial))

    class StepLRScheduler(Warm):
        def __init__(self, optimizer, decay_t, decay_rate=1.0, **warm):
            super().__init__(optimizer, **warm)
            self.decay_t, self.decay_rate = decay_t, decay_rate

        def after(self, base, t):
            return base * self.decay_rate ** (t // self.decay_t)

    return {"cosine_lr": {"CosineLRScheduler": CosineLRScheduler}, "step_lr": {"StepLRScheduler": StepLRScheduler},
            "scheduler": {"Scheduler": Scheduler}}


def load_official(folder):
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    sys.modules["timm"] = types.ModuleType("timm")
    sys.modules["timm.scheduler"] = types.ModuleType("timm.scheduler")
    for name, members in schedulers().items():
        module = types.ModuleType("timm.scheduler." + name)
        module.__dict__.update(members)
        sys.modules["timm.scheduler." + name] = module
    torch.Tensor.cuda = lambda self, *a, **k: self
    torch.nn.Module.cuda = lambda self, *a, **k: self
    from repoptimizer import repoptvgg_model, repoptvgg_impl, repoptghostnet_model, repoptghostnet_impl
    from repoptimizer import repoptimizer_sgd, repoptimizer_adamw
    import lr_scheduler
    import optimizer
    return types.SimpleNamespace(
        vgg=repoptvgg_model, vgg_impl=repoptvgg_impl, ghost=repoptghostnet_model, ghost_impl=repoptghostnet_impl,
        sgd=repoptimizer_sgd.RepOptimizerSGD, adamw=repoptimizer_adamw.RepOptimizerAdamW, lr=lr_scheduler, groups=optimizer,
        folder=folder)


# ---- random networks: modes, rule of initialization, Grad Mults, training

def vgg_case(rng, small):
    channels = [4] * 4 if small else [4 * rng.randint(1, 4) for _ in range(4)]
    strides = [2, 1, 1, 2, 1] if small else rng.choice([[1, 2, 1, 2, 1], [2, 1, 2, 2, 1], [1, 1, 2, 1, 2], [1, 1, 1, 1, 1], [2, 2, 1, 1, 2]])
    return {"kind": "vgg", "blocks": [1] * 4 if small else [rng.randint(1, 2) for _ in range(4)],
            "widths": [c / (64 << i) for i, c in enumerate(channels)], "strides": strides, "se": rng.random() < 0.4,
            "classes": rng.randint(3, 10), "image": [rng.randint(4, 7), 3, 4 * int(np.prod(strides)) // 2 + 2, 2 * int(np.prod(strides)) + 2],
            "modes": ["target", "csla", "hs", "repvgg"]}


def wide_case(rng):
    """Few pixels, and in the last stage as many channels as the kernels for wide convolutions want (WideConvolution)."""
    channels = [4, 4, 256, 256]
    return {"kind": "vgg", "blocks": [1] * 4, "widths": [c / (64 << i) for i, c in enumerate(channels)], "strides": [2, 1, 1, 1, 1],
            "se": False, "classes": rng.randint(3, 10), "image": [3, 3, 2 * rng.randint(3, 7), 2 * rng.randint(3, 7)],
            "modes": ["target", "csla", "hs", "repvgg"]}


def ghost_case(rng, small):
    width = 4 if small else 4 * rng.randint(1, 4)
    return {"kind": "ghost", "in": rng.randint(2, 6), "channels": width, "dw": [rng.choice([3, 5]), rng.choice([3, 5])],
            "places": [rng.randint(1, 4), rng.randint(1, 4)], "image": [rng.randint(4, 7), 0, 6, 7], "classes": width,
            "modes": ["target", "csla", "hs", "rep"]}


def training_parameters(rng, case, small):
    rule = rng.choice(["sgd", "adamw"])
    case.update(rule=rule, steps=3 if small else rng.randint(4, 10), seed=rng.randint(0, 2 ** 31), lr=round(rng.uniform(0.005, 0.05), 4) if rule == "sgd" else round(rng.uniform(5e-4, 5e-3), 5),
                momentum=round(rng.uniform(0.5, 0.95), 2), nesterov=rng.random() < 0.6, weight_decay=rng.choice([0.0, 4e-5, 1e-3, 0.05]),
                betas=[0.9, rng.choice([0.99, 0.999])], eps=rng.choice([1e-8, 1e-6]), eps_float32=EPS_FLOAT32, identity_scales=rng.random() < 0.5,
                plain_mode=rng.choice(case["modes"][1:]))
    # PyTorch has no dampening beside Nesterov's momentum.
    case["dampening"] = 0.0 if case["nesterov"] else round(rng.uniform(0, 0.5), 2)
    return case


def build(official, case, mode):
    with silent():
        if case["kind"] == "vgg":
            return official.vgg.RepOptVGG(case["blocks"], num_classes=case["classes"], width_multiplier=case["widths"],
                                          strides=tuple(case["strides"]), use_post_se=case["se"], mode=mode)
        case["image"][1] = case["in"]
        c = case["channels"]
        return torch.nn.Sequential(
            official.ghost.RepOptGhostModule(case["in"], c, dw_size=case["dw"][0], relu=True, mode=mode, num_stage_modules=case["places"][0]),
            official.ghost.RepOptGhostModule(c, c, dw_size=case["dw"][1], relu=False, mode=mode, num_stage_modules=case["places"][1]))


def logits(case, output):
    return output if case["kind"] == "vgg" else output.mean(dim=(2, 3))


def handler(official, case, model, scales, rule, identity_scales=True):
    impl = official.vgg_impl.RepOptVGGHandler if case["kind"] == "vgg" else official.ghost_impl.RepOptGhostNetHandler
    return impl(model, scales, reinit=True, use_identity_scales_for_reinit=identity_scales, cpu_mode=True, update_rule=rule)


def forward_passes(official, case, mode, out):
    model = fill(build(official, case, mode), case["seed"], mode)
    x = draw(case["seed"], "forward", case["image"], -1.7, 1.7)
    for bits, dtype in ((32, torch.float32), (64, torch.float64)):
        net = copy.deepcopy(model).to(dtype)
        with torch.no_grad():
            out["%s.eval%d" % (mode, bits)] = logits(case, net.eval()(x.to(dtype)))
            out["%s.train%d" % (mode, bits)] = logits(case, net.train()(x.to(dtype)))
        out["%s.stats%d" % (mode, bits)] = flat(t for n, t in net.state_dict().items() if "running_" in n)
    return model


def images(case, t, redraws, dtype):
    return draw(case["seed"], "image%d.%d" % (t, redraws), case["image"], -1.7, 1.7).to(dtype)


def kink_distance(model, x):
    """How near to 0 any input of a ReLU comes; the model is left as it was."""
    nearest, relu = [], F.relu

    def seen(input, inplace=False):
        nearest.append(float(input.detach().abs().min()))
        return relu(input, inplace=inplace)

    F.relu = seen
    try:
        copy.deepcopy(model)(x)
    finally:
        F.relu = relu
    return min(nearest)


def well_posed(case, model, t, dtype):
    """How often a step's images are drawn again until no rounding can put a ReLU on its other side, which changes gradients at once."""
    redraws = 0
    while redraws < MOST_REDRAWS and kink_distance(model, images(case, t, redraws, dtype)) < KINK:
        redraws += 1
    return redraws


def train(official, case, model, optimizer, out, prefix, dtype):
    model = model.train()
    losses = []
    for t in range(case["steps"]):
        if prefix == "run64":
            case["redraws"].append(well_posed(case, model, t, dtype))
        x = images(case, t, case["redraws"][t], dtype)
        y = labels(case["seed"], "label%d" % t, case["image"][0], case["classes"])
        loss = F.cross_entropy(logits(case, model(x)), y)
        optimizer.zero_grad()
        loss.backward()
        if t == 0:
            out[prefix + ".grad"] = flat(p.grad for p in trainable(model))
        optimizer.step()
        if t == 0:
            if prefix == "run64":
                out[prefix + ".gradafter"] = flat(p.grad for p in trainable(model))
            out[prefix + ".step1"] = flat(trainable(model))
        losses.append(float(loss))
    out[prefix + ".losses"] = torch.tensor(losses, dtype=dtype)
    out[prefix + ".final"] = flat(floating(model))
    for buffer in ("momentum_buffer", "exp_avg", "exp_avg_sq"):
        found = [optimizer.state[p][buffer] for p in trainable(model) if buffer in optimizer.state[p]]
        if found:
            out[prefix + "." + buffer] = flat(found)


def group_names(official, model):
    names = {id(p): n for n, p in model.named_parameters()}
    return [[names[id(p)] for p in group["params"]] for group in official.groups.set_weight_decay(model)]


def network(official, case, out):
    seed = case["seed"]
    case["init"], case["groups"] = {}, {}
    for mode in case["modes"]:
        torch.manual_seed(seed)
        fresh = build(official, case, mode)
        case["init"][mode] = hashes(fresh.state_dict())
        case["groups"][mode] = group_names(official, fresh)
        filled = forward_passes(official, case, mode, out)
        if mode == "hs":
            with silent():
                impl = official.vgg_impl if case["kind"] == "vgg" else official.ghost_impl
                scales = impl.extract_scales(filled)
    for identity in (True, False):
        torch.manual_seed(seed)
        model = build(official, case, "target")
        with silent():
            handler(official, case, model, scales, "sgd", identity).reinitialize()
        out["reinit%d" % identity] = flat(floating(model))
        if identity == case["identity_scales"]:
            start = model
    for rule in ("sgd", "adamw"):
        mults = handler(official, case, start, scales, rule).generate_grad_mults()
        out["mult." + rule] = flat(mults[p] for p in start.parameters() if p in mults)
    case["redraws"] = []
    for prefix, dtype in (("run64", torch.float64), ("run32", torch.float32)):
        model = copy.deepcopy(start).to(dtype)
        with silent():
            wide = [tuple(s.to(dtype) for s in block) for block in scales]
            mults = handler(official, case, model, wide, case["rule"]).generate_grad_mults()
            params = official.groups.set_weight_decay(model)
            if case["rule"] == "sgd":
                optimizer = official.sgd(mults, params, lr=case["lr"], momentum=case["momentum"], dampening=case["dampening"],
                                         weight_decay=case["weight_decay"], nesterov=case["nesterov"])
            else:
                optimizer = official.adamw(mults, params, lr=case["lr"], betas=tuple(case["betas"]), eps=case["eps_float32" if dtype == torch.float32 else "eps"], weight_decay=case["weight_decay"])
        train(official, case, model, optimizer, out, prefix, dtype)
    seen = {}
    plain = fill(build(official, case, case["plain_mode"]), seed + 1, case["plain_mode"]).double()
    train(official, case, plain, plain_optimizer(official, case, plain), seen, "plain", torch.float64)
    out.update((key, seen[key]) for key in ("plain.losses", "plain.final"))


def plain_optimizer(official, case, model):
    optimizer = types.SimpleNamespace(NAME=case["rule"], MOMENTUM=case["momentum"], EPS=case["eps"], BETAS=tuple(case["betas"]))
    config = types.SimpleNamespace(LOCAL_RANK=1, TRAIN=types.SimpleNamespace(OPTIMIZER=optimizer, BASE_LR=case["lr"], WEIGHT_DECAY=case["weight_decay"]))
    with silent():
        return official.groups.build_optimizer(config, model)


# ---- learning-rate schedules

def schedule(official, case, rng, small):
    case.update(base_lr=round(rng.uniform(1e-3, 1.0), 5),
                warmup_lr=round(rng.uniform(0, 1e-3), 7), min_lr=round(rng.uniform(0, 1e-3), 7), epochs=rng.randint(5, 8 if small else 40), per_epoch=rng.randint(1, 4 if small else 30),
                warmup_epochs=rng.choice([0, 1, 3]), decay_epochs=rng.randint(1, 12), decay_rate=round(rng.uniform(0.1, 0.99), 3))
    scheduler = types.SimpleNamespace(NAME=case["name"], DECAY_EPOCHS=case["decay_epochs"], DECAY_RATE=case["decay_rate"])
    config = types.SimpleNamespace(TRAIN=types.SimpleNamespace(EPOCHS=case["epochs"], WARMUP_EPOCHS=case["warmup_epochs"], LR_SCHEDULER=scheduler,
                                                               MIN_LR=case["min_lr"], WARMUP_LR=case["warmup_lr"]))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=case["base_lr"])
    official_schedule = official.lr.build_scheduler(config, optimizer, case["per_epoch"])
    total = case["epochs"] * case["per_epoch"]
    used, after = [], []
    for step in range(total + 5):
        used.append(optimizer.param_groups[0]["lr"])
        official_schedule.step_update(step)
        after.append(optimizer.param_groups[0]["lr"])
    case["used"], case["after"] = used[:total], after


# ---- whole networks, released scales, equivalence scripts

def whole(official, case, out):
    seed = case["seed"]
    case["init"], case["groups"] = {}, {}
    for mode in case["modes"]:
        torch.manual_seed(seed)
        with silent():
            if case["arch"] == "RepOpt-VGG-B1":
                model = official.vgg.RepOptVGG([4, 6, 16, 1], num_classes=1000, width_multiplier=[2, 2, 2, 4], mode=mode)
            else:
                model = official.ghost.repoptghostnet_0_5x(mode=mode, num_classes=case["classes"])
        case["init"][mode] = hashes(model.state_dict())
        case["groups"][mode] = group_names(official, model)
        if case["forward"]:
            fill(model, seed, mode).eval()
            with torch.no_grad():
                out[mode + ".eval32"] = model(draw(seed, "forward", case["image"], -1.7, 1.7))


@contextlib.contextmanager
def without_initial_values():
    """Building a network of 118 million weights is all that takes time where their values do not matter."""
    init = torch.nn.init.kaiming_uniform_
    torch.nn.init.kaiming_uniform_ = lambda t, *a, **k: t
    try:
        yield
    finally:
        torch.nn.init.kaiming_uniform_ = init


def released(official, case):
    file, blocks, widths = RELEASED[case["arch"]]
    path = os.path.join(official.folder, file)
    case["path"] = file
    state = torch.load(path, map_location="cpu")
    for key in ("model", "state_dict"):
        state = state[key] if key in state else state
    case["tensors"] = hashes({n: t for n, t in state.items() if torch.is_tensor(t)})
    with silent(), without_initial_values():
        if blocks:
            scales = official.vgg_impl.extract_RepOptVGG_scales_from_pth(blocks, widths, path)
            model = official.vgg.RepOptVGG(blocks, width_multiplier=widths, mode="target")
            make = official.vgg_impl.RepOptVGGHandler
        else:
            scales = official.ghost_impl.extract_RepOptGhostNet_0_5x_scales_from_pth(path)
            model = official.ghost.repoptghostnet_0_5x(mode="target")
            make = official.ghost_impl.RepOptGhostNetHandler
        case["mults"] = {}
        for rule in ("sgd", "adamw"):
            mults = make(model, scales, cpu_mode=True, update_rule=rule).generate_grad_mults()
            case["mults"][rule] = {n: sha(mults[p]) for n, p in model.named_parameters() if p in mults}


def script(official, case):
    """The medians of what it prints: AdamW's eps is not scaled as the gradients are, so where a gradient is near it (for one of some
    fifty seeds), the two sides of the official script itself part by up to 1e-2."""
    code = "import runpy, torch\ntorch.set_num_threads(1)\nfor seed in range(%d, %d):\n  torch.manual_seed(seed)\n  runpy.run_path(%r)" % (
        case["seed"], case["seed"] + SCRIPT_RUNS, case["script"])
    done = subprocess.run([sys.executable, "-c", code], cwd=official.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                          env=dict(os.environ, PYTHONPATH=official.folder, PYTHONDONTWRITEBYTECODE="1"))
    if done.returncode:
        raise RuntimeError("%s failed: %s" % (case["script"], done.stderr.strip().splitlines()[-1]))
    found = [float(v) for v in re.findall(r"tensor\(([^,)]+)", done.stdout)]
    if len(found) != 2 * SCRIPT_RUNS:
        raise RuntimeError("%s printed %d numbers in %d runs, must be two a run" % (case["script"], len(found), SCRIPT_RUNS))
    case["runs"] = SCRIPT_RUNS
    for rule, values in ("sgd", found[0::2]), ("adamw", found[1::2]):
        case[rule], case[rule + "_largest"] = float(np.median(values)), max(values)


# ---- all of it

def cases(args):
    rng = random.Random(args.seed)
    for i in range(args.cases):
        which = i % 6
        if which in (0, 2, 4):
            yield training_parameters(rng, vgg_case(rng, args.small), args.small), rng
        elif which in (1, 3):
            yield training_parameters(rng, ghost_case(rng, args.small), args.small), rng
        else:
            yield {"kind": "schedule", "name": ["cosine", "linear", "step"][i // 6 % 3]}, rng
    if args.small:
        for name in ("cosine", "linear", "step"):
            yield {"kind": "schedule", "name": name}, rng
    if args.no_whole:
        return
    yield training_parameters(rng, wide_case(rng), args.small), rng
    yield {"kind": "whole", "arch": "RepOpt-GhostNet-0.5x", "modes": ["target", "csla", "hs", "rep"], "seed": args.seed + 1, "classes": 10,
           "forward": True, "image": [2, 3, 64, 64]}, rng
    yield {"kind": "whole", "arch": "RepOpt-VGG-B1", "modes": ["target"], "seed": args.seed + 2, "classes": 1000, "forward": False}, rng
    for arch in RELEASED:
        yield {"kind": "scales", "arch": arch}, rng
    for name in ("check_equivalency.py", "check_equivalency_repghost.py"):
        yield {"kind": "script", "script": name, "seed": args.seed}, rng


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--official", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--cases", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="the smallest networks, for files to be kept")
    parser.add_argument("--no-whole", action="store_true", help="random cases only")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    official = load_official(os.path.abspath(args.official))
    done, counts = [], {}
    for case, rng in cases(args):
        kind = case["kind"]
        counts[kind] = counts.get(kind, 0) + 1
        case["id"] = "%s-%02d" % (kind, counts[kind])
        builtins.print("python: %s" % case["id"], file=sys.stderr, flush=True)
        out = {}
        {"vgg": lambda: network(official, case, out), "ghost": lambda: network(official, case, out), "schedule": lambda: schedule(official, case, rng, args.small),
         "whole": lambda: whole(official, case, out), "scales": lambda: released(official, case), "script": lambda: script(official, case)}[kind]()
        if out:
            case["file"] = case["id"] + ".safetensors"
            save(os.path.join(args.output, case["file"]), out)
        done.append(case)
    manifest = {"torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0], "seed": args.seed, "cases": done}
    with open(os.path.join(args.output, "manifest.json"), "w") as f:
        json.dump(manifest, f, indent=None, separators=(",", ":"))


if __name__ == "__main__":
    main()
