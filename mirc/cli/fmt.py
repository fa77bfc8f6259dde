"""``mirc fmt``: .mir files in the one canonical layout."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from mirc.cli.attempts import Attempts
from mirc.cli.completion import complete_files
from mirc.cli.output import STDOUT, write_text
from mirc.cli.replace import replace, replaceable
from mirc.diagnostics import CouldNotRun
from mirc.diagnostics.excerpt import safe
from mirc.grammar.format import formatted
from mirc.grammar.load import MirRejected
from mirc.lint.sources import STDIN, STDIN_NAME, read

_CHANGED, _SAME, _REFUSED = "reformatted", "left unchanged", "with errors"


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS|-]...", shell_complete=complete_files)
@click.option("--check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--stdin-filename",
    default=STDIN_NAME,
    metavar="FILE",
    help="The name under which `-` is reported.",
)
@click.pass_context
def fmt(
    ctx: click.Context, paths: tuple[str, ...], *, check: bool, diff: bool, stdin_filename: str
) -> None:
    """Write .mir files in the one canonical layout.

    PATHS are files, folders that are searched for .mir files, or `-` for standard input, whose
    text goes to standard output; without any, the current folder. Comments, names and numbers
    stay as they are spelled, and so does the order. Exit code 1 means that --check or --diff
    found something to change, 2 that a file has syntax errors or cannot be read or written.

    \b
    mirc fmt --check --diff models/
    """  # noqa: D301 - click's own mark, not a backslash
    names = replaceable(paths or (".",))
    if STDIN in names and len(names) > 1:
        raise CouldNotRun("`-` stands beside other paths", "format standard input on its own")
    dry = check or diff
    counts: Counter[str] = Counter()
    attempts = Attempts()
    show = _printer(ctx) if diff else None
    for name in names:
        with attempts.one(), _naming_places():
            counts[_format(name, stdin_filename, dry=dry, show=show)] += 1
    counts[_REFUSED] = attempts.failed
    if dry or names != (STDIN,):
        click.echo(_summary(counts, dry=dry), err=True)
    ctx.exit(attempts.exit_code(int(dry and counts[_CHANGED] > 0)))


@contextmanager
def _naming_places() -> Iterator[None]:
    """Say where a syntax error is as ``mirc check`` says it, so that editors find it."""
    try:
        yield
    except MirRejected as error:
        first, *more = error.diagnostics
        line, column = error.source.position(first.span.start)
        place = f"{safe(error.source.name)}:{line}:{column}"
        others = f" (and {len(more)} more)" if more else ""
        message = f"error[{first.rule.code} {first.rule.name}]: {safe(first.message)}{others}"
        raise CouldNotRun(f"{place}: {message}", error.hint) from error


def _format(
    name: str, stdin_filename: str, *, dry: bool, show: Callable[[str, str, str], None] | None
) -> str:
    """Format one file and return what became of it."""
    source = read(name, stdin_filename)
    text = formatted(source)
    changed = text != source.text
    if show is not None and changed:
        show(source.name, source.text, text)
    elif dry and changed:
        click.echo(f"would reformat {source.name}")
    elif not dry and name == STDIN:
        write_text(STDOUT, text)
    elif not dry and changed:
        replace(name, source, text)
    return _CHANGED if changed else _SAME


def _printer(ctx: click.Context) -> Callable[[str, str, str], None]:
    """Return what prints the diff of a file's name, its text before and after."""
    # Start-up: needed only here.
    from mirc.diagnostics.patch import coloured, unified  # noqa: PLC0415

    paint = coloured if (sys.stdout.isatty() if ctx.color is None else ctx.color) else str
    return lambda name, before, after: write_text(STDOUT, paint(unified(name, before, after)))


def _summary(counts: Counter[str], *, dry: bool) -> str:
    said: list[str] = []
    for outcome in (_CHANGED, _SAME, _REFUSED):
        count = counts[outcome]
        if count:
            noun = "" if said else " file " if count == 1 else " files "
            would = "would be " if dry and outcome != _REFUSED else ""
            said.append(f"{count}{noun or ' '}{would}{outcome}")
    return ", ".join(said) or "no files"
