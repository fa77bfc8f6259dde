"""``mirc trace make zipf|scan|loop``: a seed into a trace of accesses."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mirc.cli.options import output_option
from mirc.cli.output import writing

if TYPE_CHECKING:
    from mirc.traces.accesses import Rows
    from mirc.traces.make.accesses import Stream

Command = TypeVar("Command", bound=Callable[..., Any])

_MOST = 1 << 31


def stream_options(command: Command) -> Command:
    """Add what every one of these traces has."""
    for option in reversed(
        (
            click.option(
                "--accesses",
                type=click.IntRange(1, _MOST),
                default=1_000_000,
                show_default=True,
                help="How many there are.",
            ),
            click.option(
                "--objects",
                type=click.IntRange(1, _MOST),
                default=100_000,
                show_default=True,
                help="To how many objects.",
            ),
            click.option(
                "--size-bytes",
                type=click.IntRange(0),
                default=1 << 20,
                show_default=True,
                help="Of each object.",
            ),
            click.option(
                "--every-us",
                type=click.FloatRange(0, 1e12),
                default=0.0,
                show_default=True,
                help="Microseconds between two accesses.",
            ),
            click.option(
                "--poisson", is_flag=True, help="Let these be the mean of exponential times."
            ),
            click.option(
                "--writes",
                type=click.FloatRange(0, 1),
                default=0.0,
                show_default=True,
                help="Share of accesses that write; only CSV says so.",
            ),
            click.option(
                "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of draws."
            ),
            output_option("Write the trace there: CSV if it ends in .csv, else oracleGeneral."),
        )
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--exponent",
    type=click.FloatRange(0, 10),
    default=1.0,
    show_default=True,
    help="The k-th most popular object is asked for in proportion to 1/k^exponent.",
)
@stream_options
def zipf(*, exponent: float, output: str, **stream: Any) -> None:
    """Make independent accesses, some objects far more popular than others."""
    from mirc.traces.make.accesses import zipf as made  # noqa: PLC0415 - --help needs no numpy

    asked = _stream(stream)
    _write(output, asked, lambda: made(asked, exponent))


@click.command()
@stream_options
def scan(*, output: str, **stream: Any) -> None:
    """Make accesses to one object after another, round and round."""
    from mirc.traces.make.accesses import scan as made  # noqa: PLC0415 - as above

    asked = _stream(stream)
    _write(output, asked, lambda: made(asked))


@click.command()
@click.option(
    "--length", type=click.IntRange(1), default=1000, show_default=True, help="Objects in a loop."
)
@click.option(
    "--rounds", type=click.IntRange(1), default=10, show_default=True, help="Rounds of a loop."
)
@stream_options
def loop(*, length: int, rounds: int, output: str, **stream: Any) -> None:
    """Make rounds over a few objects, then over the next few."""
    from mirc.traces.make.accesses import loop as made  # noqa: PLC0415 - as above

    asked = _stream(stream)
    _write(output, asked, lambda: made(asked, length, rounds))


def _stream(options: dict[str, Any]) -> "Stream":
    from mirc.traces.make.accesses import Stream  # noqa: PLC0415 - as above

    return Stream(**options)


def _write(output: str, stream: "Stream", made: Callable[[], Iterable["Rows"]]) -> None:
    """Write the accesses; for the format that says where each is next, they are made twice."""
    from mirc.diagnostics import CouldNotRun  # noqa: PLC0415 - as above
    from mirc.traces.accesses import CSV_HEADER, csv_lines, write_oracle_general  # noqa: PLC0415
    from mirc.traces.make.next_access import next_accesses  # noqa: PLC0415

    if output.endswith(".csv") or output == "-":
        with writing(output) as file:
            file.write(CSV_HEADER.encode())
            for rows in made():
                file.writelines(line.encode() for line in csv_lines(rows))
        return
    if stream.writes:
        raise CouldNotRun(
            "oracleGeneral does not say which accesses write", "end the name with .csv"
        )
    following = next_accesses((rows.keys for rows in made()), stream.objects)
    at = 0
    with writing(output) as file:
        for rows in made():
            write_oracle_general(file, rows, following[at : at + len(rows.keys)])
            at += len(rows.keys)
