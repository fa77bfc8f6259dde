"""``mirc compile``: a model into memory intent."""

from typing import TYPE_CHECKING, Any

import click

from mirc.cli.captured import captured, stage, tell
from mirc.cli.compile_remarks import note_wiring
from mirc.cli.compile_summary import as_json, as_text
from mirc.cli.completion import complete_machines
from mirc.cli.floors import check_floors, floors_option
from mirc.cli.options import format_option, machines_named, output_option
from mirc.cli.output import STDOUT, check_writable, spare_inputs, write_text
from mirc.cli.routing import routing_option
from mirc.diagnostics import CouldNotRun
from mirc.emit import emit
from mirc.grammar import parse_schedule, print_module
from mirc.grammar.memory import collection_paused
from mirc.ir.units import Unreadable, parse_int, parse_size
from mirc.machine.load import load
from mirc.passes.pipeline import closure, explain, run
from mirc.passes.seeds import Options

if TYPE_CHECKING:
    from mirc.answers.certify import Certified
    from mirc.graph import Program
    from mirc.ir import Module
    from mirc.ir.enums import DType
    from mirc.machine import Machine
    from mirc.passes.base import Facts
    from mirc.passes.seeds import Observed


class SizeType(click.ParamType):  # type: ignore[type-arg]
    """Bytes: a whole number, or a size such as ``128MiB``."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes; at least one."""
        if isinstance(value, int):
            return value
        try:
            size = parse_int(value) if value[-1:].isdigit() else parse_size(value)
        except ValueError as error:
            reason = str(error) if isinstance(error, Unreadable) else "write it as `128MiB`"
            self.fail(f"`{value}` is not a size: {reason}", param, ctx)
        if size < 1:
            self.fail(f"`{value}` is not a size of at least one byte", param, ctx)
        return size


def _machines(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> "dict[str, Machine]":
    """Load machines by the text that they were asked for by: what a plan says it was made for."""
    del context, parameter
    machines = {text: load(text) for text in machines_named(value)}
    names = [machine.name for machine in machines.values()]
    for name in names:
        if names.count(name) > 1:
            raise CouldNotRun(f"the machine `{name}` is given twice", "name each machine once")
    return machines


@click.command("compile", no_args_is_help=True)
@click.argument("target", metavar="TARGET")
@output_option("The .mir file to write.")
@click.option("--phases", metavar="LIST", help="Such as `prefill:seq=512,decode_step:past=512`.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, metavar="N")
@click.option(
    "--fold",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Capture blocks that repeat a few times and copy them: where it is quicker, or always.",
)
@click.option("--no-fold", "fold", flag_value="never", help="Capture every block: --fold never.")
@click.option(
    "-M",
    "--machine",
    "machines",
    multiple=True,
    callback=_machines,
    metavar="NAME|FILE,...",
    shell_complete=complete_machines,
    help="Add a plan for this machine; may be given several times.",
)
@click.option(
    "--tile-bytes",
    type=SizeType(),
    default="128MiB",
    show_default=True,
    metavar="SIZE",
    help="Split weights above this size into row tiles.",
)
@click.option(
    "--schedule", metavar="LIST", help="Such as `prefill, REPEAT(64, decode_step)`; as in a file."
)
@click.option(
    "--graph", metavar="FILE", help="Also write the dependency graph of all phases, as GraphML."
)
@click.option("--explain-passes", is_flag=True, help="Print what each pass established.")
@click.option(
    "--passes",
    "names",
    multiple=True,
    metavar="NAME",
    help="Run only this pass and those it reads from, explain them, and write no file.",
)
@floors_option
@routing_option
@click.option(
    "--wire",
    is_flag=True,
    help="Let plans wire what is worth it into on-chip memory, where the machine has some.",
)
@click.option(
    "--certify",
    is_flag=True,
    help="Also print how far each decision is from its bound, policies without effect, and what "
    "more memory or bandwidth would save.",
)
@format_option("text", "json")
def compile_(
    *,
    target: str,
    output: str,
    phases: str | None,
    batch: int,
    fold: str,
    machines: "dict[str, Machine]",
    tile_bytes: int,
    schedule: str | None,
    graph: str | None,
    names: tuple[str, ...],
    wire: bool,
    floors: "tuple[tuple[str, DType], ...]",
    observed: "Observed",
    certify: bool,
    output_format: str,
    explain_passes: bool,
) -> None:
    """Capture a model and write what its data will do as a .mir file.

    TARGET is `preset:NAME`, `hf:CONFIG.json` (offline), a `.pt2` file, `FILE.py[:NAME]` or
    `pkg.mod:NAME`. A Python TARGET is imported and run, as `python FILE.py` would: compile only
    code that you trust. Weights are never loaded.

    Progress and seconds go to standard error, the summary to standard output (to standard error
    where the file itself goes there).

    \b
    mirc compile preset:llama3-70b -M h100-sxm -o llama.mir
    """  # noqa: D301 - click's own mark, not a backslash
    if certify and names:
        raise CouldNotRun(
            "`--certify` is about a whole compilation, and `--passes` runs a part of one",
            "leave one of them away",
        )
    closure(names)  # an unknown pass or a wrong schedule is told before the long capture
    written = parse_schedule(schedule) if schedule is not None else None
    traced = () if observed.routing is None else (observed.routing.name,)
    spare_inputs((output, graph), (target, *traced, *machines))
    if graph is not None:
        check_writable(graph)
    program = captured(target, phases=phases, batch=batch, tile_bytes=tile_bytes, fold=fold)
    check_floors(floors, program)
    if graph is not None:
        with stage("graph"):
            _draw(program, graph)
    with stage("passes"):
        facts = run(
            program,
            machines=tuple(machines.values()),
            spelled={machine.name: text for text, machine in machines.items()},
            schedule=written,
            options=Options(floors=floors, wire=wire),
            observed=observed,
            only=names,
            timed=tell if explain_passes or names else None,
        )
    aside = output == STDOUT and not names
    if names or explain_passes:
        click.echo("\n".join(explain(facts)), err=aside or output_format == "json")
    if names:
        return
    with stage("emit"), collection_paused():
        module = emit(program, facts)
        text = print_module(module)
    # Before the file is written: what cannot be certified leaves none.
    certified = _certified(program, facts, module) if certify else None
    write_text(output, text)
    if wire:
        note_wiring(facts, tuple(machines.values()))
    summary = (as_json if output_format == "json" else as_text)(program, facts, certified)
    click.echo(summary, err=aside)


def _certified(program: "Program", facts: "Facts", module: "Module") -> "Certified":
    from mirc.answers.certify import certify  # noqa: PLC0415 - the linter, only where it is asked

    with stage("certify"):
        return certify(program, facts, module)


def _draw(program: "Program", path: str) -> None:
    from mirc.graph.dependency import graphml  # noqa: PLC0415 - networkx, only where it is asked for

    write_text(path, graphml(program))
