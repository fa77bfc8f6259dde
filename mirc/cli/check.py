"""``mirc check``: what is wrong in .mir files."""

import sys

import click

import mirc
from mirc.cli.options import format_option
from mirc.cli.output import STDOUT, check_writable, spare_inputs, write_text
from mirc.diagnostics import json_form, render
from mirc.lint.check import check as find
from mirc.lint.sources import STDIN_NAME, sources
from mirc.machine.load import load


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS|-]...")
@click.option(
    "-M",
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME|FILE",
    help="Judge placement on this machine too; may be given several times.",
)
@format_option("full", "concise", "json")
@click.option(
    "--output-file",
    default=STDOUT,
    metavar="FILE",
    help="Write there instead of to standard output.",
)
@click.option(
    "--stdin-filename",
    default=STDIN_NAME,
    metavar="FILE",
    help="The name under which `-` is reported.",
)
@click.pass_context
def check(
    ctx: click.Context,
    paths: tuple[str, ...],
    *,
    machines: tuple[str, ...],
    output_format: str,
    output_file: str,
    stdin_filename: str,
) -> None:
    """Report what is wrong in .mir files: syntax, names, types, and what cannot be meant.

    PATHS are files, folders that are searched for .mir files, or `-` for standard input; without
    any, the current folder. Exit code 1 means errors or warnings, 2 that check could not run.

    \b
    mirc check model.mir --machine h100-sxm
    """  # noqa: D301 - click's own mark, not a backslash
    check_writable(output_file)
    spare_inputs((output_file,), paths)
    known = tuple(load(machine) for machine in machines)
    findings = find(sources(paths or (".",), stdin_filename), known)
    if output_format == "json":
        text = json_form.as_text(findings, version=mirc.__version__)
    else:
        palette = render.COLOUR if output_file == STDOUT and _coloured(ctx) else render.PLAIN
        text = (render.full if output_format == "full" else render.concise)(findings, palette)
    write_text(output_file, text)
    ctx.exit(findings.exit_code)


def _coloured(ctx: click.Context) -> bool:
    """Whether the user asked for colour, or else whether a person is looking."""
    return sys.stdout.isatty() if ctx.color is None else ctx.color
