"""A file that was read into the same file with another text."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from mirc.cli.output import write_text
from mirc.diagnostics import CouldNotRun, Source
from mirc.diagnostics.excerpt import safe
from mirc.lint.sources import leads_out, listed, read, unique

_MARK = b"\xef\xbb\xbf"


def replaceable(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that paths lead to and that a command may write, in order.

    A folder is searched, but a link in it that leads out of it is left alone and named on standard
    error: whoever hands a folder over to be rewritten did not hand over what lies elsewhere. A
    link that is itself named is followed.
    """
    return unique(_inside(paths))


def replace(name: str, before: Source, text: str) -> None:
    """Write ``text`` into a file, its byte order mark and mode kept.

    Raises ``CouldNotRun`` if it cannot be written, or someone else has changed it since it was
    read as ``before``.
    """
    if read(name).text != before.text:
        raise CouldNotRun(f"`{name}` was changed while it was checked", "run the command again")
    with Path(name).open("rb") as file:
        mark = "\ufeff" if file.read(len(_MARK)) == _MARK else ""
    try:
        write_text(name, mark + text)
    except CouldNotRun as error:
        # The output is the input: there is no other to choose.
        other = (error.hint or "").startswith("choose another output")
        hint = "make it and its folder writable" if other else error.hint
        raise CouldNotRun(error.message, hint) from error


def _inside(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        yield from _kept(path, listed(path))


def _kept(path: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name != path and leads_out(name, path):
            click.echo(f"note: left alone, a link out of `{safe(path)}`: {safe(name)}", err=True)
        else:
            yield name
