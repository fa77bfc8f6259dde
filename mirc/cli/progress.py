"""Files one after another into a line on a terminal that says how far it is."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

WAIT_S = 1.0  # what takes no longer than this needs no progress
EVERY_S = 0.1
_CLEAR = "\r\x1b[K"


def shown(
    names: Iterable[str],
    total: int,
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """Yield the names; while that takes long, show which one is at work, if a person looks on.

    The line stands on standard error and is gone in the end.
    """
    stream = stream if stream is not None else sys.stderr
    if not stream.isatty():
        yield from names
        return
    last = clock() + WAIT_S - EVERY_S
    written = False
    try:
        for number, name in enumerate(names, start=1):
            now = clock()
            if now - last >= EVERY_S:
                last, written = now, True
                word = "".join(char if char.isprintable() else "?" for char in name[-60:])
                stream.write(f"{_CLEAR}checking {number} of {total}: {word}")
                stream.flush()
            yield name
    finally:
        if written:
            stream.write(_CLEAR)
            stream.flush()
