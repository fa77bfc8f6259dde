"""Strangers' text in Markdown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics.markup import block, code, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("w", "`w`"),
        ("a`b", "``a`b``"),
        ("`a``b", "``` `a``b ```"),
        (" a", "`  a `"),
        ("", "`  `"),
        ("a\n# b", "`a␊# b`"),
    ],
)
def test_a_code_span_holds_any_text(text: str, shown: str) -> None:
    assert code(text) == shown


@given(st.text("a` \n#", max_size=12))
def test_no_run_of_ticks_inside_a_span_is_as_long_as_its_fence(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None
    inner = span[fence.end() : -fence.end()]
    assert span == f"{fence[0]}{inner}{fence[0]}"
    assert all(len(run) < fence.end() for run in re.findall("`+", inner))
    assert "\n" not in span


def test_plain_text_has_no_marks_and_a_block_ends_where_it_ends() -> None:
    assert plain("[a](b) <c> `d` *e* f|g\n") == r"\[a\](b) \<c> \`d\` \*e\* f\|g␊"
    assert block("a\n```\nb") == "````\na\n```\nb\n````"
