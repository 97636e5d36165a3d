"""Jars as they go into a kit: the same entries, not compressed (the parts are), without what a GPU host brings or never runs."""
import re
import struct
import zipfile

NATIVE = re.compile(r".*-(linux|windows|macosx)-.*\.jar")
# A GPU host has these in its CUDA installation or in Python's packages. libcudart, libcupti and libcufile stay: they are small, and
# the presets' own call functions of CUDA 13.1 that a 13.0 has not got.
BROUGHT = re.compile(r".*/lib(cufft|cufftw|curand|nvJitLink|nvrtc|nvrtc-builtins|nvjpeg|cufile_rdma)\.so.*")
# Bindings that this library never calls, and headers.
UNUSED = re.compile(r".*/(libjninpp\w*|libjninvjpeg|libjninvcomp|libjninvblas|libjninvml|libjniopenblas_full)\.so|.*/include/.*|META-INF/native-image/.*")
FATBIN = 0xBA55ED50


def is_native(name):
    return NATIVE.fullmatch(name) is not None


def stored(source, target, architectures):
    """Writes the jar without compression, its times fixed, and returns the path."""
    native = is_native(source.rsplit("/", 1)[-1])
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        names = set(old.namelist())
        # The manifest comes first, or Java's own reader does not see it.
        for name in sorted(names, key=lambda n: (n != "META-INF/", n != "META-INF/MANIFEST.MF", n)):
            # Folders stay: the presets and Natives ask for them by name.
            if native and (UNUSED.fullmatch(name) or BROUGHT.fullmatch(name)):
                continue
            data = old.read(name)
            if native and re.search(r"\.so(\.\d+)*$", name):
                data = trimmed(data, architectures)
            entry = zipfile.ZipInfo(name, (1980, 2, 1, 0, 0, 0))
            entry.external_attr = 0o40755 << 16 if name.endswith("/") else 0o644 << 16
            new.writestr(entry, data)
    return target


def sections(elf):
    """Name, offset and size of each section of a 64-bit little-endian ELF file."""
    table, = struct.unpack_from("<Q", elf, 0x28)
    count, names = struct.unpack_from("<HH", elf, 0x3C)
    rows = [struct.unpack_from("<IIQQQQ", elf, table + 64 * i) for i in range(count)]
    for row in rows:
        start = rows[names][4] + row[0]
        yield bytes(elf[start:elf.index(b"\0", start)]).decode(), row[1], row[4], row[5]


def trimmed(library, architectures):
    """The library with zeros, which compress to nothing, where nobody looks: symbols for debuggers, machine code for other GPUs.

    Every byte that is left stays where it was.
    """
    if library[:6] != b"\x7fELF\x02\x01":
        return library
    elf = bytearray(library)
    keep = None if architectures == "all" else {int(a) for a in architectures.split(",")}
    for name, kind, offset, size in list(sections(elf)):
        if name in (".symtab", ".strtab") and kind in (2, 3):
            elf[offset:offset + size] = bytes(size)
        elif name == ".nv_fatbin" and keep is not None:
            for begin, end, architecture in code_objects(elf, offset, offset + size):
                if architecture not in keep:
                    elf[begin:end] = bytes(end - begin)
    return bytes(elf)


def code_objects(elf, at, end):
    """Begin, end and architecture of each piece of machine code in a section of fat binaries.

    A fat binary has a header of 16 bytes (magic, version, its length, length of the rest); each piece a header of its own: its kind,
    a version, its length, the length of the code that follows, and 12 bytes on the architecture. Chips take the piece that suits
    them and pass over the others by their headers, which stay.
    """
    while at < end:
        magic, _, header, length = struct.unpack_from("<IHHQ", elf, at)
        if magic != FATBIN:
            if any(elf[at:at + 8]):
                raise ValueError("no fat binary at offset %d of .nv_fatbin: pack with --gpu-arch all" % at)
            at += 8
            continue
        piece, at = at + header, at + header + length
        while piece < at:
            _, _, header, length = struct.unpack_from("<HHIQ", elf, piece)
            architecture, = struct.unpack_from("<I", elf, piece + 28)
            yield piece + header, piece + header + length, architecture
            piece += header + length
