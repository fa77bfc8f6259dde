"""``mirc fmt``: .mir files in the one canonical layout."""

from collections import Counter

import click

from mirc.cli.completion import complete_files
from mirc.cli.output import write_text
from mirc.diagnostics import CouldNotRun
from mirc.grammar.format import formatted
from mirc.lint.sources import STDIN, STDIN_NAME, files, read

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
    names = files(paths or (".",))
    if STDIN in names and len(names) > 1:
        raise CouldNotRun("`-` stands beside other paths", "format standard input on its own")
    dry = check or diff
    counts: Counter[str] = Counter()
    for name in names:
        try:
            counts[_format(name, stdin_filename, dry=dry, diff=diff)] += 1
        except CouldNotRun as refusal:
            counts[_REFUSED] += 1
            click.echo(f"error: {refusal.message}", err=True)
            if refusal.hint:
                click.echo(f"help: {refusal.hint}", err=True)
    if dry or names != (STDIN,):
        click.echo(_summary(counts, dry=dry), err=True)
    ctx.exit(2 if counts[_REFUSED] else int(dry and counts[_CHANGED] > 0))


def _format(name: str, stdin_filename: str, *, dry: bool, diff: bool) -> str:
    """Format one file and return what became of it."""
    source = read(name, stdin_filename)
    text = formatted(source)
    changed = text != source.text
    if diff and changed:
        # Start-up: difflib is needed only here.
        from mirc.diagnostics.patch import unified  # noqa: PLC0415

        click.echo(unified(source.name, source.text, text), nl=False)
    elif dry and changed:
        click.echo(f"would reformat {source.name}")
    elif not dry and (changed or name == STDIN):
        write_text(name, text)
    return _CHANGED if changed else _SAME


def _summary(counts: Counter[str], *, dry: bool) -> str:
    said: list[str] = []
    for outcome in (_CHANGED, _SAME, _REFUSED):
        count = counts[outcome]
        if count:
            noun = "" if said else " file " if count == 1 else " files "
            would = "would be " if dry and outcome != _REFUSED else ""
            said.append(f"{count}{noun or ' '}{would}{outcome}")
    return ", ".join(said) or "no files"
