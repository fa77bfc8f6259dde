"""Changes of files into a new report after each."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from mirc.diagnostics import CouldNotRun
from mirc.lint.settings import FILE, SHARED_FILE
from mirc.lint.sources import SUFFIX

_SETTLED_MS = 50  # an editor writes a file in several steps
_WAKE_MS = 300


def watch(paths: tuple[str, ...], report: Callable[[], str]) -> None:
    """Print a report now and after each change, until interrupted.

    Raises ``CouldNotRun`` for a path that is not there: nothing would ever happen to it.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise CouldNotRun(f"there is no file `{path}`", "check the path")
    repeat(report, _changes(paths))


def repeat(report: Callable[[], str], changes: Iterable[frozenset[str]]) -> None:
    """Print a report, and one more after each set of changed files; errors are printed as well.

    The first set only says that changes are seen from now on: it is reported on only if something
    happened meanwhile.
    """
    last = _said(report)
    click.echo(last, nl=False)
    for index, changed in enumerate(changes):
        text = _said(report)
        if index == 0 and text == last:
            continue
        last = text
        names = ", ".join(sorted(os.path.relpath(path) for path in changed)[:3])
        click.echo(f"--- {names or 'changed'}\n{text}", nl=False)


def _said(report: Callable[[], str]) -> str:
    try:
        return report()
    except CouldNotRun as error:  # a file that is gone may come back
        return f"error: {error.message}\n" + (f"help: {error.hint}\n" if error.hint else "")


def _changes(paths: tuple[str, ...]) -> Iterator[frozenset[str]]:
    try:
        import watchfiles  # noqa: PLC0415 - an extra
    except ImportError:
        raise CouldNotRun(
            "`--watch` needs the package watchfiles", "python -m pip install 'mirc[watch]'"
        ) from None
    folders = dict.fromkeys(str(p if p.is_dir() else p.parent) for p in map(Path, paths))
    first = True
    for changes in watchfiles.watch(
        *folders,
        watch_filter=lambda _, path: path.endswith((SUFFIX, FILE, SHARED_FILE)),
        step=_SETTLED_MS,
        rust_timeout=_WAKE_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    ):
        if changes or first:
            yield frozenset(path for _, path in changes)
        first = False
