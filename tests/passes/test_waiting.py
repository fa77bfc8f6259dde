"""How long a run waits for the experts that it draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.passes.waiting import Hops, waited_ps

ONE: Hops = (("link", 10),)
TWO: Hops = (("disk", 40), ("link", 10))


def test_what_one_link_brings_is_waited_for_one_after_the_other() -> None:
    assert waited_ps([(0, 0.5, ONE), (0, 0.25, ONE), (3, 1.0, ONE)]) == pytest.approx(17.5)


def test_the_second_hop_of_all_but_the_last_piece_is_hidden_behind_the_first() -> None:
    # certain draws of one step: 3 x 40 on the disk, then the last one's 10 on the link
    assert waited_ps([(0, 1.0, TWO)] * 3) == pytest.approx(3 * 40 + 10)


def test_pieces_of_different_steps_do_not_hide_each_other() -> None:
    assert waited_ps([(step, 1.0, TWO) for step in range(3)]) == pytest.approx(3 * 50)


def test_a_draw_that_may_load_either_link_takes_longer_than_the_busier_one_on_average() -> None:
    near: Hops = (("link", 40),)
    draws = [(0, 0.25, near)] * 4 + [(0, 0.25, (("disk", 40),))] * 4
    # both are asked for once on average; all in all between the mean of one and their sum
    assert 40 < waited_ps(draws) < 80


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0.01, 1.0), st.sampled_from([ONE, TWO])),
        max_size=12,
    )
)
def test_waiting_is_never_shorter_than_a_link_is_busy_nor_longer_than_all_hops_in_a_row(
    drawn: list[tuple[int, float, Hops]],
) -> None:
    waited = waited_ps(drawn)
    for link in ("link", "disk"):
        busy = sum(p * dict(hops).get(link, 0) for _, p, hops in drawn)
        assert waited >= busy - 1e-6
    assert waited <= 1.5 * sum(sum(spent for _, spent in hops) for _, _, hops in drawn) + 1e-6
