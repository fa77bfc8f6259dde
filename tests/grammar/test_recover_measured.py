"""Injected mistakes: that they are reported where they are, and that each fix is one."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mirc.diagnostics import Source
from mirc.diagnostics.apply import applied
from mirc.grammar.parser import lark
from mirc.grammar.recover import diagnose

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def errors() -> Iterator[Any]:
    """The benchmark, as the module that it is when it runs."""
    sys.path.insert(0, str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("errors", BENCHMARKS / "errors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["errors"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(BENCHMARKS))
    del sys.modules["errors"]


def test_two_hundred_files_of_mistakes_keep_the_goals(errors: Any) -> None:
    reported, exact, spurious = errors.totals(errors.measure(200, seed=7))
    assert reported >= 99
    assert exact >= 97
    assert spurious < 0.5


def test_every_kind_of_mistake_is_drawn_and_none_leaves_a_right_file_unnoticed(errors: Any) -> None:
    scores = errors.measure(200, seed=11)
    assert len(errors.NAMED) >= 16
    assert all(score.injected > 0 for score in scores.values())
    assert all(score.reported >= 0.6 * score.injected for score in scores.values())


def test_a_fix_removes_its_finding_and_makes_no_other(errors: Any) -> None:
    random = Random(5)  # noqa: S311 - for draws that can be repeated
    bases = [errors.Text(text) for text in errors.texts(random)[1:20]]
    tried = 0
    for number in range(150):
        base = random.choice(bases)
        names = list(errors.NAMED)
        drawn = errors.draw(base, [names[number % len(names)], random.choice(names)], random)
        broken = errors.damaged(base.text, [damage for _, damage in drawn])[0]
        found = diagnose(lark(), Source("broken.mir", broken))
        for each in found:
            if each.fix is None:
                continue
            tried += 1
            mended = applied(broken, [each.fix])
            left = diagnose(lark(), Source("mended.mir", mended))
            others = sorted(other.rule.code for other in found if other is not each)
            assert sorted(other.rule.code for other in left) == others, each
    assert tried > 100
