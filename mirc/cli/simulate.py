"""``mirc simulate``: what intent is worth on a modeled machine, beside other policies."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import mirc
from mirc.cli.completion import complete_files, complete_machines
from mirc.cli.options import format_option, machines_named, output_option
from mirc.cli.output import write_text
from mirc.cli.recording import files_of, recording, recording_options
from mirc.cli.serving import serve_trace, served_of, serving_options
from mirc.diagnostics import CouldNotRun, Source
from mirc.lint.sources import STDIN, read

if TYPE_CHECKING:
    from mirc.ir import Module


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
    metavar="all|every|NAME,...",
    help="Policies to run: static, lru, mru, lru-prefetch, regret, belady, intent; with every, or "
    "by name, those of docs/policies.md too; FILE.py:CLASS for one of your own.",
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
@click.option(
    "--routing",
    metavar="FILE",
    help="Let steps use the experts of this routing trace (see docs/routing.md) instead.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="SPEC",
    help="Let something fail before a step, such as `slow:LINK=10@4`; may be given several times.",
)
@click.option(
    "--why",
    metavar="OBJECT[@STEP]",
    help="Instead of the report, tell that object's story: where it was, what moved it, and why.",
)
@click.option(
    "--precision",
    "lowering",
    type=click.Choice(("auto", "fit", "speed", "off")),
    default="auto",
    show_default=True,
    help="Hold weights in fewer bits too: as few as they fit with, or as their floors allow.",
)
@click.option(
    "--intent",
    metavar="FILE",
    help="Let policies believe a packed file (see `mirc pack`); what happens is what FILE says.",
)
@click.option(
    "--hint-curve",
    is_flag=True,
    help="Run intent again with 10 to 100 % of its hints wrong, and print the curve.",
)
@click.option(
    "--ablate",
    is_flag=True,
    help="Run intent again without each field of FILE, and print what each is worth.",
)
@click.option(
    "--miss-curve", is_flag=True, help="Print what LRU misses at every capacity, class by class."
)
@serving_options
@format_option("text", "json")
@output_option("Write the report there.")
@recording_options
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
    routing: str | None,
    faults: tuple[str, ...],
    lowering: str,
    why: str | None,
    intent: str | None,
    hint_curve: bool,
    ablate: bool,
    miss_curve: bool,
    output_format: str,
    output: str,
) -> None:
    """Run the schedule of a .mir file on modeled machines, under several policies.

    FILE is a .mir file, or `-` for standard input. The report shows step times, bytes over each
    link, stalls and prefetches of every policy beside the bounds that none can beat. Exit code 1
    means that intent broke a contract, 2 that the simulation could not run: FILE has errors, or
    does not fit.

    \b
    mirc simulate llama.mir -M h100-sxm --steps 64
    mirc simulate llama.mir -M h100-sxm --trace requests.jsonl --kv-gb 40
    mirc simulate llama.mir -M h100-sxm --policy intent --why layers.3.mlp.weight@40
    """  # noqa: D301 - click's own mark, not a backslash
    files = files_of(ctx)
    files.check(tuple(filter(None, (file, intent, routing))), (output,))
    # Imported here: numpy and numba take most of a second, and --help needs neither.
    from mirc.controller.telemetry import Telemetry  # noqa: PLC0415
    from mirc.lint.errors import load_right  # noqa: PLC0415
    from mirc.report import json_form, stories, text  # noqa: PLC0415
    from mirc.simulate.admission import Scope  # noqa: PLC0415
    from mirc.simulate.hints import Probe  # noqa: PLC0415
    from mirc.simulate.joint import Lowering  # noqa: PLC0415
    from mirc.simulate.study import Options, study  # noqa: PLC0415
    from mirc.traces.routing import read as read_routing  # noqa: PLC0415

    tell = _tell if sys.stderr.isatty() else None
    source = _source(file)
    module = load_right(source)
    served = served_of(ctx)
    if served.trace is not None:
        files.check_for_trace()
        serve_trace(
            module,
            served,
            files=files,
            machines=machines_named(machines),
            policies=policies,
            output_format=output_format,
            output=output,
            tell=tell,
        )
        return
    options = Options(
        machines=machines_named(machines),
        policies=policies,
        steps=steps,
        schedule=schedule,
        batch=batch,
        context=context,
        within=Scope(within),
        seed=seed,
        faults=faults,
        telemetry=Telemetry.OFF if why is None else Telemetry.EACH_STEP,
        lowering=Lowering(lowering),
        probes=(
            *(Probe.CURVE,) * hint_curve,
            *(Probe.ABLATION,) * ablate,
            *(Probe.MISSES,) * miss_curve,
        ),
        record=why is not None,
        routing=None if routing is None else read_routing(routing),
    )
    believed = None if intent is None else _under(intent, module)
    with recording(files) as (watch, draw):
        found = study(module, options, source, tell, believed, watch=watch)
    if why is not None:
        write_text(output, stories.written(found, why, output_format))
    elif output_format == "json":
        write_text(output, json_form.as_text(found, version=mirc.__version__))
    else:
        write_text(output, text.as_text(found))
    draw(found)
    ctx.exit(int(any(comparison.broken for comparison in found.comparisons)))


def _under(intent: str, module: "Module") -> "Module":
    from mirc.cli.packed_file import read_packed  # noqa: PLC0415 - where one is given
    from mirc.packed.graft import under  # noqa: PLC0415

    return under(read_packed(intent), module, intent)


def _source(file: str) -> Source:
    if file != STDIN and Path(file).is_dir():
        raise CouldNotRun(f"`{file}` is a directory", "name a .mir file in it")
    return read(file)


def _tell(line: str) -> None:
    """Show what runs now on one line of the terminal, in the place of what was there."""
    click.echo(f"\r\x1b[K{line}", nl=False, err=True)
