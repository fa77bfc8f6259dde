"""``mirc simulate``: what intent is worth on a modeled machine, beside other policies."""

import sys
from pathlib import Path

import click

import mirc
from mirc.cli.completion import complete_files, complete_machines
from mirc.cli.options import format_option, machines_named, output_option
from mirc.cli.output import check_writable, spare_inputs, write_text
from mirc.diagnostics import CouldNotRun, Source
from mirc.lint.sources import STDIN, read


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@click.option(
    "-M",
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME|FILE,...",
    shell_complete=complete_machines,
    help="Simulate this machine; may be given several times. Without it, those of FILE's plans.",
)
@click.option(
    "--policy",
    "policies",
    default="all",
    show_default=True,
    metavar="all|NAME,...",
    help="Policies to run: static, lru, mru, lru-prefetch, belady, intent.",
)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Run N iterations.")
@click.option(
    "--schedule", metavar="LIST", help="Such as `prefill, REPEAT(64, decode_step)`; as in a file."
)
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Sequences in every phase.")
@click.option(
    "--context",
    type=click.IntRange(1),
    metavar="N",
    help="Tokens in each sequence's cache before the first run, where its phase has a context.",
)
@click.option(
    "--within",
    type=click.Choice(("tiers", "near")),
    default="tiers",
    show_default=True,
    help="Admit a run that streams from the memories below, or only one that near memory holds.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Decides which experts are drawn.",
)
@format_option("text", "json")
@output_option("Write the report there.")
@click.option(
    "--events", metavar="FILE", help="Write every event there too, as JSON lines: it can be large."
)
@click.pass_context
def simulate(
    ctx: click.Context,
    *,
    file: str,
    machines: tuple[str, ...],
    policies: str,
    steps: int | None,
    schedule: str | None,
    batch: int | None,
    context: int | None,
    within: str,
    seed: int,
    output_format: str,
    output: str,
    events: str | None,
) -> None:
    """Run the schedule of a .mir file on modeled machines, under several policies.

    FILE is a .mir file, or `-` for standard input. The report shows step times, bytes over each
    link, stalls and prefetches of every policy beside the bounds that none can beat. Exit code 1
    means that intent broke a contract, 2 that the simulation could not run: FILE has errors, or
    does not fit.

    \b
    mirc simulate llama.mir -M h100-sxm --steps 64
    """  # noqa: D301 - click's own mark, not a backslash
    check_writable(events or STDIN)
    spare_inputs((output, events), (file,))
    # Imported here: numpy and numba take most of a second, and --help needs neither.
    from mirc.lint.errors import load_right  # noqa: PLC0415
    from mirc.report import json_form, text  # noqa: PLC0415
    from mirc.simulate.admission import Scope  # noqa: PLC0415
    from mirc.simulate.study import Options, study  # noqa: PLC0415

    source = _source(file)
    found = study(
        load_right(source),
        Options(
            machines=machines_named(machines),
            policies=policies,
            steps=steps,
            schedule=schedule,
            batch=batch,
            context=context,
            within=Scope(within),
            seed=seed,
            record=events is not None,
        ),
        source,
        _tell if sys.stderr.isatty() else None,
    )
    if output_format == "json":
        write_text(output, json_form.as_text(found, version=mirc.__version__))
    else:
        write_text(output, text.as_text(found))
    if events is not None:
        write_text(events, "".join(found.event_lines()))
    ctx.exit(int(any(comparison.broken for comparison in found.comparisons)))


def _source(file: str) -> Source:
    if file != STDIN and Path(file).is_dir():
        raise CouldNotRun(f"`{file}` is a directory", "name a .mir file in it")
    return read(file)


def _tell(line: str) -> None:
    """Show what runs now on one line of the terminal, in the place of what was there."""
    click.echo(f"\r\x1b[K{line}", nl=False, err=True)
