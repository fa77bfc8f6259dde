"""``mirc convert``: .mir into JSON, and JSON into .mir."""

import click

from mirc.cli.completion import complete_files
from mirc.cli.errors import refuse
from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, write_text
from mirc.diagnostics import Source
from mirc.grammar import bind, json_form, json_read, parse, print_module
from mirc.grammar.bind import Bound
from mirc.grammar.tokens import comments
from mirc.lint.sources import read

_JSON, _MIR = "json", "mir"


@click.command()
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@output_option("Write the result there.")
@click.option(
    "--to",
    "target",
    type=click.Choice((_JSON, _MIR)),
    help="What to write; by default what OUT's name ends in, else what FILE is not.",
)
@click.option(
    "--indent",
    type=click.IntRange(0, 16),
    metavar="N",
    help="Indent JSON by N blanks a level; by default a declaration a line.",
)
@click.pass_context
def convert(
    ctx: click.Context, file: str, *, output: str, target: str | None, indent: int | None
) -> None:
    """Turn .mir into JSON, and JSON into .mir.

    Everything survives but comments and the spelling of numbers. What FILE is, its content says.
    Exit code 1 means that FILE is wrong and nothing was written, 2 that convert could not run.

    \b
    mirc convert model.mir -o model.json
    mirc convert model.json | mirc check -
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (file,))
    source = read(file)
    given = _JSON if source.text.lstrip()[:1] in ("{", "[") else _MIR
    bound = json_read.read(source) if given == _JSON else bind(parse(source))
    if bound.diagnostics:
        refuse(ctx, source, bound.diagnostics)
    wanted = target or _suffix(output) or (_MIR if given == _JSON else _JSON)
    write_text(output, _text(bound, wanted, indent))
    if given == _MIR:
        _note_comments(source)


def _suffix(output: str) -> str | None:
    return next((kind for kind in (_JSON, _MIR) if output.endswith(f".{kind}")), None)


def _text(bound: Bound, kind: str, indent: int | None) -> str:
    if kind == _MIR:
        return print_module(bound.module)
    return json_form.as_text(bound.module, indent)


def _note_comments(source: Source) -> None:
    lost = sum(1 for _ in comments(source.text))
    if lost:
        said = "a comment is" if lost == 1 else f"{lost} comments are"
        click.echo(f"note: {said} not in the result", err=True)
