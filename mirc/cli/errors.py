"""A file on the command line into its module; one with errors ends the command with code 1."""

from typing import TYPE_CHECKING, NoReturn

import attrs
import click

from mirc.diagnostics import Diagnostic, FileFindings, Findings, Source, render

if TYPE_CHECKING:
    from mirc.ir import Module


def without_errors(ctx: click.Context, source: Source) -> "Module":
    """Return the module of a source; show its errors and exit with code 1 if it has any."""
    from mirc.lint.errors import errors  # noqa: PLC0415 - all rules: --help needs none

    module, found = errors(source)
    if found:
        refuse(ctx, source, found)
    return module


def refuse(ctx: click.Context, source: Source, found: tuple[Diagnostic, ...]) -> NoReturn:
    """Show the errors of a source and exit with code 1."""
    # Only `mirc check` has `--fix`: here nothing is offered that cannot be run.
    told = tuple(attrs.evolve(each, fix=None) for each in found)
    click.echo(render.full(Findings((FileFindings(source, told),))), nl=False, err=True)
    ctx.exit(1)
