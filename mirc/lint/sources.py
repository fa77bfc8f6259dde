"""Paths as given on a command line into the texts to check."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar.limits import MAX_TEXT, too_large

STDIN = "-"
STDIN_NAME = "<stdin>"
SUFFIX = ".mir"
_PACKED = b"MIRB"  # what `mirc pack` begins with; no text that is well-formed does


def files(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return each file that paths lead to once, in order: directories stand for theirs.

    ``-`` stands for itself.

    Raises ``CouldNotRun`` for a directory without any.
    """
    return unique(name for path in paths for name in listed(path))


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return each file once, under the first of its names, whatever way leads to it."""
    found = tuple(names)
    if len(found) == 1:  # start-up: the usual case asks the system nothing
        return found
    places: dict[str, str] = {}
    for name in found:
        # No file's name holds a NUL: who opens such a path says so.
        odd = name == STDIN or "\0" in name
        places.setdefault(name if odd else os.path.realpath(name), name)
    return tuple(places.values())


def leads_out(name: str, folder: str) -> bool:
    """Whether a name below a folder is a link to what lies outside of that folder."""
    if not os.path.islink(name):  # noqa: PTH114 - asked of every file
        return False
    return not Path(os.path.realpath(name)).is_relative_to(os.path.realpath(folder))


def read(name: str, stdin_name: str = STDIN_NAME) -> Source:
    """Read a file, or standard input for ``-``, which is then called ``stdin_name``.

    A byte order mark is no part of the text. Raises ``CouldNotRun`` for what is missing,
    unreadable, too large or not UTF-8.
    """
    data = read_bytes(name, MAX_TEXT + 1)
    return _decoded(stdin_name if name == STDIN else name, data)


def read_bytes(name: str, most: int) -> bytes:
    """Read up to ``most`` bytes of a file, or of standard input for ``-``.

    Raises ``CouldNotRun`` for what is missing or unreadable.
    """
    if name == STDIN:
        return sys.stdin.buffer.read(most)
    try:
        with Path(name).open("rb") as file:
            return file.read(most)  # a pipe has no size to ask for
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{name}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CouldNotRun(f"cannot read `{name}`: {reason.lower()}") from error


def listed(path: str) -> Iterator[str]:
    """Yield a path itself, or the files below it if it is a directory, in order.

    Raises ``CouldNotRun`` for a directory without any.
    """
    if path == STDIN or not Path(path).is_dir():
        yield path
        return
    inside = sorted(_walk(path))
    if not inside:
        raise CouldNotRun(
            f"there is no {SUFFIX} file in `{path}`", "name a file, or another folder"
        )
    yield from inside


def _walk(folder: str) -> Iterator[str]:
    """Yield the .mir files below a folder; hidden folders (.git, .venv) are left out.

    So are pipes and devices, which may never end. A folder that cannot be listed is yielded
    itself: who reads it says why.
    """
    shut: list[str] = []
    for where, folders, names in os.walk(folder, onerror=lambda error: shut.append(error.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found = (str(Path(where) / name) for name in names if name.endswith(SUFFIX))
        yield from (name for name in found if not _is_special(name))
    yield from shut


def _is_special(name: str) -> bool:
    """Whether it is there and no file; a link to nothing is for who reads it to report."""
    path = Path(name)
    try:
        return path.exists() and not path.is_file()
    except OSError:
        return False


def _decoded(name: str, data: bytes) -> Source:
    if len(data) > MAX_TEXT:
        raise too_large(name)
    if data.startswith(_PACKED):
        raise CouldNotRun(
            f"`{name}` is a packed file, not text", f"turn it into text: mirc unpack {name}"
        )
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CouldNotRun(
            f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}",
            "save it as UTF-8",
        ) from None
