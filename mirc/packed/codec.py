"""Tables into the bytes of a packed file, and a stranger's bytes into tables, or a refusal."""

import struct
import zlib
from typing import Any

import numpy as np

from mirc.diagnostics import CouldNotRun
from mirc.packed.bounds import require_sound
from mirc.packed.columns import DIGEST, ROW_WORDS
from mirc.packed.errors import DamageError
from mirc.packed.tables import BLOCK, NODE, Tables

MAGIC = b"MIRB"
VERSION = 1
MAX_BYTES = 1 << 28
"""The largest packed file."""

_HEADER = struct.Struct("<4sHHIII8II")
"""Magic, version, zero, the language's major and minor, the layout, eight counts, a checksum."""
HEADER_BYTES = _HEADER.size
_CHECKSUM_BYTES = 4
_MAJOR = 1
_END = np.dtype("<u4")
SECTIONS: tuple[tuple[str, np.dtype[Any]], ...] = (
    ("rows", np.dtype([("words", "<u8", (ROW_WORDS,))])),
    ("blocks", BLOCK),
    ("fields", NODE),
    ("cells", NODE),
    ("confidences", np.dtype("<f8")),
    ("domains", np.dtype("<u4")),
    ("keys", np.dtype("<u4")),
)
"""What lies between header and strings, in this order; no gaps."""


def dumps(tables: Tables) -> bytes:
    """Return the bytes of a packed file, little-endian: header, sections, strings.

    The strings are where each ends among the bytes of all, then these, in UTF-8. Raises CouldNotRun
    for a string that is no text, and for a file that nothing would read.
    """
    texts = [_encoded(text) for text in tables.strings]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    arrays = [getattr(tables, name) for name, _ in SECTIONS]
    counts = (*(len(array) for array in arrays), len(texts))
    body = b"".join((*(array.tobytes() for array in arrays), ends.astype(_END).tobytes(), *texts))
    if HEADER_BYTES + len(body) > MAX_BYTES:
        raise CouldNotRun(
            f"the packed file would be larger than {MAX_BYTES >> 20} MiB",
            "split the module: `extern object` names the rest",
        )
    head = _HEADER.pack(MAGIC, VERSION, 0, *tables.version, DIGEST, *counts, 0)[:-_CHECKSUM_BYTES]
    return head + _checksum(head, body).to_bytes(_CHECKSUM_BYTES, "little") + body


def loads(data: bytes, name: str) -> Tables:
    """Return the tables of a packed file that messages call ``name``.

    Every number in them is in its bounds; what names and values mean is not looked at. O(bytes).
    Raises CouldNotRun for another file, another version, and bytes that are damaged: where.
    """
    version, counts = _header(data, name)
    offset = HEADER_BYTES
    places: dict[str, tuple[int, int]] = {}
    arrays: dict[str, Any] = {}
    for (section, kind), count in zip((*SECTIONS, ("strings", _END)), counts, strict=True):
        if offset + count * kind.itemsize > len(data):
            raise _damaged(name, len(data), f"the {section} end before their time")
        places[section] = (offset, kind.itemsize)
        arrays[section] = np.frombuffer(data, kind, count, offset)
        offset += count * kind.itemsize
    arrays["rows"] = arrays["rows"]["words"]
    try:
        arrays["strings"] = _texts(arrays["strings"], data[offset:])
        tables = Tables(version=version, **arrays)
        require_sound(tables)
    except DamageError as damage:
        first, each = places[damage.section]
        raise _damaged(name, first + each * damage.index, damage.reason) from None
    return tables


def _header(data: bytes, name: str) -> tuple[tuple[int, int], tuple[int, ...]]:
    if data[: len(MAGIC)] != MAGIC:
        raise CouldNotRun(
            f"`{name}` is not a packed file: it does not begin with `{MAGIC.decode()}`",
            "make one of a .mir file with `mirc pack`",
        )
    if len(data) < HEADER_BYTES:
        raise _damaged(name, len(data), f"the header has {HEADER_BYTES} bytes")
    _, version, zero, major, minor, digest, *counts, checksum = _HEADER.unpack_from(data)
    if (version, zero, major, digest) != (VERSION, 0, _MAJOR, DIGEST):
        raise CouldNotRun(
            f"`{name}` was packed by another version of mirc (format {version}, "
            f"language {major}.{minor}, layout {digest:08x}; here {VERSION}, {_MAJOR}.x, "
            f"{DIGEST:08x})",
            "pack the .mir file again",
        )
    head = data[: HEADER_BYTES - _CHECKSUM_BYTES]
    if checksum != _checksum(head, data[HEADER_BYTES:]):
        raise _damaged(name, HEADER_BYTES - _CHECKSUM_BYTES, "the checksum is another")
    return (major, minor), tuple(counts)


def _checksum(head: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(head))


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise CouldNotRun(
            f"{text!a} holds half of a surrogate pair, which is no character",
            "write the character itself",
        ) from None


def _texts(ends: Any, blob: bytes) -> tuple[str, ...]:
    last = int(ends[-1]) if len(ends) else 0
    falling = np.flatnonzero(np.diff(ends.astype(np.int64), prepend=0) < 0)
    if falling.size:
        raise DamageError("strings", int(falling[0]), "a string ends before it begins")
    if last != len(blob):
        raise DamageError("strings", len(ends), f"the strings have {last} bytes, not {len(blob)}")
    texts = []
    start = 0
    for index, end in enumerate(ends.tolist()):
        try:
            texts.append(blob[start:end].decode())
        except UnicodeDecodeError:
            raise DamageError("strings", index, "a string is not UTF-8") from None
        start = end
    return tuple(texts)


def _damaged(name: str, offset: int, reason: str) -> CouldNotRun:
    return CouldNotRun(
        f"`{name}` is damaged at byte {offset}: {reason}", "make it again with `mirc pack`"
    )
