"""The fields of a block onto lines: ``=`` in one column, comments at their ends in another."""

from collections.abc import Sequence

WIDTH = 100  # columns, for lists that the author broke into lines
_REACH = 60  # a longer field does not push the comments beside the others away


def starts_of(keys: Sequence[str], indent: str) -> list[str]:
    """Return what stands before each value: the indented key and its ``=``."""
    width = max(map(len, keys), default=0)
    return [f"{indent}{key:<{width}} = " for key in keys]


def with_tails(codes: Sequence[str], tails: Sequence[str]) -> list[str]:
    """Return each field's text with its comment, if it has one, two blanks after the longest."""
    column = max(
        (len(code) for code, tail in zip(codes, tails, strict=True) if tail and _reaches(code)),
        default=0,
    )
    return [
        f"{code:<{column if _reaches(code) else 0}}  {tail}" if tail else code
        for code, tail in zip(codes, tails, strict=True)
    ]


def _reaches(code: str) -> bool:
    return len(code) <= _REACH and "\n" not in code
