"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mirc.cli.output import check_writable

Command = TypeVar("Command", bound=Callable[..., Any])


def output_option(summary: str) -> Callable[[Command], Command]:
    """Return the option ``-o/--output``: a path found writable before the work begins."""
    return click.option(
        "-o",
        "--output",
        "output",
        callback=_check_output,
        default="-",
        metavar="FILE",
        help=f"{summary} `-` (the default) is standard output.",
    )


def format_option(*formats: str) -> Callable[[Command], Command]:
    """Return the option ``--output-format``; the first of ``formats`` is the default."""
    return click.option(
        "--output-format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="The form of what is printed.",
    )


def machines_named(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return each machine that ``--machine`` names once: it takes several, as does each value."""
    names = (name.strip() for value in given for name in value.split(","))
    return tuple(dict.fromkeys(filter(None, names)))


def _check_output(context: click.Context, parameter: click.Parameter, value: str) -> str:
    del context, parameter
    check_writable(value)
    return value


phase_option = click.option(
    "--phase", metavar="NAME", help="The phase that ran in a profile that does not say."
)
