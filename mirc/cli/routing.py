"""The option ``--routing``: a file of routing decisions into what passes read."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from mirc.passes.seeds import Observed
from mirc.traces.routing import read

Command = TypeVar("Command", bound=Callable[..., Any])


def _read(context: click.Context, parameter: click.Parameter, value: str | None) -> Observed:
    """Read the trace before the long capture, so that a wrong file is told at once."""
    del context, parameter
    return Observed() if value is None else Observed(read(value))


def routing_option(command: Command) -> Command:
    """Add ``--routing FILE`` to a command, read into ``observed``."""
    return click.option(
        "--routing",
        "observed",
        callback=_read,
        metavar="FILE",
        help="Which experts were chosen, as observed: vLLM's returned experts, Hugging Face router "
        "logits, or Megatron's routing trace.",
    )(command)
