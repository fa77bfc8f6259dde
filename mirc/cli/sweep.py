"""``mirc sweep``: many simulations into one table."""

import sys

import click

import mirc
from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, write_bytes, write_text

_DOT = ".toml"


@click.command(no_args_is_help=True)
@click.argument("sweep_file", metavar="SWEEP.toml")
@output_option("Write the table there: .csv, .json or .parquet by its ending.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes; else one a CPU.")
@click.option(
    "--on",
    "place",
    type=click.Choice(("local", "ray", "dask")),
    default="local",
    show_default=True,
    help="Run on this machine, or on a cluster.",
)
@click.option(
    "--address", metavar="ADDRESS", help="With --on ray or dask: a cluster that is there already."
)
@click.option(
    "--results",
    metavar="FOLDER",
    help="Keep results there and go on from those of before; else in SWEEP.results beside it.",
)
@click.pass_context
def sweep(
    ctx: click.Context,
    *,
    sweep_file: str,
    output: str,
    jobs: int | None,
    place: str,
    address: str | None,
    results: str | None,
) -> None:
    """Simulate all combinations of policies, machines, capacities, wrong hints and seeds.

    Each result is kept under a hash of all that decides it. A sweep that was stopped, however it
    was, goes on where it stood and ends with the same table. A point that cannot run is a row with
    its sentence. Exit code 1 means that there are such rows, 2 that the sweep could not run.

    \b
    mirc sweep policies.toml -o table.csv
    mirc sweep policies.toml -o table.parquet --on dask --address tcp://head:8786
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (sweep_file,))
    # Imported here: numpy takes time, and --help needs none of it.
    from mirc.sweep.points import points  # noqa: PLC0415
    from mirc.sweep.pools import Place, pool_of  # noqa: PLC0415
    from mirc.sweep.run import sweep as swept  # noqa: PLC0415
    from mirc.sweep.spec import load  # noqa: PLC0415
    from mirc.sweep.store import Store  # noqa: PLC0415
    from mirc.sweep.table import as_bytes, form_of, table  # noqa: PLC0415

    form = form_of(output)
    asked = points(load(sweep_file))
    pool = pool_of(Place(place), jobs, address)
    store = Store(results or f"{sweep_file.removesuffix(_DOT)}.results")
    found = swept(asked, pool, store, _tell if sys.stderr.isatty() else lambda _: None)
    data = as_bytes(table(asked, found.results), form, version=mirc.__version__)
    if form == ".csv":
        write_text(output, data.decode("utf-8", "surrogateescape"))
    else:
        write_bytes(output, data)
    ctx.exit(int(found.failed > 0))


def _tell(line: str) -> None:
    """Show how far it is on one line of the terminal, in the place of what was there."""
    click.echo(f"\r\x1b[K{line}", nl=False, err=True)
