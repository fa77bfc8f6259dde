"""``mirc trace make agents|retrieval|tenants``: a seed into a trace of requests."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mirc.cli.options import output_option
from mirc.cli.output import writing

if TYPE_CHECKING:
    from mirc.traces.requests import Request

Command = TypeVar("Command", bound=Callable[..., Any])


def _number(name: str, default: int, least: int, what: str) -> Callable[[Command], Command]:
    return click.option(
        name, type=click.IntRange(least), default=default, show_default=True, help=what
    )


_seed = click.option("--seed", type=int, default=0, show_default=True, help="What is drawn.")
_output = output_option("Write the trace there: Mooncake JSON lines.")


@click.command()
@_number("--sessions", 400, 1, "Conversations; forks come on top.")
@_number("--every-ms", 1500, 1, "Time between the beginnings of two, on the average.")
@_seed
@_output
def agents(*, sessions: int, every_ms: int, seed: int, output: str) -> None:
    """Conversations of agents: tools to wait for, forks, summaries, two shared system prompts."""
    from mirc.traces.make.agents import Agents  # noqa: PLC0415 - --help needs none of it
    from mirc.traces.make.agents import agents as made  # noqa: PLC0415

    _write(output, made(Agents(sessions=sessions, every_ms=every_ms, seed=seed)))


@click.command()
@_number("--requests", 4000, 1, "Questions.")
@_number("--documents", 1500, 6, "Documents that are retrieved from.")
@_number("--every-ms", 250, 1, "Time between two questions, on the average.")
@_number("--burst-every", 500, 1, "Questions between the beginnings of two bursts.")
@_number("--burst-length", 150, 0, "Questions in a burst.")
@_seed
@_output
def retrieval(*, output: str, **asked: int) -> None:
    """Questions over retrieved documents, a few of which are suddenly in demand for a while."""
    from mirc.traces.make.retrieval import Retrieval  # noqa: PLC0415 - as above
    from mirc.traces.make.retrieval import retrieval as made  # noqa: PLC0415

    _write(output, made(Retrieval(**asked)))


@click.command()
@_number("--sessions", 900, 1, "Conversations of all tenants.")
@_number("--every-ms", 800, 1, "Time between the beginnings of two, on the average.")
@_seed
@_output
def tenants(*, sessions: int, every_ms: int, seed: int, output: str) -> None:
    """Tenants of one server: agents that come back, readers that may, and a batch that does not."""
    from mirc.traces.make.tenants import Tenants  # noqa: PLC0415 - as above
    from mirc.traces.make.tenants import tenants as made  # noqa: PLC0415

    _write(output, made(Tenants(sessions=sessions, every_ms=every_ms, seed=seed)))


def _write(output: str, requests: "Iterable[Request]") -> None:
    from mirc.traces.requests import dump  # noqa: PLC0415 - as above

    with writing(output) as file:
        file.writelines(line.encode() for line in dump(requests))
