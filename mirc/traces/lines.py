"""A stranger's text, plain or gzipped, into its lines: none longer and no more than is allowed."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeVar, cast

import attrs

from mirc.diagnostics import CouldNotRun

Item = TypeVar("Item")

GZIP = b"\x1f\x8b"
_PIECE_BYTES = 1 << 14  # read at a time: what of a damaged archive may be lost


def unpacked(file: BinaryIO) -> BinaryIO:
    """Return the text in a file that may be gzipped: its content decides."""
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file


def lines_of(
    file: BinaryIO, name: str, *, most: int, longest: int, most_bytes: int
) -> Iterator[tuple[int, bytes]]:
    """Yield (number, line) for each line that is not blank; ``name`` is what messages call it.

    Raises CouldNotRun for more than ``most`` lines or ``most_bytes`` bytes, however small the
    archive that they unpack from, for a line of more than ``longest`` bytes, and for an archive
    that is cut off or damaged.
    """
    number = read_bytes = 0
    while line := _line(file, number + 1, name, longest):
        number += 1
        read_bytes += len(line)
        if number > most or read_bytes > most_bytes:
            raise _too_much(name, most, most_bytes)
        if len(line) > longest:
            raise _too_long(name, number, longest)
        if line.strip():
            yield number, line


def _line(file: BinaryIO, number: int, name: str, longest: int) -> bytes:
    try:
        return file.readline(longest + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(name, number - 1) from error


@attrs.frozen(kw_only=True)
class Block:
    """Whole lines, of which the first is the ``number``-th of its file."""

    number: int
    text: bytes


def blocks_of(
    file: BinaryIO, name: str, *, size: int, most: int, longest: int, most_bytes: int
) -> Iterator[Block]:
    """Yield about ``size`` bytes of whole lines at a time; the last line may lack its end.

    Raises CouldNotRun as ``lines_of`` does, after the lines that come before.
    """
    number, read_bytes, rest = 1, 0, b""
    while True:
        more, damage = read_up_to(file, size)
        read_bytes += len(more)
        text, end, rest = (rest + more).rpartition(b"\n")
        if end:
            yield Block(number=number, text=text + end)
            number += text.count(b"\n") + 1
        if damage is not None:
            raise _damaged(name, number - 1) from damage
        if len(rest) > longest:
            raise _too_long(name, number, longest)
        if number > most or read_bytes > most_bytes:
            raise _too_much(name, most, most_bytes)
        if len(more) < size:
            break
    if rest:
        yield Block(number=number, text=rest)


def so_far(items: Iterable[Item]) -> tuple[tuple[Item, ...], CouldNotRun | None]:
    """Return what can be read, and what is wrong after it; raises that if nothing comes before."""
    found: list[Item] = []
    try:
        found.extend(items)
    except CouldNotRun as error:
        if not found:
            raise
        return tuple(found), error
    return tuple(found), None


def read_up_to(file: BinaryIO, size: int) -> tuple[bytes, Exception | None]:
    """Return so many bytes, or what comes before the end or a damaged place, and the damage."""
    parts: list[bytes] = []
    left = size
    while left:
        try:
            part = file.read(min(left, _PIECE_BYTES))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return b"".join(parts), error
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts), None


def _too_long(name: str, number: int, longest: int) -> CouldNotRun:
    return CouldNotRun(
        f"line {number} of `{name}` is too long", f"a line has at most {longest:_} bytes"
    )


def _too_much(name: str, most: int, most_bytes: int) -> CouldNotRun:
    return CouldNotRun(
        f"`{name}` has more than {most:_} lines or {most_bytes:_} bytes", "give a part of it"
    )


def _damaged(name: str, number: int) -> CouldNotRun:
    return CouldNotRun(
        f"`{name}` cannot be unpacked after line {number}: it is cut off or damaged",
        "fetch it again",
    )
