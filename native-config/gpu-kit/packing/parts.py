"""File sets become two streams, and the streams parts: the same bytes for the same files.

A stream is a tar archive with sorted names, fixed owners and times, cut into pieces that are compressed apart from each other (so that
two processors work) and written one behind the other, which xz reads as one. The manifest is text that a shell can read, a fact a line:

    repopt4j-gpu-kit 1
    flavour cuda
    set NAME GROUP FILES BYTES SHA-256      of the files' paths, modes and contents
    path GROUP PATH                         what an older kit may have left there
    part GROUP NAME BYTES SHA-256
"""
import concurrent.futures
import hashlib
import io
import lzma
import os
import tarfile

GROUPS = ("stable", "project")
PIECE = 48 << 20
WAITING = 4


def tree(prefix, folder):
    """Pairs of the path in the kit and the file here, of all files below a folder."""
    found = []
    for parent, folders, files in os.walk(folder, followlinks=True):
        for name in files:
            path = os.path.join(parent, name)
            found.append((os.path.join(prefix, os.path.relpath(path, folder)).replace(os.sep, "/"), path))
    return sorted(found)


def mode(path):
    return 0o755 if os.access(path, os.X_OK) else 0o644


def digest(files):
    """Bytes and SHA-256 of a file set."""
    total, sha = 0, hashlib.sha256()
    for name, path in sorted(files):
        one = hashlib.sha256()
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                one.update(block)
                total += len(block)
        sha.update(("%s %o %s\n" % (name, mode(path), one.hexdigest())).encode())
    return total, sha.hexdigest()


class Pieces(io.RawIOBase):
    """Takes a stream and hands each full piece to a compressor."""

    def __init__(self, pool, level):
        self.level, self.pool, self.buffer, self.compressed = level, pool, bytearray(), []

    def write(self, data):
        self.buffer += data
        while len(self.buffer) >= PIECE:
            self.emit(PIECE)
        return len(data)

    def emit(self, size):
        piece, self.buffer = bytes(self.buffer[:size]), self.buffer[size:]
        # Not the whole stream in memory: reading is faster than compressing.
        if len(self.compressed) >= WAITING:
            self.compressed[-WAITING].result()
        self.compressed.append(self.pool.submit(lzma.compress, piece, preset=self.level))

    def finish(self):
        if self.buffer:
            self.emit(len(self.buffer))
        return b"".join(piece.result() for piece in self.compressed)


def stream(files, level):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pieces = Pieces(pool, level)
        with tarfile.open(fileobj=pieces, mode="w|", format=tarfile.GNU_FORMAT) as archive:
            for name, path in sorted(files):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = os.path.getsize(path), mode(path), 0
                with open(path, "rb") as file:
                    archive.addfile(entry, file)
        return pieces.finish()


def written_before(output, group, lines):
    """The group's parts in an earlier manifest that has these lines too, if they are whole."""
    try:
        with open(os.path.join(output, "manifest")) as file:
            old = file.read().splitlines()
        if not lines <= set(old):
            return None
        rows = [line.split()[2:] for line in old if line.startswith("part %s " % group)]
        for name, size, sha in rows:
            with open(os.path.join(output, name), "rb") as file:
                data = file.read()
            if len(data) != int(size) or hashlib.sha256(data).hexdigest() != sha:
                return None
        return [(name, int(size), sha) for name, size, sha in rows] or None
    except OSError:
        return None


def write(output, sets, facts, largest, level):
    """Writes parts and manifest; returns the parts as (group, name, bytes, SHA-256)."""
    lines, all_parts = ["repopt4j-gpu-kit 1"] + ["%s %s" % fact for fact in facts.items()], []
    described = {}
    for name, (group, files) in sets.items():
        described[name] = "set %s %s %d %d %s" % ((name, group, len(files)) + digest(files))
    lines += described.values()
    for group in GROUPS:
        files = [pair for of, pairs in sets.values() if of == group for pair in pairs]
        for path in sorted({clearing(name) for name, _ in files}):
            lines.append("path %s %s" % (group, path))
    for group in GROUPS:
        mine = {described[name] for name, (of, _) in sets.items() if of == group}
        kept = written_before(output, group, mine | {"part-size %d level %d" % (largest, level)})
        if kept is None:
            files = [pair for of, pairs in sets.values() if of == group for pair in pairs]
            kept = cut(output, group, stream(files, level), largest)
        all_parts += [(group,) + row for row in kept]
    lines.append("part-size %d level %d" % (largest, level))
    lines += ["part %s %s %d %s" % part for part in all_parts]
    with open(os.path.join(output, "manifest.new"), "w") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(os.path.join(output, "manifest.new"), os.path.join(output, "manifest"))
    for name in os.listdir(output):
        if name.startswith("kit-") and name not in {part[1] for part in all_parts}:
            os.remove(os.path.join(output, name))
    for group, name, size, _ in all_parts:
        print("%s: %.1f MiB, %s" % (name, size / 2 ** 20, group))
    return all_parts


def clearing(name):
    """The folder or file of the kit that is cleared before its group is unpacked."""
    if name == "repopt4j/lib/repopt4j.jar":
        return name
    return "/".join(name.split("/")[:2 if name.split("/")[0] in ("repopt4j", "tests") else 1])


def cut(output, group, data, largest):
    rows = []
    for at in range(0, len(data), largest):
        piece = data[at:at + largest]
        name = "kit-%s-%d" % (group, len(rows) + 1)
        with open(os.path.join(output, name), "wb") as file:
            file.write(piece)
        rows.append((name, len(piece), hashlib.sha256(piece).hexdigest()))
    return rows


def loads(all_parts, largest):
    """Which parts fit one transfer together, in as few transfers as falling sizes give."""
    open_loads = []
    for _, name, size, _ in sorted(all_parts, key=lambda part: -part[2]):
        for load in open_loads:
            if load[0] + size <= largest:
                load[0] += size
                load[1].append(name)
                break
        else:
            open_loads.append([size, [name]])
    return [names for _, names in open_loads]
