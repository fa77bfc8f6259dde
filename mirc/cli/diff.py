"""``mirc diff``: what changed between two .mir files, and who may break on it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import mirc
from mirc.changes.allow import LEVELS, Verdict, allowance, judge
from mirc.cli.completion import complete_files
from mirc.cli.options import format_option, output_option
from mirc.cli.output import STDOUT, spare_inputs, write_text
from mirc.diagnostics import CouldNotRun, Source, render

if TYPE_CHECKING:
    from mirc.changes.model import Diff


@click.command()
@click.argument("old", metavar="OLD|FILE", shell_complete=complete_files)
@click.argument("new", required=False, metavar="[NEW]", shell_complete=complete_files)
@click.option("--against", metavar="GIT-REF", help="Compare FILE with what it was there.")
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="ID[:OBJECT]",
    help="Let a kind of change pass, by code or name, of all objects or those that match.",
)
@click.option(
    "--fail-level",
    type=click.Choice(LEVELS),
    default=LEVELS[0],
    show_default=True,
    help="From which judgement on the exit code is 1.",
)
@format_option("text", "markdown", "json")
@click.option("--all", "show_all", is_flag=True, help="Show every group of changes.")
@output_option("Where the report goes.")
@click.pass_context
def diff(
    ctx: click.Context,
    old: str,
    new: str | None,
    *,
    against: str | None,
    allowed: tuple[str, ...],
    fail_level: str,
    output_format: str,
    show_all: bool,
    output: str,
) -> None:
    """Say what changed in meaning between two .mir files, and judge each change.

    Breaking: what was right under the old file is now wrong, or a promise is gone. Risky: it stays
    legal, but may cost more time or room. Safe: neither. Exit code 1 means that changes at or above
    the fail level are left.

    \b
    mirc diff old.mir new.mir
    mirc diff model.mir --against main --allow 'size-grown:kv.*'
    """  # noqa: D301 - click's own mark, not a backslash
    if (new is None) == (against is None):
        raise click.UsageError("name two files, or one and --against", ctx)
    given = tuple(map(allowance, allowed))
    spare_inputs((output,), (old, new or old))
    found = _compared(_before(old, against), _read(new or old))
    verdict = judge(found, given, fail_level)
    coloured = output == STDOUT and _coloured(ctx)
    write_text(output, _report(found, verdict, output_format, show_all=show_all, coloured=coloured))
    ctx.exit(verdict.exit_code)


def _before(path: str, revision: str | None) -> Source:
    if revision is None:
        return _read(path)
    from mirc.changes.revision import source_at  # noqa: PLC0415 - only with --against

    return source_at(path, revision)


def _read(path: str) -> Source:
    from mirc.lint.sources import read  # noqa: PLC0415 - after the arguments are checked

    if Path(path).is_dir():
        raise CouldNotRun(f"`{path}` is a folder", "name a file in it")
    return read(path)


def _compared(old: Source, new: Source) -> "Diff":
    # Start-up: `mirc diff --help` needs no parser.
    from mirc.changes.compare import diff as compare  # noqa: PLC0415
    from mirc.grammar import load  # noqa: PLC0415

    return compare(load(old), load(new))


def _report(
    found: "Diff", verdict: Verdict, output_format: str, *, show_all: bool, coloured: bool
) -> str:
    from mirc.changes import json_form, markdown, text  # noqa: PLC0415 - one of three is needed

    most = None if show_all else text.MOST_GROUPS
    if output_format == "json":
        return json_form.as_text(found, verdict, version=mirc.__version__)
    if output_format == "markdown":
        return markdown.as_markdown(found, verdict, most=most)
    palette = render.COLOUR if coloured else render.PLAIN
    return text.as_text(found, verdict, most=most, palette=palette)


def _coloured(ctx: click.Context) -> bool:
    """Whether the user asked for colour, or else whether a person is looking."""
    return sys.stdout.isatty() if ctx.color is None else ctx.color
