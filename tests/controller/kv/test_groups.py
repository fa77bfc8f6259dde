"""Where cache groups that keep different blocks can all resume."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mirc.controller.kv.events import What, Why
from mirc.controller.kv.groups import Group, GroupKind, usable, window_blocks
from tests.controller.kv.scene import Scene, ask

FULL = Group(name="full")
WINDOW = Group(name="window", kind=GroupKind.WINDOW, window_blocks=2)
STATE = Group(name="state", kind=GroupKind.RECURRENT, every_blocks=3)


def resumes(group: Group, there: list[bool], boundary: int) -> bool:
    """By definition: what the token after ``boundary`` blocks reads of this group is there."""
    if boundary == 0:
        return True
    if group.kind is GroupKind.FULL:
        return all(there[:boundary])
    if group.kind is GroupKind.WINDOW:
        return all(there[max(0, boundary - group.window_blocks) : boundary])
    return there[boundary - 1]


@pytest.mark.mechanism("S7-02")
@given(
    groups=st.lists(st.sampled_from((FULL, WINDOW, STATE)), min_size=1, max_size=3),
    data=st.data(),
)
def test_the_usable_prefix_is_the_last_boundary_where_every_group_resumes(
    groups: list[Group], data: st.DataObject
) -> None:
    blocks = data.draw(st.integers(0, 8))
    there = [data.draw(st.lists(st.booleans(), min_size=blocks, max_size=blocks)) for _ in groups]
    expected = max(
        n
        for n in range(blocks + 1)
        if all(resumes(group, kept, n) for group, kept in zip(groups, there, strict=True))
    )
    assert usable(groups, blocks, lambda group, at: there[group][at]) == expected


@pytest.mark.parametrize(
    ("window", "blocks"), [(1, 0), (2, 1), (512, 1), (513, 1), (514, 2), (4096, 8)]
)
def test_a_window_reaches_into_the_blocks_before_the_next_token(window: int, blocks: int) -> None:
    # The token itself is one of the window: 513 reach back 512, which is one block.
    assert window_blocks(window, 512) == blocks


def test_each_group_pays_for_what_it_keeps() -> None:
    # 6 blocks: full attention keeps 6; the window's last 2 are in use to the end, so 4 became
    # evictable; the recurrent layer left checkpoints after blocks 2 and 5.
    scene = Scene(100, groups=(FULL, WINDOW, STATE))
    scene.it.request(ask("a", range(6), new=1))
    scene.it.step()
    pool = scene.pool
    held = {"full": 0, "window": 0, "state": 0}
    for page_id, page in pool.pages().items():
        held[pool.groups[page_id % 3].name] += int(page.users > 0)
    assert held == {"full": 6, "window": 2, "state": 1}
    made = [row.group for row in scene.rows(What.MADE)]
    assert {name: made.count(name) for name in held} == {"full": 6, "window": 6, "state": 2}


@pytest.mark.mechanism("S7-02")
def test_a_prefix_without_its_checkpoint_is_computed_from_the_one_before() -> None:
    # Blocks 0 to 5 are there; checkpoints stand after 2 and 5. A prompt that shares the first 5
    # blocks resumes after the third.
    scene = Scene(100, groups=(FULL, STATE))
    assert scene.serve(ask("a", range(6)), ask("b", [0, 1, 2, 3, 4, 99])) == [0, 3 * 4]


def test_what_a_window_has_passed_leaves_before_anything_else() -> None:
    scene = Scene(13, groups=(FULL, WINDOW))
    scene.serve(ask("a", range(6)))  # 6 + 6 pages
    scene.serve(ask("b", ["x"]))
    lost = [(row.block, row.group) for row in scene.rows(What.EVICTED)]
    assert lost == [(0, "window")]


def test_a_block_that_one_group_lost_is_of_no_use_to_another() -> None:
    scene = Scene(4, groups=(FULL, Group(name="draft")))
    scene.serve(ask("a", ["x", "y"]), ask("b", ["z"]))
    gone = [(row.group, row.why) for row in scene.rows(What.EVICTED)]
    assert gone == [("full", Why.ROOM), ("draft", Why.USED_ALONE)]
