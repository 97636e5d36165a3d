"""safetensors files with float32 and int64 tensors, read and written without the package of that name."""
import json
import struct

import torch

# The type and the bytes of a value.
DTYPES = {"F32": (torch.float32, 4), "I64": (torch.int64, 8)}


def read(path):
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype, size = DTYPES[entry["dtype"]]
        count = (end - begin) // size
        flat = torch.frombuffer(data, dtype=dtype, count=count, offset=begin) if count else torch.empty(0, dtype=dtype)
        found[name] = flat.reshape(entry["shape"]).clone()
    return found


def write(path, named):
    header, data = {}, b""
    for name, tensor in named.items():
        raw = bytes(tensor.detach().cpu().contiguous().float().numpy().tobytes())
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
