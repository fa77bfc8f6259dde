"""The page on policies names every one, and its example runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mirc.kernels.replacement.names import RULES
from mirc.simulate.accesses.hits import count_hits
from mirc.simulate.policies import MORE, POLICIES
from mirc.simulate.serving.policies import keeping_of, policies_of

PAGE = Path("docs/policies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({*RULES, *POLICIES, *MORE}))
def test_every_policy_has_its_row(name: str) -> None:
    assert re.search(rf"^\| `{re.escape(name)}` \|", PAGE, re.MULTILINE)


def test_the_example_is_the_rule_that_it_says(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code) == 1
    written = tmp_path / "mine.py"
    written.write_text(code[0], encoding="utf-8")
    ids = _ids()
    theirs = count_hits(ids, f"{written}:Oldest", 4)
    ours = count_hits(ids, "fifo", 4)
    assert (theirs.hits, theirs.evicted) == (ours.hits, ours.evicted)


def test_a_rule_of_ones_own_keeps_blocks_of_requests() -> None:
    spelled = "samples/policies/second_chance.py:Clock"
    assert policies_of(f"{spelled},lru") == ("lru", spelled)
    order = keeping_of(spelled, 4, lambda _: None, 1)
    for key in (1, 2, 3):
        order.missed(key)
        order.offer(key, 0, None)
    order.found(1)
    assert order.victim() == 2  # 1 came first, and has its second chance


def _ids() -> NDArray[np.int64]:
    dice = np.random.default_rng(1)
    return dice.integers(0, 9, 300)
