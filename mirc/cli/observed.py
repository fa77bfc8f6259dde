"""What a run showed, named on the command line, into the parts of an observation."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mirc.diagnostics import CouldNotRun
from mirc.ir import Module
from mirc.lint.sources import STDIN, STDIN_NAME
from mirc.traces.observations import Part


@contextmanager
def observed_in(
    path: str, module: Module, phase: str | None = None
) -> Iterator[tuple[str, Iterator[tuple[int, Part]]]]:
    """Open an observation of any kind; give the name that messages call it, and its parts."""
    from mirc.observe.sources import parts_in  # noqa: PLC0415 - --help needs none of it

    name = STDIN_NAME if path == STDIN else path
    with _opened(path) as file:
        yield name, parts_in(file, name, module, phase)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == STDIN:
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        raise CouldNotRun(f"there is no file `{path}`", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CouldNotRun(f"cannot read `{path}`: {reason.lower()}", "check the path") from error
    with file:
        yield file
