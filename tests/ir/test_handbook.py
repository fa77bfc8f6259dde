import re
from pathlib import Path

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import FIELDS
from mirc.ir.handbook import inserted

PAGE = Path(__file__).parents[2] / "docs" / "language.md"


def test_the_language_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == inserted(page), "run python -m mirc.ir.handbook"


def test_every_field_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [spec.key for spec in FIELDS if f"| `{spec.key}` |" not in page] == []


def test_the_example_of_the_page_is_well_formed() -> None:
    example = re.search(r"```\n(mir 1\.0.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    assert len(load(Source("docs", example[1])).declarations) == 3
