"""What has been typed on a shell's line into what may follow, and the script that asks for it."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from click.shell_completion import CompletionItem

# Every command names its completers when it is imported: whatever they need is imported only
# where somebody pressed Tab.
# ruff: noqa: PLC0415

SHELLS = ("bash", "zsh", "fish")
_SUFFIX = ".mir"
_MOST = 200  # candidates; a shell that shows more is of no use
_LARGEST_BYTES = 4 << 20  # of a file that is read while somebody waits
_DECLARED = r'^[ \t]*(object|template|phase|plan|on)[ \t]+("[^"\n]*"|[^\s{"]+)'
_KINDS = {"phase": ("phase",), "plan": ("plan",), "signal": ("on",)}


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete mirc: commands, options, files, words.

    \b
    mirc completion bash > ~/.local/share/bash-completion/completions/mirc
    """  # noqa: D301 - click's own mark, not a backslash
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click has all of SHELLS
    click.echo(made(ctx.find_root().command, {}, "mirc", "_MIRC_COMPLETE").source())


def complete_files(
    ctx: click.Context, param: click.Parameter, typed: str
) -> "list[CompletionItem]":
    """Offer the .mir files that begin so, and those in the folders that do.

    Where there are none the shell offers what it has.
    """
    del ctx, param
    return _items(_files(typed)) or _left_to_the_shell(typed)


def complete_machines(
    ctx: click.Context, param: click.Parameter, typed: str
) -> "list[CompletionItem]":
    """Offer the names of the machines that come with mirc; where none begins so, files."""
    del ctx, param
    from mirc.machine.load import names

    found = _items(name for name in names() if name.startswith(typed))
    return found or _left_to_the_shell(typed)


def complete_explain(
    ctx: click.Context, param: click.Parameter, typed: str
) -> "list[CompletionItem]":
    """Offer words and files for the first argument, the file's objects for the second."""
    given = ctx.params.get(param.name or "") or ()
    if given:
        return _items(_named(given[0], ("object", "template"), typed))
    from mirc.explain.lookup import words

    known = (str(name) for names in words().values() for name in names)
    beginning = (name for name in known if typed and name.startswith(typed))
    return _items((*_files(typed), *beginning)) or _left_to_the_shell(typed)


def complete_names(
    ctx: click.Context, param: click.Parameter, typed: str
) -> "list[CompletionItem]":
    """Offer the phases, plans or signals that the file on the line declares."""
    import os

    from click.shell_completion import split_arg_string

    del ctx  # it has no arguments while an option still waits for its value
    line = split_arg_string(os.environ.get("COMP_WORDS", ""))
    file = next((word for word in line if word.endswith(_SUFFIX)), None)
    return _items(_named(file, _KINDS[param.name or ""], typed)) if file is not None else []


def _items(names: "Iterable[str]") -> "list[CompletionItem]":
    from itertools import islice

    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in islice(dict.fromkeys(names), _MOST)]


def _left_to_the_shell(typed: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(typed, type="file")]


def _files(typed: str) -> tuple[str, ...]:
    from pathlib import Path

    folder, slash, beginning = typed.rpartition("/")
    try:
        entries = sorted(Path(folder + slash).iterdir())
        hidden = beginning.startswith(".")
        inside = (
            entry
            for entry in entries
            if entry.name.startswith(beginning) and (hidden or not entry.name.startswith("."))
        )
        return tuple(str(file) for entry in inside for file in _in(entry))
    except OSError:
        return ()


def _in(entry: "Path") -> "Iterator[Path]":
    if entry.is_dir():
        yield from sorted(entry.glob(f"*{_SUFFIX}"))
    elif entry.name.endswith(_SUFFIX):
        yield entry


def _named(file: str, kinds: tuple[str, ...], typed: str) -> "Iterator[str]":
    """Read the names that a file declares, without parsing it."""
    import re
    from pathlib import Path

    try:
        with Path(file).open("rb") as opened:
            text = opened.read(_LARGEST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return
    for found in re.finditer(_DECLARED, text, re.MULTILINE):
        name = found[2].strip('"')
        if found[1] in kinds and name.startswith(typed):
            yield name
