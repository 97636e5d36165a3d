"""Files that attack the reader of a .pth or safetensors file: hostile_files.py FOLDER.

Each must be refused. What is called valid-* is well formed and only no network's weights. Had a pickle been run, there would be a
file PWNED in FOLDER.
"""
import io
import json
import os
import pickle
import struct
import sys
import zipfile

import torch

folder = sys.argv[1]


def save(name, data):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


# ---- zip files around a pickle


def zipped(*entries, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return out.getvalue()


def pth(body, *more):
    return zipped(("a/data.pkl", body), ("a/version", b"3"), ("a/data/0", bytes(16)), *more)


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(shape, strides, offset=0, count=4, key="0", storage="FloatStorage"):
    return (b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + b"ctorch\n" + storage.encode() + b"\n" + text(key)
            + text("cpu") + number(count) + b"tQ" + number(offset) + numbers(shape) + numbers(strides) + b"\x89NtR")


def state(*tensors):
    return b"\x80\x02}(" + b"".join(text("w%d" % i) + t for i, t in enumerate(tensors)) + b"u."


class Call:
    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments

    def pickled(self, protocol=2):
        head = b"\x80" + bytes([protocol])
        where = ("c%s\n%s\n" % (self.module, self.name)).encode()
        if protocol >= 4:
            where = text(self.module) + text(self.name) + b"\x93"
        return head + where + b"(" + b"".join(map(text, self.arguments)) + b"tR."


touch = "touch %s" % os.path.join(folder, "PWNED")
script = "__import__('os').system(%r)" % touch
CALLS = {
    "os-system": Call("os", "system", touch), "posix-system": Call("posix", "system", touch),
    "builtins-eval": Call("builtins", "eval", script), "builtins-exec": Call("builtins", "exec", script),
    "py2-builtins-eval": Call("__builtin__", "eval", script), "getattr": Call("builtins", "getattr", "os", "system"),
    "subprocess": Call("subprocess", "check_output", touch), "import-module": Call("importlib", "import_module", "os"),
    "java-runtime": Call("java.lang", "Runtime", touch), "java-process": Call("java.lang", "ProcessBuilder", touch),
    "java-class": Call("java.lang", "Class.forName", "java.lang.Runtime"),
    "java-jndi": Call("javax.naming", "InitialContext", "ldap://127.0.0.1/x"),
    "java-script": Call("javax.script", "ScriptEngineManager", script), "torch-load": Call("torch", "load", "/etc/passwd"),
    "torch-hub": Call("torch.hub", "load", "a/b", "c"), "torch-serialization": Call("torch.serialization", "os.system", touch),
    "numpy-load": Call("numpy", "load", "/etc/passwd"), "socket": Call("socket", "create_connection", "127.0.0.1"),
    "escape-codes": Call("\x1b[2Jos", "sy\rstem", touch), "long-name": Call("a" * 100_000, "b"),
}
for name, call in CALLS.items():
    save("call-%s.pth" % name, pth(call.pickled()))
    save("call-%s-4.pth" % name, pth(call.pickled(4)))
arg = text(touch)
BODIES = {
    "inst": b"\x80\x02(" + arg + b"ios\nsystem\n.", "obj": b"\x80\x02(cos\nsystem\n" + arg + b"o.",
    "newobj-ex": b"\x80\x04cos\nsystem\n" + arg + b"\x85}\x92.", "extension": b"\x80\x02\x82\x01.",
    "hidden-in-a-state-dict": state(tensor([4], [1]))[:-2] + text("x") + b"cos\nsystem\n(" + arg + b"tRu.",
    "persistent-id": b"\x80\x02cos\nsystem\nQ.", "text-8-length": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"a.",
    "text-8-negative": b"\x80\x04\x8d" + struct.pack("<Q", (1 << 64) - 1) + b"a.", "text-length": b"\x80\x02X\xff\xff\xff\xffa.",
    "bytes-8-length": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"a.",
    "bytearray-length": b"\x80\x05\x96" + struct.pack("<Q", 1 << 60) + b"a.",
    "frame-length": b"\x80\x04\x95" + struct.pack("<Q", 1 << 63) + b"}.", "long-length": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "long-negative": b"\x80\x02\x8b\xff\xff\xff\xff.", "memo-index": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "holds-itself": b"\x80\x02}q\x00" + text("model") + b"h\x00s.", "lists-deep": b"\x80\x02" + b"]" * 499_000 + b"a" * 498_999 + b".",
    "tuples-deep": b"\x80\x02N" + b"\x85" * 499_000 + b".", "dicts-deep": b"\x80\x02" + (b"}" + text("model")) * 200_000 + b"}" + b"s" * 200_000 + b".",
    "pushes": b"\x80\x02" + b"N" * 30_000_000 + b".", "marks": b"\x80\x02" + b"(" * 8_000_000 + b".",
    "laughs": b"\x80\x02]q\x000" + b"".join(b"](" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"eq" + bytes([i + 1]) + b"0" for i in range(200)) + b"h\xc8.",
    "long-text": b"\x80\x02}" + b"X" + struct.pack("<I", 31 << 20) + b"a" * (31 << 20) + b"Ns.",
    "wide-text": b"\x80\x02}" + b"X" + struct.pack("<I", 30_000_000) + "€".encode() * 10_000_000 + b"Ns.",
    "many-texts": b"\x80\x02]" + b"".join(b"X\x64\x00\x00\x00" + b"%0100d" % i + b"a" for i in range(400_000)) + b".",
    "big-dict": b"\x80\x02}(" + b"".join(b"J" + struct.pack("<I", i) + b"N" for i in range(400_000)) + b"u.",
    "colliding-keys": b"\x80\x02}(" + b"".join(
        text("".join("BB" if i >> bit & 1 else "Aa" for bit in range(17))) + b"N" for i in range(100_000)) + b"u.",
    "too-long": b"\x80\x02" + b"N0" * (17 << 20) + b"}.", "empty": b"", "bare-stop": b".",
    "stride-negative": state(tensor([4], [-1])), "offset": state(tensor([4], [1], offset=1 << 62)),
    "shape-overflow": state(tensor([1 << 40, 1 << 40], [1 << 40, 1])), "shape-negative": state(tensor([-4], [1])),
    "shape-empty-overflow": state(tensor([1 << 62, 1 << 62, 0], [0, 0, 1])), "stride-zero": state(tensor([1 << 36], [0])),
    "stride-zero-often": state(*[tensor([1 << 22], [0])] * 200), "dimensions": state(tensor([1] * 1000, [1] * 1000)),
    "count": state(tensor([4], [1], count=1 << 60)), "no-record": state(tensor([4], [1], key="7")),
    "record-elsewhere": state(tensor([4], [1], key="../../../etc/passwd")), "half-a-value": state(tensor([1], [1], count=2, storage="DoubleStorage"), tensor([3], [1], count=3)),
    "unknown-storage": state(tensor([4], [1], storage="EvilStorage")), "shape-nan": b"\x80\x02}" + text("w") + b"ctorch._utils\n_rebuild_tensor_v2\n(("
    + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(4) + b"tQ" + number(0) + b"G\x7f\xf8\0\0\0\0\0\0\x85" + numbers([1]) + b"\x89NtRs.",
}
# What is kept by the million, and short opcodes that make long things again and again.
pairs = b"](" + b"".join(b"J" + struct.pack("<I", i) + b"N\x86" for i in range(5000)) + b"e"
ones = b"(" + b"K\x01" * 64 + b"t"
BODIES.update({
    "memos": b"\x80\x02N" + b"".join(b"r" + struct.pack("<I", i) for i in range(3_900_000)) + b".",
    "memos-far": b"\x80\x02N" + b"".join(b"r" + struct.pack("<I", 0xFFFFFFFF - i) for i in range(3_900_000)) + b".",
    "memoize": b"\x80\x04N" + b"\x94" * 3_990_000 + b".", "short-texts": b"\x80\x04](" + b"\x8c\x01a" * 3_900_000 + b"e.",
    "numbers": b"\x80\x02(" + b"".join(b"J" + struct.pack("<I", i + 1000) for i in range(3_900_000)) + b"t.",
    "doubles": b"\x80\x02(" + b"G\x40\0\0\0\0\0\0\0" * 3_400_000 + b"t.", "small-dicts": b"\x80\x02(" + b"}K\x01Ns" * 499_000 + b"t.",
    "dict-chain": b"\x80\x02" + b"}K\x01" * 499_000 + b"N" + b"s" * 499_000 + b".",
    "ordered-dicts-of-one-list": b"\x80\x02ccollections\nOrderedDict\nq\x00(" + pairs + b"tq\x01" + b"h\x00h\x01R" * 400_000 + b".",
    "tensors-of-one-tuple": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((" + text("storage") + b"ctorch\nFloatStorage\n" + text("0")
    + text("cpu") + number(4) + b"tQK\x00" + ones + ones + b"\x89Ntq\x01" + b"h\x00h\x01R" * 400_000 + b".",
    "sizes": b"\x80\x02}" + text("w") + tensor([1] * 400_000, [1] * 400_000) + b"s.",
    "everything-at-once": b"\x80\x04(" + b"".join(b"\x8c\x01a}J" + struct.pack("<I", i + 1000) + b"Ns\x94" for i in range(490_000)) + b"t.",
    "extension-2": b"\x80\x02\x83\x01\x00.", "extension-4": b"\x80\x02\x84\x01\x00\x00\x7f.", "buffer": b"\x80\x05\x97\x98.",
    "persistent-text": b"\x80\x02}" + text("w") + b"Pos.system\ns.", "dotted": b"\x80\x04" + text("collections") + text("OrderedDict.__init__.__globals__") + b"\x93.",
    "load-from-bytes": b"\x80\x02ctorch.storage\n_load_from_bytes\nU\x04abcd\x85R.", "set-state": b"\x80\x02ccollections\nOrderedDict\n)R}"
    + text("__class__") + b"cbuiltins\ndict\nsb.", "newobj-popen": b"\x80\x04csubprocess\nPopen\n)}" + text("args") + arg + b"s\x92.",
    "name-with-nul": b"\x80\x02cos\0\nsystem\0\n(" + arg + b"tR.", "after-stop": state(tensor([4], [1])) + b"cos\nsystem\n(" + arg + b"tR.",
})
for name, body in BODIES.items():
    save("pickle-%s.pth" % name, pth(body))
# Numbers of two types with one hash, and a large storage with many names.
bits = [struct.pack("<Q", i << 32 | i) for i in range(1, 300_001)]
save("pickle-colliding-numbers.pth", pth(b"\x80\x02}(" + b"".join(b"\x8a\x08" + b + b"NG" + b[::-1] + b"N" for b in bits) + b"u."))
tied = tensor([4 << 20], [1], count=4 << 20)
save("pickle-tied-often.pth", zipped(("a/data/0", bytes(16 << 20)), ("a/data.pkl", b"\x80\x02}(" + text("w") + tied + b"q\x00"
     + b"".join(text("w%d" % i) + b"h\x00" for i in range(20_000)) + b"u.")))
good = state(tensor([4], [1]))
zeros = bytes(1 << 30)
save("zip-bomb-data.pth", zipped(("a/data.pkl", good), ("a/data/0", zeros), compression=zipfile.ZIP_DEFLATED))
save("zip-bomb-pickle.pth", zipped(("a/data.pkl", zeros), compression=zipfile.ZIP_DEFLATED))
del zeros
save("zip-traversal.pth", pth(good, ("../../etc/x", b"")))
save("zip-absolute.pth", pth(good, ("/etc/x", b"")))
save("zip-two-pickles.pth", pth(good, ("b/data.pkl", good)))
save("zip-nested.pth", zipped(("a.pth", pth(good))))
save("zip-script.pth", pth(good, ("a/code/x.py", b"")))
save("zip-big-endian.pth", pth(good, ("a/byteorder", b"big")))
save("zip-byteorder-bomb.pth", pth(good, ("a/byteorder", bytes(50 << 20))))


def directory(entry, field, value, form="<I"):
    changed = bytearray(pth(good))
    at = struct.unpack_from("<I", changed, len(changed) - 6)[0]
    for _ in range(entry):
        at += 46 + struct.unpack_from("<H", changed, at + 28)[0]
    struct.pack_into(form, changed, at + field, value)
    return bytes(changed)


def extra(fields):
    """The last record's lengths are to be found in these extra fields."""
    changed = bytearray(directory(2, 20, (1 << 64) - 1, "<Q"))
    size, at = struct.unpack_from("<II", changed, len(changed) - 10)
    struct.pack_into("<I", changed, len(changed) - 10, size + len(fields))
    for _ in range(2):
        at += 46 + struct.unpack_from("<H", changed, at + 28)[0]
    struct.pack_into("<H", changed, at + 30, len(fields))
    at += 46 + struct.unpack_from("<H", changed, at + 28)[0]
    return bytes(changed[:at] + fields + changed[at:])


save("zip64-extra-cut.pth", extra(struct.pack("<HHQ", 1, 16, 8)))
save("zip64-extra-short.pth", extra(struct.pack("<HHQI", 1, 12, 16, 16)))
save("zip64-extra-other.pth", extra(struct.pack("<HHQQ", 2, 16, 16, 16)))
save("zip-overlap.pth", directory(2, 42, 0))
save("zip-far.pth", directory(2, 42, 0xFFFFFFF0))
save("zip-length.pth", directory(2, 24, 0xFFFFFFFE))
save("zip-zip64-without.pth", directory(2, 24, 0xFFFFFFFF))
save("zip-encrypted.pth", directory(0, 8, 1, "<H"))
save("zip-name-length.pth", directory(1, 28, 0xFFFF, "<H"))
end = bytearray(pth(good))
struct.pack_into("<HHII", end, len(end) - 14, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
save("zip-end.pth", bytes(end))
save("zip-end64.pth", bytes(end[:-22]) + struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1 << 60, 1 << 60, 1 << 62, 0)
     + struct.pack("<IIQI", 0x07064B50, 0, len(end) - 22, 1) + bytes(end[-22:]))
def zip64_end(count, length, start, at):
    """The file with a zip64 end that says so, found at this place."""
    head = pth(good)[:-22]
    return (head + struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, length, start)
            + struct.pack("<IIQI", 0x07064B50, 0, at, 1) + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


whole = pth(good)
size, start = struct.unpack_from("<II", whole, len(whole) - 10)
save("zip64-finds-itself.pth", zip64_end(3, size, start, len(whole) - 22 + 56))
save("zip64-far.pth", zip64_end(3, size, start, (1 << 63) - 1))
save("zip64-negative.pth", zip64_end(3, (1 << 64) - size, start + 2 * size, len(whole) - 22))
save("zip64-count.pth", zip64_end(1 << 63, size, start, len(whole) - 22))
save("zip-directory-of-all.pth", whole[:-22] + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 3, 3, len(whole) - 22, 0, 0))
save("zip-comment.pth", whole[:-2] + b"\xff\xff")
save("zip-in-front.pth", b"PK\3\4" + b"junk" * 64 + whole)
save("zip-behind.pth", whole + b"junk")
save("zip-named-twice.pth", pth(good, ("a/data.pkl", good)))
names = [b"a/%06d" % i for i in range(250_000)]
local = b"".join(struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, 0, 0, 0, 8, 0) + n for n in names)
central = b"".join(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 38 * i) + n for i, n in enumerate(names))
for name, count in ("many", 190_000), ("too-many", 250_000):
    head, tail = local[:38 * count], central[:54 * count]
    end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, len(tail), len(head))
    save("zip-%s-entries.pth" % name, head + tail + end64 + struct.pack("<IIQI", 0x07064B50, 0, len(head) + len(tail), 1)
         + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))

# ---- safetensors


def safetensors(header, data=bytes(8), length=None):
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype="F64", shape="[1]", offsets="[0,8]"):
    return '{"dtype":"%s","shape":%s,"data_offsets":%s}' % (dtype, shape, offsets)


HEADERS = {
    "nan-shape": entry(shape="[NaN]"), "infinite-shape": entry(shape="[Infinity]"), "negative-shape": entry(shape="[-1]"),
    "shape-2-64": entry(shape="[18446744073709551616]"), "shape-overflow": entry(shape="[4294967296,4294967296]"),
    "shape-overflow-empty": entry(shape="[4611686018427387904,4611686018427387904,0]", offsets="[0,0]"), "shape-1e9": entry(shape="[1e9]"),
    "long-number": entry(shape="[%s]" % ("9" * 1_000_000)), "dimensions": entry(shape="[%s1]" % ("1," * 1_000_000)),
    "offsets-backwards": entry(offsets="[8,0]"), "offsets-far": entry(shape="[1152921504606846975]", offsets="[0,9223372036854775800]"),
    "hole": entry("F32", offsets="[4,8]"), "type": entry("OBJECT"), "bool": entry("BOOL", "[8]"), "deep": "[" * 1_000_000, "null": "null",
}
for name, value in HEADERS.items():
    data = b"\x07" * 8 if name == "bool" else bytes(8)
    save("header-%s.safetensors" % name, safetensors('{"a":%s}' % value, data))
save("header-overlap.safetensors", safetensors('{"a":%s,"b":%s}' % (entry("U8", "[5]", "[0,5]"), entry("U8", "[4]", "[4,8]"))))
save("header-twice.safetensors", safetensors('{"a":%s,"a":%s}' % (entry(), entry())))
save("header-utf8.safetensors", safetensors(b'{"\xff\xfe":%s}' % entry().encode()))
save("header-surrogate.safetensors", safetensors('{"\\ud800":%s}' % entry()))
save("header-bom.safetensors", safetensors(b"\xef\xbb\xbf{}", b""))
for bits in 0, 20, 31, 32, 40, 60, 63:
    save("length-2-%d.safetensors" % bits, safetensors("{}", length=1 << bits))
save("length-all-ones.safetensors", safetensors("{}", length=(1 << 64) - 1))
save("length-zero.safetensors", safetensors("{}", length=0))
size = 99_000_000
save("big-spaces.safetensors", safetensors(b"{" + b" " * size + b"}", b"1"))
save("big-name.safetensors", safetensors(b'{"' + b"a" * size + b'":1}'))
save("big-value.safetensors", safetensors(b'{"__metadata__":{"a":"' + b"a" * size + b'"}}'))
save("big-escapes.safetensors", safetensors(b'{"__metadata__":{"a":"' + b"\\u20ac" * (size // 6) + b'"}}'))
save("big-values.safetensors", safetensors(b'{"__metadata__":{' + b",".join(b'"%d":"%s"' % (i, b"a" * 1_000_000) for i in range(98)) + b"}}"))
save("big-wide-values.safetensors", safetensors('{"__metadata__":{' + ",".join('"%d":"%s"' % (i, "€" * 300_000) for i in range(98)) + "}}"))
save("many-fields.safetensors", safetensors('{"__metadata__":{' + ",".join('"%d":""' % i for i in range(5_000_000)) + "}}"))
save("many-metadata.safetensors", safetensors('{"__metadata__":{' + ",".join('"%0900d":""' % i for i in range(99_000)) + "}}"))
save("colliding-names.safetensors", safetensors('{"__metadata__":{' + ",".join(
    '"%s":""' % "".join("BB" if i >> bit & 1 else "Aa" for bit in range(18)) for i in range(99_000)) + "}}"))
save("valid-many-tensors.safetensors", safetensors(
    "{" + ",".join('"%d\\n\\u001b[2J":%s' % (i, entry("F32", "[0]", "[0,0]")) for i in range(24_000))
    + ',"linear.weight":%s}' % entry("F32", "[10,1]", "[0,40]"), bytes(40)))
save("valid-empty.safetensors", safetensors("{}", b""))
for name, said in {
    "blocks": "custom:blocks=2147483647,2147483647,1,1;width=1,1,1,1", "width": "custom:blocks=1,1,1,1;width=2000,2000,2000,2000",
    "width-1e308": "custom:blocks=1,1,1,1;width=1e308,1,1,1", "width-nan": "custom:blocks=1,1,1,1;width=NaN,1,1,1",
    "strides": "custom:blocks=1,1,1,1;width=1,1,1,1;strides=2147483647,1,1,1,0", "catalog": "RepOpt-VGG-L2",
    "deep": "custom:blocks=1000,1000,1000,1000;width=1,1,1,1", "escape": "\x1b[2J\r\nfine", "long": "x" * 1_000_000,
}.items():
    said = json.dumps({"architecture": said, "mode": "csla", "num_classes": "9999999999999999999"})
    save("valid-metadata-%s.safetensors" % name, safetensors(
        '{"__metadata__":%s,"linear.weight":%s}' % (said, entry("F32", "[2,1]", "[0,8]"))))
save("valid-mode.safetensors", safetensors('{"__metadata__":%s,"linear.weight":%s}' % (
    json.dumps({"architecture": "RepOpt-VGG-tiny", "mode": "\x1b[2Jx\ny"}), entry("F32", "[2,1]", "[0,8]"))))
for name, shards in {"traversal": "../../etc/passwd", "itself": "index-itself.index.json", "missing": "none.safetensors", "nul": "a\0.safetensors"}.items():
    save("index-%s.index.json" % name, json.dumps({"weight_map": {"w": shards}}).encode())
save("index-many.index.json", json.dumps({"weight_map": {str(i): "none.safetensors" for i in range(1_000_000)}}).encode())
save("index-shards.index.json", json.dumps({"weight_map": {str(i): "none%d.safetensors" % i for i in range(150_000)}}).encode())

# ---- what is no such file, and real ones cut short

save("no-bytes.pth", b"")
save("one-byte.safetensors", b"{")
save("page.pth", b"<!DOCTYPE html><html>404</html>")
save("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\n")
save("program.pth", b"\x7fELF" + bytes(100))
save("compressed.pth", b"\x1f\x8b\x08" + bytes(100))
save("random.pth", os.urandom(100_000))
save("plain-pickle.pth", pickle.dumps({"a": 1}))
os.mkdir(os.path.join(folder, "folder.pth"))
os.mkfifo(os.path.join(folder, "fifo.pth"))
os.symlink("/dev/zero", os.path.join(folder, "zero.pth"))
os.symlink("loop.pth", os.path.join(folder, "loop.pth"))
net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Linear(8, 10))
buffer = io.BytesIO()
torch.save(net.state_dict(), buffer)
whole = buffer.getvalue()
weights = {name: t.numpy().tobytes() for name, t in net.state_dict().items()}
at, header = 0, {}
for name, data in weights.items():
    header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [at, at + len(data)]}
    at += len(data)
tensors = safetensors(json.dumps(header), b"".join(weights.values()))
for i in range(50):
    save("cut-%02d.pth" % i, whole[:len(whole) * i // 50])
    save("cut-%02d.safetensors" % i, tensors[:len(tensors) * i // 50])
print(len(os.listdir(folder)))
