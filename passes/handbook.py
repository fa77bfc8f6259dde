"""The docstrings of the passes into docs/passes.md; run it to bring that page up to date."""

import inspect
import sys
from pathlib import Path

from mirc.passes.base import AnyPass
from mirc.passes.pipeline import PIPELINE

_KEYS = ("reads", "writes", "cost", "source")
_HEAD = """# Passes

`mirc compile` runs these passes in this order. Each reads the captured graphs and the facts of the
passes before it, establishes one kind of fact, and changes nothing. `--explain-passes` prints what
each one established; `--passes NAME` runs one of them with those that it reads from.

This page is made of their docstrings by `python -m mirc.passes.handbook`.
"""


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_HEAD, *(_section(place, each) for place, each in enumerate(PIPELINE, 1))])


def _section(place: int, each: AnyPass) -> str:
    lines = inspect.cleandoc(type(each).__doc__ or "").splitlines()
    rows: list[list[str]] = []
    prose: list[str] = []
    for line in lines:
        key = line.partition(":")[0]
        if key in _KEYS:
            rows.append([key, line.partition(":")[2].strip()])
        elif rows and line.strip():
            rows[-1][1] += " " + line.strip()
        elif not rows:
            prose.append(line)
    table = ["| | |", "|---|---|", *(f"| {key} | {text} |" for key, text in rows)]
    return "\n".join([f"## {place}. {each.name}", "", *prose, *table, ""])


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/passes.md").write_text(page(), "utf-8")
