"""Files one after another into an exit code that remembers those which could not be done."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from mirc.diagnostics.errors import CouldNotRun

COULD_NOT_RUN = 2


class Attempts:
    """Goes on after a file that cannot be read or written; says so on standard error at once."""

    def __init__(self) -> None:
        self.failed = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Do what stands below; a ``CouldNotRun`` is told and counted, and ends only that."""
        try:
            yield
        except CouldNotRun as refusal:
            self.failed += 1
            click.echo(f"error: {refusal.message}", err=True)
            if refusal.hint:
                click.echo(f"help: {refusal.hint}", err=True)

    def exit_code(self, otherwise: int) -> int:
        """Return 2 if anything could not be done, else what the work itself came to."""
        return COULD_NOT_RUN if self.failed else otherwise
