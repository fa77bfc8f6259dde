"""Array files of strangers into arrays: nothing is read before its size is known and allowed."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from math import prod
from typing import IO, Any, BinaryIO

import attrs
import numpy as np
from numpy.typing import NDArray

from mirc.diagnostics import CouldNotRun

ARRAY = b"\x93NUMPY"
ARCHIVE = b"PK"
MOST_ARRAY_BYTES = 1 << 30
MOST_ARRAYS = 65_536
_LONGEST_HEADER = 10_000
_HEADER = re.compile(
    r"\{'descr': '([^']{1,9})', 'fortran_order': (True|False), "
    r"'shape': \(((?:[0-9]{1,18}, ?){0,9}(?:[0-9]{1,18})?)\), \}\s*"
)
_LONGEST_DIRECTORY = 16 << 20
_END = b"PK\x05\x06"
_END_OF_LARGE = b"PK\x06\x07"
_END_REACH = (1 << 16) + 22  # a comment of 64 KiB may follow the end record


@attrs.frozen(eq=False)
class NamedArray:
    """An array, and what messages call it."""

    label: str
    values: NDArray[Any]


def read_array(file: IO[bytes], name: str, label: str = "the array") -> NamedArray:
    """Read one ``.npy`` of whole numbers or floats, never a pickle.

    Raises CouldNotRun for anything else, for one that is cut off, and above MOST_ARRAY_BYTES.
    """
    shape, fortran, code = _header(file, name, label)
    if not re.fullmatch("[<>|=]?[iuf][1248]", code):
        raise CouldNotRun(f"{label} of `{name}` holds neither whole numbers nor floats", _HINT)
    dtype = np.dtype(code)
    size = prod(shape) * dtype.itemsize
    if max(shape, default=0) > MOST_ARRAY_BYTES or size > MOST_ARRAY_BYTES:
        raise CouldNotRun(f"{label} of `{name}` is larger than {MOST_ARRAY_BYTES:_} bytes", _HINT)
    data = file.read(size)
    if len(data) < size:
        raise CouldNotRun(f"{label} of `{name}` ends before its numbers do", "save it again")
    flat = np.frombuffer(data, dtype=dtype)
    return NamedArray(label, flat.reshape(shape, order="F" if fortran else "C"))


def _header(file: IO[bytes], name: str, label: str) -> tuple[tuple[int, ...], bool, str]:
    """Return shape, whether the first index runs fastest, and the type, as numpy writes them.

    Anything else that numpy would evaluate is refused.
    """
    opening = file.read(len(ARRAY) + 2)
    width = 2 if opening[-2:-1] == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    text = file.read(min(length, _LONGEST_HEADER)).decode("latin-1")
    found = _HEADER.fullmatch(text) if opening.startswith(ARRAY) else None
    if found is None:
        raise CouldNotRun(f"{label} of `{name}` has no readable header", _HINT)
    code, order, axes = found.groups()
    return tuple(int(axis) for axis in axes.split(",") if axis.strip()), order == "True", code


def read_archive(file: BinaryIO, name: str) -> Iterator[NamedArray]:
    """Yield the arrays of a ``.npz``, in its order; together at most MOST_ARRAY_BYTES."""
    _check_directory(file, name)
    left = MOST_ARRAY_BYTES
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MOST_ARRAYS:
                raise CouldNotRun(f"`{name}` holds more than {MOST_ARRAYS:_} arrays")
            for member in members:
                label = f"array {member.filename.removesuffix('.npy')[:80]!r}"
                with archive.open(member) as stream:
                    array = read_array(stream, name, label)
                left -= array.values.nbytes
                if left < 0:
                    raise CouldNotRun(
                        f"`{name}` is larger than {MOST_ARRAY_BYTES:_} bytes unpacked"
                    )
                yield array
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,  # encrypted, or compressed in a way that this Python does not know
        EOFError,
        ValueError,
        OSError,
    ) as error:
        raise CouldNotRun(f"`{name}` is no readable archive of arrays", _HINT) from error


def _check_directory(file: BinaryIO, name: str) -> None:
    """Bound the archive's directory before it is read: its size stands in the end record."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _END_REACH))
    tail = file.read()
    place = tail.rfind(_END)
    size = int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0
    if place < 0 or size > _LONGEST_DIRECTORY or _END_OF_LARGE in tail[:place]:
        raise CouldNotRun(f"`{name}` is no readable archive of arrays", _HINT)
    file.seek(0)


_HINT = "save arrays of numbers with `numpy.save` or `numpy.savez`"
