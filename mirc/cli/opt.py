"""``mirc opt``: what the passes find in the steps of a .mir file, written where it is absent."""

from codecs import BOM_UTF8
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirc.cli.completion import complete_files, complete_machines
from mirc.cli.errors import without_errors
from mirc.cli.options import machines_named, output_option
from mirc.cli.output import spare_inputs, write_text
from mirc.lint.sources import STDIN, read
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
    metavar="NAME|FILE,...",
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
    without_errors(ctx, source)
    # Imported here: the passes take a while to start, and --help or a wrong file needs none.
    from mirc.fill.passes import fill  # noqa: PLC0415

    found = fill(source, {text: load(text) for text in machines_named(machines)}, names)
    write_text(output, _mark(file) + found.text)
    click.echo(_summary(found), err=True)


def _mark(file: str) -> str:
    """Return the byte order mark of a file that has one: nothing written is lost."""
    if file == STDIN or not Path(file).is_file():
        return ""
    with Path(file).open("rb") as opened:
        return "\ufeff" if opened.read(len(BOM_UTF8)) == BOM_UTF8 else ""


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
