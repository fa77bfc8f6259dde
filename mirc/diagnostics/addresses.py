"""The name of a source into the relative address that CI services look files up by."""

import os


def relative(name: str, root: str) -> str:
    """Return a file's path below ``root``, with slashes; as it is named where it lies elsewhere.

    Names that are no text (a lone surrogate from the file system) get a question mark.
    """
    shown = name
    if not name.startswith("<"):
        below = os.path.relpath(os.path.realpath(name), os.path.realpath(root))
        shown = os.path.normpath(name) if below.startswith("..") else below
    return portable(shown.replace(os.sep, "/"))


def portable(text: str) -> str:
    """Return a text that every encoding of Unicode can hold."""
    return text.encode("utf-8", "replace").decode()
