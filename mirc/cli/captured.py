"""A TARGET on the command line into a captured program, with its stages timed aloud."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mirc.diagnostics import CouldNotRun
from mirc.grammar.memory import collection_paused

if TYPE_CHECKING:
    from mirc.graph import Program


def captured(target: str, **options: Any) -> "Program":
    """Capture a model; ``options`` are fields of ``CaptureOptions``.

    Progress, seconds and warnings go to standard error. Raises ``CouldNotRun``.
    """
    # Imported here: torch takes seconds to start, and --help or a wrong option needs none of it.
    try:
        with collection_paused():  # a million objects that live on, and no garbage
            from mirc.frontend import CaptureOptions, capture  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise CouldNotRun(
            f"a model needs `{error.name}` to be captured, which is not installed",
            "install it: pip install 'mirc[torch]'",
        ) from error
    from mirc.cli.compile_remarks import warn  # noqa: PLC0415 - passes, only with a model

    with stage("capture"):
        found = capture(target, CaptureOptions(**options), lambda line: click.echo(line, err=True))
    warn(found)
    return found


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Say on standard error how many seconds the body took, and how many of the processor."""
    begin, used = time.perf_counter(), time.process_time()
    yield
    seconds, used = time.perf_counter() - begin, time.process_time() - used
    click.echo(f"{name}: {seconds:.2f} s ({used:.2f} s of processor)", err=True)


def tell(name: str, seconds: float) -> None:
    """Say on standard error how many seconds something took."""
    click.echo(f"{name}: {seconds:.2f} s", err=True)
