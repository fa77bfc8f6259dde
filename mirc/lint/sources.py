"""Paths as given on a command line into the texts to check."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar.limits import MAX_TEXT, too_large

STDIN = "-"
STDIN_NAME = "<stdin>"
SUFFIX = ".mir"


def sources(paths: tuple[str, ...], stdin_name: str = STDIN_NAME) -> tuple[Source, ...]:
    """Read each path once, in order: files, ``-``, and directories for the ``.mir`` files in them.

    Raises ``CouldNotRun`` for what is missing, unreadable, not UTF-8, or a directory without any.
    """
    return tuple(read(name, stdin_name) for name in files(paths))


def files(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return each file that paths lead to once, in order; ``-`` stands for itself.

    Raises ``CouldNotRun`` for a directory without any.
    """
    return tuple(dict.fromkeys(name for path in paths for name in _files(path)))


def read(name: str, stdin_name: str = STDIN_NAME) -> Source:
    """Read a file, or standard input for ``-``, which is then called ``stdin_name``.

    A byte order mark is no part of the text. Raises ``CouldNotRun``.
    """
    if name == STDIN:
        return _decoded(stdin_name, sys.stdin.buffer.read(MAX_TEXT + 1))
    return _file(name)


def _files(path: str) -> Iterator[str]:
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
    """Yield the .mir files below a folder; hidden folders (.git, .venv) are left out."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(where) / name) for name in names if name.endswith(SUFFIX))


def _file(name: str) -> Source:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_TEXT + 1)  # a pipe has no size to ask for
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{name}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CouldNotRun(f"cannot read `{name}`: {reason.lower()}") from error
    return _decoded(name, data)


def _decoded(name: str, data: bytes) -> Source:
    if len(data) > MAX_TEXT:
        raise too_large(name)
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CouldNotRun(
            f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}",
            "save it as UTF-8",
        ) from None
