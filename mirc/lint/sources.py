"""Paths as given on a command line into the texts to check."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mirc.diagnostics import CouldNotRun, Source

STDIN = "-"
STDIN_NAME = "<stdin>"
SUFFIX = ".mir"


def sources(paths: tuple[str, ...], stdin_name: str = STDIN_NAME) -> tuple[Source, ...]:
    """Read each path once, in order: files, ``-``, and directories for the ``.mir`` files in them.

    Raises ``CouldNotRun`` for what is missing, unreadable, not UTF-8, or a directory without any.
    """
    found = dict.fromkeys(name for path in paths for name in _files(path))
    return tuple(_stdin(stdin_name) if name == STDIN else _file(name) for name in found)


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
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(where) / name) for name in files if name.endswith(SUFFIX))


def _file(name: str) -> Source:
    try:
        data = Path(name).read_bytes()
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{name}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CouldNotRun(f"cannot read `{name}`: {reason.lower()}") from error
    return _decoded(name, data)


def _stdin(name: str) -> Source:
    return _decoded(name, sys.stdin.buffer.read())


def _decoded(name: str, data: bytes) -> Source:
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CouldNotRun(
            f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}",
            "save it as UTF-8",
        ) from None
