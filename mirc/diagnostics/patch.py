"""A text before and after into a unified diff."""

import difflib


def unified(name: str, before: str, after: str) -> str:
    """Return the diff, or an empty text where nothing differs.

    Lines end as the texts do; a last line without a break is marked as git marks it.
    """
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        f"a/{name}",
        f"b/{name}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    # Not splitlines: a form feed or U+2028 in a comment ends no line of ours.
    *whole, last = text.split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])
