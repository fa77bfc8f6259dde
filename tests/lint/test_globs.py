"""Patterns of paths, held against a slow and plain reading of them."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirc.lint.globs import compiled


def fits(pattern: list[str], path: list[str]) -> bool:
    if not pattern or not path:
        return not pattern and not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return True
        return fits(pattern[1:], path) or (len(path) > 1 and fits(pattern, path[1:]))
    return fits_name(pattern[0], path[0]) and fits(pattern[1:], path[1:])


def fits_name(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(fits_name(pattern[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and fits_name(pattern[1:], name[1:])


@given(
    st.lists(st.one_of(st.just("**"), st.text("ab*?.", max_size=5)), min_size=1, max_size=5),
    st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=5),
)
@example(["**", "a", "**", "b"], ["a", "b", "a", "c", "b"])
@example(["*a*ab"], ["aaab"])
def test_a_pattern_means_what_its_parts_mean(pattern: list[str], path: list[str]) -> None:
    text = "/".join(pattern)
    assert (compiled(text).fullmatch("/".join(path)) is not None) == fits(text.split("/"), path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 500 + "*b", "a" * 5000),
        ("**/a/" * 100 + "b", "a/" * 1000 + "c"),
        ("**/*a*a/" * 50 + "b", "aaa/" * 500 + "c"),
        ("**" * 500 + "b", "a" * 5000),
    ],
)
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    start = time.process_time()
    assert compiled(pattern).fullmatch(path) is None
    assert time.process_time() - start < 1
