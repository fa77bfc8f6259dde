"""Lines of a plain CSV, all at once, into columns of numbers."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mirc.traces.accesses import Rows

_LINE_END, _COMMA, _DOT, _ZERO = 10, 44, 46, 48
_LONGEST_KEY = 20  # digits of 2^64 - 1
_LONGEST_NUMBER = 15  # digits that a float holds exactly
_LONGEST_WORD = 8
_MICRO_DIGITS = 6

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def columns_of(text: bytes, where: Mapping[str, int], operations: Mapping[str, int]) -> Rows | None:
    """Return the accesses of lines that are all plain, else None: then each has to be looked at.

    Plain lines have equally many cells, without quotes and spaces; ids of digits below 2^64, sizes
    and seconds of up to 15 digits (six behind the point), and short names of operations. ``where``
    has the column of each, from 0.
    """
    data = np.frombuffer(text.replace(b"\r\n", b"\n"), dtype=np.uint8)
    cells = _cells(data)
    if cells is None or where["id"] >= cells.columns:
        return None
    keys = _keys(cells, where["id"])
    sizes, seconds = (_whole(cells, where.get("size")), _micros(cells, where.get("time")))
    what = _words(cells, where.get("op"), operations)
    if keys is None or sizes is None or seconds is None or what is None:
        return None
    return Rows(keys=keys, size_bytes=sizes, what=what, at_us=seconds)


class _Cells:
    """Where each cell of each line begins and ends."""

    def __init__(self, data: Bytes, begins: Ints, ends: Ints) -> None:
        self.data = data
        self.begins = begins  # [lines, columns]
        self.ends = ends
        self.lines, self.columns = begins.shape

    def column(self, at: int | None) -> tuple[Ints, Ints] | None:
        """Return begins and lengths of a column; None if there is none."""
        if at is None or at >= self.columns:
            return None
        begins = self.begins[:, at]
        return begins, self.ends[:, at] - begins

    def byte(self, places: Ints) -> Bytes:
        """Return the bytes at places; beyond the end, any."""
        found: Bytes = self.data.take(places, mode="clip")
        return found


def _cells(data: Bytes) -> _Cells | None:
    ends = np.flatnonzero(data == _LINE_END)
    if not len(data):
        return None
    if data[-1] != _LINE_END:
        ends = np.append(ends, len(data))
    commas = np.flatnonzero(data == _COMMA)
    lines = len(ends)
    if len(commas) % lines:
        return None
    inner = commas.reshape(lines, -1)
    starts = np.concatenate(([0], ends[:-1] + 1))
    begins = np.column_stack((starts, inner + 1))
    closes = np.column_stack((inner, ends))
    return _Cells(data, begins, closes) if (begins <= closes).all() else None


def _digits(cells: _Cells, begins: Ints, lengths: Ints, most: int) -> NDArray[np.uint64] | None:
    """Return what so many digits say; None where one of them is none."""
    found = np.zeros(len(begins), dtype=np.uint64)
    good = True
    for place in range(min(most, int(lengths.max(initial=0)))):
        inside = lengths > place
        digit = cells.byte(begins + place) - np.uint8(_ZERO)
        good = good and bool((~inside | (digit <= 9)).all())
        found = np.where(inside, found * np.uint64(10) + digit, found)
    return found if good else None


def _keys(cells: _Cells, at: int) -> Ints | None:
    begins, lengths = cells.begins[:, at], cells.ends[:, at] - cells.begins[:, at]
    if lengths.min() < 1 or lengths.max() > _LONGEST_KEY:
        return None
    short = _LONGEST_KEY - 1
    found = _digits(cells, begins, np.minimum(lengths, short), short)
    if found is None:
        return None
    if lengths.max() == _LONGEST_KEY:
        long = lengths == _LONGEST_KEY
        last = (cells.byte(begins[long] + short) - np.uint8(_ZERO)).astype(np.uint64)
        most, rest = divmod((1 << 64) - 1, 10)
        high = found[long]
        beyond = (high > np.uint64(most)) | ((high == np.uint64(most)) & (last > np.uint64(rest)))
        if (last > 9).any() or beyond.any():
            return None
        found[long] = high * np.uint64(10) + last
    return found.view(np.int64)


def _whole(cells: _Cells, at: int | None) -> Ints | None:
    column = cells.column(at)
    if column is None:
        return np.zeros(cells.lines, dtype=np.int64)
    begins, lengths = column
    if lengths.max() > _LONGEST_NUMBER:
        return None
    found = _digits(cells, begins, lengths, _LONGEST_NUMBER)
    return None if found is None else found.view(np.int64)


def _micros(cells: _Cells, at: int | None) -> Ints | None:
    """Return seconds in millionths."""
    column = cells.column(at)
    if column is None:
        return np.zeros(cells.lines, dtype=np.int64)
    begins, lengths = column
    if lengths.max() > _LONGEST_NUMBER + 1:
        return None
    found = np.zeros(len(begins), dtype=np.int64)
    after = np.full(len(begins), -1, dtype=np.int64)  # digits behind the point
    for place in range(int(lengths.max(initial=0))):
        inside = lengths > place
        byte = cells.byte(begins + place)
        digit = byte - np.uint8(_ZERO)
        point = inside & (byte == _DOT) & (after < 0)
        if not (~inside | point | (digit <= 9)).all():
            return None
        number = inside & ~point
        found = np.where(number, found * 10 + digit, found)
        after = np.where(point, 0, np.where(number & (after >= 0), after + 1, after))
    after = np.maximum(after, 0)
    bare = (lengths > 0) & (after == 0) & (cells.byte(begins + lengths - 1) == _DOT)
    if after.max() > _MICRO_DIGITS or bare.any() or (lengths - (after > 0) > _LONGEST_NUMBER).any():
        return None
    if (found > 10**_LONGEST_NUMBER // 10 ** (_MICRO_DIGITS - after)).any():
        return None  # what a float holds exactly is at most so much
    return found * 10 ** (_MICRO_DIGITS - after)


def _words(cells: _Cells, at: int | None, known: Mapping[str, int]) -> Ints | None:
    column = cells.column(at)
    if column is None:
        return np.full(cells.lines, known[""], dtype=np.int64)
    begins, lengths = column
    if lengths.max() > _LONGEST_WORD:
        return None
    packed = np.zeros(len(begins), dtype=np.uint64)
    for place in range(int(lengths.max(initial=0))):
        byte = cells.byte(begins + place)
        lower = np.where((byte >= ord("A")) & (byte <= ord("Z")), byte + np.uint8(32), byte)
        packed = np.where(lengths > place, packed << np.uint64(8) | lower, packed)
    found = np.full(len(begins), -1, dtype=np.int64)
    for word, number in known.items():
        if len(word) <= _LONGEST_WORD:
            found[packed == np.uint64(int.from_bytes(word.encode(), "big"))] = number
    return None if (found < 0).any() else found
