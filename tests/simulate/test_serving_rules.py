"""What holds for every policy of a trace of requests: the past decides, leaves leave first."""

from collections.abc import Sequence
from functools import partial
from random import Random
from unittest import mock

import numpy as np
import pytest

from mirc.controller.keeping import Keeping
from mirc.controller.kv.events import KvEvent, What
from mirc.controller.kv.tree import PrefixTree
from mirc.controller.ruled import Ruled, Tabled
from mirc.diagnostics import Source
from mirc.lint.errors import load_right
from mirc.simulate.serving import serve as serving
from mirc.simulate.serving.model import Options
from mirc.simulate.serving.play import Heard, Play
from mirc.simulate.serving.policies import ABLATIONS, MORE, ORACLE, POLICIES, keeping_of
from mirc.traces.requests import Request
from tests.nightly import by_night

OWN = "tests/kernels/replacement/own_rules.py:Oldest"
_ABLATED = tuple(ABLATIONS)[: by_night(0, len(ABLATIONS))]  # the same order with less to go by
_OTHERS = [name for name in (*POLICIES, *MORE) if name != ORACLE and name not in ABLATIONS]
BLIND = [*_OTHERS, *_ABLATED, OWN]
BLOCK = 4  # tokens
# A block takes 4,000 bytes; of a second template, which windows let go of, 400.
FILE = """
mir 1.0

module m {
  model = "m"
  dtype = "bfloat16"
}

template kv {
  class        = KV_BLOCK
  instance     = [SEQUENCE, BLOCK]
  block_tokens = 4
  size_bytes   = PER_TOKEN(1_000)
}

template near {
  class        = KV_BLOCK
  instance     = [SEQUENCE, BLOCK]
  block_tokens = 4
  size_bytes   = PER_TOKEN(100)
  retire       = WINDOW(12)
}

phase prefill {
  kind   = PREFILL
  tokens = 16

  step s {
    writes = [kv, near]
    flops  = PER_TOKEN(900_000_000_000)
    work   = MATMUL
  }
}
"""
MODULE = load_right(Source("m.mir", FILE.lstrip()))


class Run:
    """One policy over a trace: its rows, its tree of blocks and its orders."""

    def __init__(
        self, trace: Sequence[Request], policy: str, *, closed: bool, most: int = 1 << 30
    ) -> None:
        self.rows: list[KvEvent] = []
        self.tree = PrefixTree()
        self.orders: list[Keeping] = []
        rows, orders = self.rows, self.orders

        class Written(Heard):
            def append(self, event: KvEvent, /) -> None:
                rows.append(event)
                super().append(event)

        def kept(*known: object) -> Keeping:
            orders.append(keeping_of(*known))  # type: ignore[arg-type]
            return orders[-1]

        options = Options(
            machines=("h100-sxm",),
            policies=policy,
            kv_gb=15 * 4_400 / 1e9,
            swap_gb=2e-5,
            block_tokens=BLOCK,
            at_once=3,
            budget=16,
            closed=closed,
        )
        with (
            mock.patch.object(serving, "Heard", Written),
            mock.patch.object(serving, "keeping_of", kept),
            mock.patch.object(serving, "PrefixTree", return_value=self.tree),
            mock.patch.object(serving, "Play", partial(Play, most=most)),
        ):
            (self.served,) = serving.serve(MODULE, "t", trace, options).machines

    def near(self) -> set[tuple[int, str]]:
        """Return the pages that the rows leave near, each leaving held to be a leaf."""
        found: set[tuple[int, str]] = set()
        for row in self.rows:
            page = row.block, row.group
            if row.what in {What.MADE, What.SWAPPED_IN}:
                found.add(page)
            elif row.what in {What.EVICTED, What.SWAPPED_OUT, What.RETIRED} and page in found:
                found.discard(page)
                if row.group == "full":
                    standing = {block for block, group in found if group == row.group}
                    assert row.block not in {self.tree.parent(block) for block in standing}
        return found


def requests(dice: Random, names: str, at_ms: int, known: list[tuple[int, ...]]) -> list[Request]:
    """Draw requests that begin as one in ``known`` did; theirs are added. Sessions are ``names``.

    A turn begins with all of the turn before it, or a part; blocks are named by what they follow.
    """
    last: dict[str, tuple[int, ...]] = {}
    found: list[Request] = []
    for _ in range(dice.randint(6, 16)):
        at_ms += dice.choice((0, 0, 1, 40))
        session = dice.choice(("", *names))
        before = last.get(session) or dice.choice([(), *known])
        shared = before if session in last else before[: dice.randint(0, len(before))]
        if dice.random() < 0.1:
            shared = shared[: len(shared) // 2]  # a summary took its place
        blocks = list(shared)
        for _ in range(dice.randint(1, 3)):
            below = blocks[-1] if blocks else 0
            blocks.append(1 + (below * 7 + dice.randint(1, 6)) % (1 << 61))
        if len(set(blocks)) < len(blocks) or len(blocks) > 9:
            continue
        last[session] = tuple(blocks)
        known.append(tuple(blocks))
        found.append(
            Request(
                at_ms=at_ms,
                input_tokens=BLOCK * len(blocks) - dice.randint(0, 3),
                output_tokens=dice.randint(1, 12),
                blocks=tuple(blocks),
                session=session,
                tenant="t",
                tool_wait_ms=dice.choice((0, 5, 60)) if session else 0,
            )
        )
    return found


def futures(seed: int) -> tuple[int, list[Request], list[Request]]:
    """Draw a past and two futures for it: how many requests the past has, and both traces."""
    dice, known = Random(seed), list[tuple[int, ...]]()  # noqa: S311 - rolled, not kept secret
    past = requests(dice, "ab", 0, known)
    at_ms = past[-1].at_ms + 20
    one, other = (requests(dice, names, at_ms, list(known)) for names in ("cd", "efg"))
    return len(past), [*past, *one], [*past, *other]


def decided(run: Run, count: int) -> list[KvEvent]:
    """Return the rows before the first request comes that is not among the first ``count``."""
    comes_us = np.nanmin(run.served.rows[0].timing.arrival_ms[count:]) * 1000
    return [row for row in run.rows if row.tick < int(comes_us)]


@pytest.mark.parametrize("closed", [False, True], ids=["by the clock", "closed"])
@pytest.mark.parametrize("policy", BLIND)
def test_another_future_changes_no_decision_of_a_policy(policy: str, *, closed: bool) -> None:
    for seed in range(by_night(2, 60)):
        count, ours, theirs = futures(seed)
        left, right = (
            decided(Run(trace, policy, closed=closed), count) for trace in (ours, theirs)
        )
        assert left
        assert left == right


def test_another_future_changes_what_an_oracle_decides() -> None:
    changed = 0
    for seed in range(12):
        count, ours, theirs = futures(seed)
        runs = [Run(trace, ORACLE, closed=True) for trace in (ours, theirs)]
        left, right = (decided(run, count) for run in runs)
        changed += left != right
    assert changed


@pytest.mark.parametrize("policy", [*BLIND, ORACLE])
def test_leaves_leave_first_and_a_rule_knows_what_is_near(policy: str) -> None:
    for seed in range(by_night(2, 60)):
        _, trace, _ = futures(seed)
        run = Run(trace, policy, closed=True)
        near = run.near()
        assert any(row.what in {What.EVICTED, What.SWAPPED_OUT} for row in run.rows)
        for order in run.orders:
            if isinstance(order, Ruled) and isinstance(order.following, Tabled):
                held = {block * 2 + (group != "full") for block, group in near}
                known = {page for page in range(4 * len(run.rows)) if order.following.here(page)}
                assert known == held


@pytest.mark.parametrize("policy", [*BLIND, ORACLE])
def test_under_every_policy_many_steps_at_once_are_those_steps_one_by_one(policy: str) -> None:
    for seed in range(by_night(2, 60)):
        _, trace, _ = futures(seed)
        fast, slow = (Run(trace, policy, closed=False, most=most) for most in (1 << 30, 0))
        assert fast.rows == slow.rows
        for one, other in zip(fast.served.rows, slow.served.rows, strict=True):
            assert one.pace == other.pace
            assert one.total == other.total
