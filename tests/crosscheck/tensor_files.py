"""What Python makes of tensor files, for comparison with org.repopt4j.io.

  tensor_files.py describe FILE.pth|FILE.safetensors   one line a tensor: name, type, shape, SHA-256 of its bytes
  tensor_files.py make FOLDER                          files saved by torch.save, each with FILE.txt, its description
  tensor_files.py strict FILE.pth                      weights_only=True and load_state_dict(strict=True)
  tensor_files.py words FILE.pth                       whether torch 2's unpickler of weights_only=True knows all that is in it
  tensor_files.py attributes FILE.pth                  saves tensors that have attributes of Python's
  tensor_files.py checkpoint FILE.pth                  saves the state dict again as a distributed run's latest.pth holds it
"""
import argparse
import collections
import datetime
import hashlib
import json
import os
import pickletools
import struct
import sys
import zipfile

import torch

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
          "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def raw(tensor):
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
    flat.copy_(tensor.detach().reshape(-1))
    return flat.numpy().tobytes() if tensor.dtype != torch.bfloat16 else flat.view(torch.int16).numpy().tobytes()


def line(name, dtype, shape, data):
    return "\t".join([name, dtype, ",".join(map(str, shape)), hashlib.sha256(data).hexdigest()])


def describe(tensors):
    return [line(name, NAMES[t.dtype], t.shape, raw(t)) for name, t in tensors.items()]


def unique(pairs):
    keys = [key for key, _ in pairs]
    assert len(set(keys)) == len(keys), "a key comes twice"
    return collections.OrderedDict(pairs)


def read_safetensors(path):
    """The format's rules, each as an assertion."""
    with open(path, "rb") as file:
        everything = file.read()
    (length,) = struct.unpack("<Q", everything[:8])
    text, data = everything[8:8 + length], everything[8 + length:]
    assert length <= 100_000_000 and text[:1] == b"{" and length % 8 == 0
    header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values())
    at, lines = 0, []
    for entry in sorted(header.values(), key=lambda e: e["data_offsets"]):
        begin, end = entry["data_offsets"]
        size = torch.empty(0, dtype=DTYPES[entry["dtype"]]).element_size()
        assert begin == at and (8 + length + begin) % size == 0
        at = end
        for extent in entry["shape"]:
            size *= extent
        assert end - begin == size
    assert at == len(data)
    for name, entry in header.items():
        lines.append(line(name, entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]))
    return lines + ["%s=%s" % item for item in metadata.items()]


class SomeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.bn = torch.nn.BatchNorm2d(4)
        self.linear = torch.nn.Linear(4, 5)

    def forward(self, x):
        return self.linear(self.bn(self.conv(x)).mean((2, 3)))


class Config(dict):
    """Stands for yacs.config.CfgNode, which is a dict with attributes."""


def make(folder):
    torch.manual_seed(5)

    def save(name, thing, expected, **options):
        torch.save(thing, os.path.join(folder, name), **options)
        with open(os.path.join(folder, name + ".txt"), "w") as file:
            file.write("\n".join(describe(expected)) + "\n")

    bits = torch.randint(0, 256, (16 * 7,), dtype=torch.uint8)
    every = collections.OrderedDict()
    for name, dtype in reversed(list(DTYPES.items())):
        every["z." + name] = bits.view(dtype).clone() if dtype != torch.bool else bits > 99
    every["nan"] = torch.tensor([0x7fc00001, -0x3fffff, 0x7f800001, -0x80000000]).to(torch.int32).view(torch.float32)
    save("every-type.pth", every, every)
    for protocol in (3, 4, 5):
        save("protocol-%d.pth" % protocol, every, every, pickle_protocol=protocol)

    base = torch.arange(120.0)
    views = {
        "scalar": torch.tensor(3.5), "empty": torch.empty(0), "empty2": torch.empty(3, 0, 2), "base": base,
        "transposed": base.view(10, 12).t(), "slice": base[5:17], "every-third": base[1::3],
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 1000), "alone": torch.arange(9)[2:4],
        "channels-last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(torch.randn(3)), "tied": base, "ünïcode \U0001f600": torch.ones(1)}
    save("views.pth", views, views)

    # Before 2.0 torch.save forgot that values are to be negated, and what torch.load makes of the file counts; since then such files are refused.
    negated = torch._neg_view(torch.arange(1.0, 5.0))
    path = os.path.join(folder, "negated.pth")
    torch.save({"negated": negated if torch.__version__ < "2" else negated.resolve_neg()}, path)
    with open(path + ".txt", "w") as file:
        file.write("\n".join(describe(torch.load(path))) + "\n")

    net = SomeNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.randn(2, 3, 8, 8)).sum().backward()
        optimizer.step()
    state = net.state_dict()
    save("module.pth", state, state)
    save("ddp.pth", collections.OrderedDict(("module." + k, v) for k, v in state.items()), state)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])

    # The official repository's checkpoints hold these names, the configuration as a yacs node.
    Config.__module__, Config.__name__, Config.__qualname__ = "yacs.config", "CfgNode", "CfgNode"
    sys.modules["yacs"] = type(sys)("yacs")
    sys.modules["yacs.config"] = type(sys)("yacs.config")
    sys.modules["yacs.config"].CfgNode = Config
    config = Config(MODEL=Config(ARCH="RepOpt-VGG-B1-target"))
    config.__dict__["__immutable__"] = True
    import numpy
    save("checkpoint.pth", {
        "model": state, "optimizer": optimizer.state_dict(), "lr_scheduler": schedule.state_dict(), "max_accuracy": 78.5,
        "epoch": 119, "config": config, "args": argparse.Namespace(lr=0.1, tags=["a", "b"]), "best": numpy.float64(0.5),
        "history": numpy.arange(3), "rng_state": torch.get_rng_state(), "big": 1 << 100, "device": torch.device("cpu"),
        "milestones": collections.Counter([3, 5]), "names": {"a", "b"}, "epochs": range(3), "seen": collections.defaultdict(int),
        "saved": datetime.datetime.now(datetime.timezone.utc)}, state)
    save("nested.pth", {"state_dict": {"model": {"module." + k: v for k, v in state.items()}}, "epoch": 3}, state)
    save("tutorial.pth", {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": optimizer.state_dict(), "loss": 0.5}, state)
    save("no-tensors.pth", {"model": {"a": 1}}, {})
    save("bare-tensor.pth", base, {})
    save("whole-module.pth", net, {})
    save("legacy.pth", state, state, _use_new_zipfile_serialization=False)
    save("legacy-4.pth", state, state, _use_new_zipfile_serialization=False, pickle_protocol=4)
    torch.jit.script(net).save(os.path.join(folder, "script.pt"))


def strict(path):
    tensors = torch.load(path, weights_only=True)
    assert type(tensors) is collections.OrderedDict
    net = SomeNet()
    print(net.load_state_dict(tensors, strict=True))


def words(path):
    """Opcodes and names of torch/_weights_only_unpickler.py, restated."""
    opcodes = set("""GLOBAL NEWOBJ REDUCE BUILD APPEND APPENDS SETITEM SETITEMS MARK TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWFALSE NEWTRUE
        EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET BININT BININT1 BININT2 BINFLOAT BINUNICODE SHORT_BINSTRING BINPERSID BINGET
        LONG_BINGET BINPUT LONG_BINPUT LONG1 PROTO STOP""".split())
    names = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2"}
    names |= {"torch %sStorage" % kind for kind in "Double Float Half BFloat16 Long Int Short Char Byte Bool".split()}
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        (pickled,) = [name for name in file.namelist() if name.endswith("/data.pkl")]
        seen = list(pickletools.genops(file.read(pickled)))
    assert seen[0][0].name == "PROTO" and seen[0][1] == 2
    assert {op.name for op, _, _ in seen} <= opcodes, {op.name for op, _, _ in seen} - opcodes
    assert {value for op, value, _ in seen if op.name == "GLOBAL"} <= names
    print("allowed")


def attributes(path):
    tensors = collections.OrderedDict(plain=torch.tensor([1, 2.5, 3]), tensor=torch.tensor([1, 2.5, 3]),
                                      parameter=torch.nn.Parameter(torch.tensor([1, 2.5, 3])))
    tensors["tensor"].note = tensors["parameter"].note = {"any": "thing"}
    torch.save(tensors, path)


def main():
    command, path = sys.argv[1:]
    if command == "make":
        make(path)
    elif command == "strict":
        strict(path)
    elif command == "words":
        words(path)
    elif command == "attributes":
        attributes(path)
    elif command == "checkpoint":
        model = collections.OrderedDict(("module." + name, tensor) for name, tensor in torch.load(path).items())
        torch.save({"model": model, "optimizer": {"state": {}, "param_groups": []}, "epoch": 3}, path)
    elif path.endswith(".safetensors"):
        print("\n".join(read_safetensors(path)))
    else:
        print("\n".join(describe(torch.load(path, map_location="cpu"))))


if __name__ == "__main__":
    main()
