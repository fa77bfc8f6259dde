"""``mirc pack``: what a .mir file declares, as bytes that a controller ingests."""

from typing import TYPE_CHECKING

import click

from mirc.cli.completion import complete_files
from mirc.cli.errors import refuse
from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, write_bytes, write_text
from mirc.diagnostics import CouldNotRun
from mirc.lint.sources import read

if TYPE_CHECKING:
    from mirc.ir import Module
    from mirc.packed.losses import Essay

_ROWS, _ESSAY = "rows", "essay"
_MOST_NAMED = 3


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", shell_complete=complete_files)
@output_option("Write the packed file there.")
@click.option(
    "--form",
    type=click.Choice((_ROWS, _ESSAY)),
    default=_ROWS,
    show_default=True,
    help="A row of 32 bytes an object and all beside it, or 141 bits an object and no more.",
)
@click.option(
    "--losses",
    metavar="FILE",
    help="Of the essay's form: write there each object and field that is lost, a pair a line.",
)
@click.pass_context
def pack(ctx: click.Context, file: str, *, output: str, form: str, losses: str | None) -> None:
    """Turn what a .mir file declares into bytes: what a controller ingests.

    All is kept but comments, the schedule, and what steps read, write and cost; `mirc unpack` turns
    it back. The essay's form says less, and what it loses is told. What the bytes are spent on goes
    to standard error. Exit code 1 means that FILE has errors, 2 that pack could not run.

    \b
    mirc pack model.mir -o model.mirb
    mirc pack --form essay model.mir -o model.bits
    """  # noqa: D301 - click's own mark, not a backslash
    if losses is not None and form != _ESSAY:
        raise click.UsageError("--losses is told of `--form essay`: rows lose nothing")
    spare_inputs((output, losses), (file,))
    from mirc.grammar import bind, parse  # noqa: PLC0415 - --help needs neither them nor numpy

    source = read(file)
    bound = bind(parse(source))
    if bound.diagnostics:
        refuse(ctx, source, bound.diagnostics)
    if not bound.module.declarations:
        raise CouldNotRun(
            f"`{file}` declares nothing, so there is nothing to pack",
            "begin with `mir 1.0` and declare an `object`",
        )
    if form == _ROWS:
        _rows(bound.module, output)
    else:
        _records(bound.module, output, losses)


def _rows(module: "Module", output: str) -> None:
    from mirc.packed.census import census  # noqa: PLC0415 - numpy
    from mirc.packed.codec import dumps  # noqa: PLC0415
    from mirc.packed.pack import pack as packed  # noqa: PLC0415

    tables = packed(module)
    data = dumps(tables)
    write_bytes(output, data)
    for share in census(tables):
        click.echo(f"{share.size_bytes:>13_} bytes: {share.count:_} {share.what}", err=True)
    click.echo(f"{len(data):>13_} bytes in all", err=True)


def _records(module: "Module", output: str, losses: str | None) -> None:
    from mirc.packed.losses import essay  # noqa: PLC0415 - numpy
    from mirc.packed.pack import seal  # noqa: PLC0415

    made = essay(seal(module))
    write_bytes(output, made.data)
    if losses is not None:
        pairs = (f"{name}\t{loss.key}\n" for loss in made.losses for name in loss.names)
        write_text(losses, "".join(pairs))
    click.echo(_told(made), nl=False, err=True)


def _told(made: "Essay") -> str:
    lines = [f"{len(made.data):_} bytes: {made.records:_} records of 141 bits, and a header"]
    for loss in made.losses:
        how = "is rounded, cut or one of several" if loss.kept else "has no bits"
        named = ", ".join(f"`{name}`" for name in loss.names[:_MOST_NAMED])
        more = len(loss.names) - _MOST_NAMED
        named += f" and {more:_} more" if more > 0 else ""
        lines.append(f"lost: `{loss.key}` {how} for {named}")
    lines += [f"lost: {what} ({count:_})" for what, count in made.others]
    return "\n".join(lines) + "\n"
