"""A glob over paths into a regular expression that never goes back on its steps."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

_ANY = "**"  # a part of a pattern that is any number of folders
_NAME_END = r"(?=/|\Z)"


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a glob as a regex to match a whole path with ``/`` between its parts.

    ``*`` and ``?`` stay within one part; a part ``**`` is any folders, as the last one anything
    below. The first place at which what follows a star fits is as good as any later one, so each
    is decided once (an atomic group), and time is at most length of pattern times that of path.
    """
    every = pattern.split("/")
    # Any folders twice are any folders.
    parts = every[:1] + [part for above, part in pairwise(every) if (above, part) != (_ANY, _ANY)]
    return re.compile("".join(_folders(parts)) + r"\Z", re.DOTALL)


def _folders(parts: Sequence[str]) -> list[str]:
    runs: list[list[str]] = [[]]
    for part in parts[:-1]:
        if part == _ANY:
            runs.append([])
        else:
            runs[-1].append(_name(part) + "/")
    last = ".*" if parts[-1] == _ANY else _name(parts[-1])
    first, *rest = ("".join(run) for run in runs)
    if not rest:
        return [first, last]
    *middle, end = rest
    return [
        first,
        *(f"(?>(?:[^/]*+/)*?{run})" for run in middle),
        # The last run must reach the end: the only one that is tried at every folder.
        f"(?:[^/]*+/)*?{end}{last}",
    ]


def _name(part: str) -> str:
    first, *rest = (
        "".join("[^/]" if char == "?" else re.escape(char) for char in piece)
        for piece in re.split(r"\*+", part)
    )
    if not rest:
        return first
    *middle, end = rest
    stars = "".join(f"(?>[^/]*?{piece})" for piece in middle)
    return f"{first}{stars}(?>[^/]*?{end}{_NAME_END})"
