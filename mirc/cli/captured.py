"""A TARGET on the command line into a captured program, with its stages timed aloud."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mirc.diagnostics import CouldNotRun

if TYPE_CHECKING:
    from mirc.graph import Program


def captured(target: str, **options: Any) -> "Program":
    """Capture a model; ``options`` are fields of ``CaptureOptions``.

    Progress and seconds go to standard error. Raises ``CouldNotRun``.
    """
    # Imported here: torch takes seconds to start, and --help or a wrong option needs none of it.
    try:
        from mirc.frontend import CaptureOptions, capture  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise CouldNotRun(
            f"a model needs `{error.name}` to be captured, which is not installed",
            "install it: pip install 'mirc[torch]'",
        ) from error
    with stage("capture"):
        return capture(target, CaptureOptions(**options), lambda line: click.echo(line, err=True))


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Say on standard error how many seconds the body took."""
    begin = time.perf_counter()
    yield
    tell(name, time.perf_counter() - begin)


def tell(name: str, seconds: float) -> None:
    """Say on standard error how many seconds something took."""
    click.echo(f"{name}: {seconds:.2f} s", err=True)
