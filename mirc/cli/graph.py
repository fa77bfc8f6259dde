"""``mirc graph``: what a model's steps read and write, drawn."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirc.cli.captured import captured
from mirc.cli.completion import complete_files
from mirc.cli.errors import without_errors
from mirc.cli.options import output_option
from mirc.cli.output import STDOUT, spare_inputs, write_text
from mirc.diagnostics import CouldNotRun
from mirc.lint.sources import STDIN, SUFFIX, read

if TYPE_CHECKING:
    from mirc.graph import Program

_FORMS = ("dot", "graphml", "svg")
_SUFFIXES = {".dot": "dot", ".gv": "dot", ".graphml": "graphml", ".svg": "svg"}


@click.command("graph", no_args_is_help=True)
@click.argument("target", metavar="FILE|TARGET|-", shell_complete=complete_files)
@output_option("Write the drawing there.")
@click.option("--phase", metavar="NAME", help="Draw this phase only.")
@click.option("--around", metavar="NAME", help="Draw what lies around this object or step only.")
@click.option(
    "--depth",
    type=click.IntRange(0),
    metavar="N",
    help="How many edges away from --around; 2 where nothing is said.",
)
@click.option(
    "--to",
    "form",
    type=click.Choice(_FORMS),
    help="What to write; by default what OUT's name ends in: .dot, .gv, .graphml or .svg.",
)
@click.option(
    "--phases", metavar="LIST", help="For a model: what to capture, as for `mirc compile`."
)
@click.pass_context
def graph(
    ctx: click.Context,
    target: str,
    *,
    output: str,
    phase: str | None,
    around: str | None,
    depth: int | None,
    form: str | None,
    phases: str | None,
) -> None:
    """Draw what the steps of a .mir file, or of a model, read and write.

    TARGET is a model as for `mirc compile`. Steps are ellipses, objects boxes; what lives inside
    one step is left out. SVG needs graphviz. Exit code 1 means that FILE has errors, 2 that graph
    could not run.

    \b
    mirc graph model.mir --phase decode_step --around kv.layers.0 -o kv.svg
    """  # noqa: D301 - click's own mark, not a backslash
    if depth is not None and around is None:
        raise click.UsageError("--depth needs --around", ctx)
    wanted = form or _form_of(output)
    spare_inputs((output,), (target,))
    program = _program(ctx, target, phases)
    # Imported here: networkx takes a while to start, and --help or a wrong file needs none of it.
    from mirc.graph import drawing_forms  # noqa: PLC0415
    from mirc.graph.drawing import draw  # noqa: PLC0415

    drawing = draw(program, phase=phase, around=around, depth=2 if depth is None else depth)
    write = {
        "dot": drawing_forms.dot,
        "graphml": drawing_forms.graphml,
        "svg": drawing_forms.svg,
    }[wanted]
    write_text(output, write(drawing))
    count = f"{len(drawing.vertices):_} vertices, {len(drawing.edges):_} edges"
    click.echo(count, err=True)


def _form_of(output: str) -> str:
    """Return the form that a file's name asks for; standard output and devices get DOT."""
    if output == STDOUT or (Path(output).exists() and not Path(output).is_file()):
        return "dot"
    ending = Path(output).suffix.lower()
    if ending not in _SUFFIXES:
        raise CouldNotRun(
            f"`{output}` does not say what to write: its name ends in none of "
            f"{', '.join(_SUFFIXES)}",
            "choose another name, or say `--to dot`",
        )
    return _SUFFIXES[ending]


def _program(ctx: click.Context, target: str, phases: str | None) -> "Program":
    """Rebuild the program of a file, or capture that of a model; a wrong file ends the command."""
    if target != STDIN and not target.endswith(SUFFIX):
        return captured(target, phases=phases)
    if phases is not None:
        raise CouldNotRun(
            "`--phases` says what to capture of a model, and a file has its phases",
            "choose one of them with `--phase`",
        )
    from mirc.graph.rebuild import rebuild  # noqa: PLC0415 - a model needs none of it

    return rebuild(without_errors(ctx, read(target)))
