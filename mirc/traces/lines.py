"""A stranger's text, plain or gzipped, into its lines: none longer and no more than is allowed."""

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from mirc.diagnostics import CouldNotRun

GZIP = b"\x1f\x8b"


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
            raise CouldNotRun(
                f"`{name}` has more than {most:_} lines or {most_bytes:_} bytes",
                "give a part of it",
            )
        if len(line) > longest:
            raise CouldNotRun(
                f"line {number} of `{name}` is too long",
                f"a line has at most {longest:_} bytes",
            )
        if line.strip():
            yield number, line


def _line(file: BinaryIO, number: int, name: str, longest: int) -> bytes:
    try:
        return file.readline(longest + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CouldNotRun(
            f"`{name}` cannot be unpacked after line {number - 1}: it is cut off or damaged",
            "fetch it again",
        ) from error
