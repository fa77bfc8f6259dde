"""``mirc opt``: what the passes find in the steps of a .mir file, written where it is absent."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from mirc.cli.completion import complete_files, complete_machines
from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, write_text
from mirc.diagnostics import FileFindings, Findings, render
from mirc.grammar import bind, parse
from mirc.lint.sources import read
from mirc.machine.load import load

if TYPE_CHECKING:
    from mirc.fill.passes import Filled


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@output_option("Write the result there.")
@click.option(
    "-M",
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME|FILE",
    shell_complete=complete_machines,
    help="Also fill, or add, the plan for this machine; may be given several times.",
)
@click.option(
    "--passes",
    "names",
    multiple=True,
    metavar="NAME",
    help="Fill only what this pass establishes; may be given several times. By default all do.",
)
@click.pass_context
def opt(
    ctx: click.Context,
    file: str,
    *,
    output: str,
    machines: tuple[str, ...],
    names: tuple[str, ...],
) -> None:
    """Run the compiler's passes on the steps of a .mir file and fill in what is absent.

    Nothing that is written is changed, moved or hidden: fields, overrides, coalitions and plans are
    inserted, comments stay where they are. A second run changes nothing. What was filled is counted
    on standard error. Exit code 1 means that FILE has errors, 2 that opt could not run.

    \b
    mirc opt draft.mir -M h100-sxm -o filled.mir
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (file,))
    source = read(file)
    bound = bind(parse(source))
    if bound.diagnostics:
        findings = Findings((FileFindings(source, bound.diagnostics),))
        click.echo(render.full(findings), nl=False, err=True)
        ctx.exit(1)
    # Imported here: the passes take a while to start, and --help or a wrong file needs none.
    from mirc.fill.passes import fill  # noqa: PLC0415

    found = fill(source, {text: load(text) for text in machines}, names)
    write_text(output, found.text)
    click.echo(_summary(found), err=True)


def _summary(found: "Filled") -> str:
    lines = [_counted(found.counts)]
    lines += [f"phase {name}: no steps, left as it is" for name in found.skipped]
    return "\n".join(lines)


def _counted(counts: Mapping[str, int]) -> str:
    if not counts:
        return "nothing is absent"
    listed = ", ".join(f"{count} {key}" for key, count in sorted(counts.items()))
    total = sum(counts.values())
    return f"filled {total} {'field' if total == 1 else 'fields'}: {listed}"
