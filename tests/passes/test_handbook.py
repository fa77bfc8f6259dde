import inspect
from pathlib import Path

from mirc.passes.handbook import page
from mirc.passes.pipeline import PIPELINE

PAGE = Path(__file__).parents[2] / "docs" / "passes.md"


def test_the_page_of_the_passes_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m mirc.passes.handbook"


def test_every_pass_answers_the_same_questions() -> None:
    for each in PIPELINE:
        text = inspect.cleandoc(type(each).__doc__ or "")
        assert [key for key in ("reads:", "writes:", "cost:", "source:") if key not in text] == []


def test_a_docstring_names_the_facts_that_the_pass_reads() -> None:
    for each in PIPELINE:
        lines = inspect.cleandoc(type(each).__doc__ or "").splitlines()
        (line,) = [line for line in lines if line.startswith("reads:")]
        assert line.removeprefix("reads:").strip() == ", ".join(k.__name__ for k in each.reads)
