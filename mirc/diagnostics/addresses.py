"""The name of a source into the relative address that CI services look files up by."""

import os
from pathlib import Path


def relative(name: str, root: str) -> str:
    """Return a file's path below ``root``, with slashes; as it is named where it lies elsewhere.

    A link is where it stands, wherever it leads: that is the path that a repository knows. Names
    that are no text (a lone surrogate from the file system) get a question mark.
    """
    shown = name if name.startswith("<") else _below(name, root) or os.path.normpath(name)
    return portable(shown.replace(os.sep, "/"))


def _below(name: str, root: str) -> str | None:
    """Return the path below ``root``; where folders on the way are links, that behind them."""
    # Not Path.resolve(), here and below: it would follow the link that is the file itself.
    given = os.path.abspath(name)  # noqa: PTH100
    folder, file = os.path.split(given)
    behind = str(Path(folder).resolve() / file)
    named = os.path.abspath(root)  # noqa: PTH100
    for path, top in ((given, named), (behind, os.path.realpath(root))):
        below = os.path.relpath(path, top)
        if below != os.pardir and not below.startswith(os.pardir + os.sep):
            return below
    return None


def portable(text: str) -> str:
    """Return a text that every encoding of Unicode can hold."""
    return text.encode("utf-8", "replace").decode()
