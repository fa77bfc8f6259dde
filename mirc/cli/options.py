"""Options that several commands share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mirc.cli.completion import complete_machines
from mirc.cli.output import check_writable

if TYPE_CHECKING:
    from mirc.machine.model import Machine

Command = TypeVar("Command", bound=Callable[..., Any])


class MachineType(click.ParamType[Any]):
    """A machine: the name of a preset, or the path of a ``.toml`` file, loaded and valid."""

    name = "machine"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Machine":
        """Load the machine; raises ``CouldNotRun``."""
        del param, ctx
        # Start-up: TOML is read only where a machine was asked for.
        from mirc.machine.load import load  # noqa: PLC0415
        from mirc.machine.model import Machine  # noqa: PLC0415

        return value if isinstance(value, Machine) else load(value)


def machines_option(summary: str) -> Callable[[Command], Command]:
    """Return the option ``-M/--machine``: a tuple of loaded machines, ``()`` if none is named."""
    return click.option(
        "-M",
        "--machine",
        "machines",
        type=MachineType(),
        multiple=True,
        metavar="NAME|FILE",
        shell_complete=complete_machines,
        help=f"{summary} From `mirc machine list`, or a .toml file; may be given several times.",
    )


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


def _check_output(context: click.Context, parameter: click.Parameter, value: str) -> str:
    del context, parameter
    check_writable(value)
    return value
