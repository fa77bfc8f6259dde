"""What is bound on chip saves the most seconds that the quota allows, or nearly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.bounds.knapsack import exact
from mirc.controller.arbiter import Candidate, Pin, arbitrate

HOLDING = 1.0


def candidate(
    name: str, size: int, reads: float, *, binding: float = 1.0, critical: bool = True
) -> Candidate:
    return Candidate(
        name=name,
        size_bytes=size,
        reuse_count=reads,
        reading=2.0,
        binding=binding,
        critical=critical,
    )


@pytest.mark.mechanism("S3-14")
def test_the_score_is_seconds_saved_over_seconds_spent() -> None:
    # 10 bytes read 3 times at 2 s a byte save 60 s; binding at 1 s and holding at 4 s a byte: 50 s.
    found = candidate("w", 10, 3)
    assert found.score(holding=4.0) == pytest.approx(60 / 50)
    # 60 s saved, less 10 s of binding.
    assert found.net_s == pytest.approx(50)


@pytest.mark.mechanism("S3-14")
def test_more_reads_dearer_bytes_and_cheaper_binding_raise_the_score() -> None:
    base = candidate("w", 10, 3).score(HOLDING)
    assert candidate("w", 10, 4).score(HOLDING) > base
    assert candidate("w", 10, 3, binding=0.5).score(HOLDING) > base
    assert candidate("w", 10, 3).score(holding=2.0) < base


@pytest.mark.mechanism("S3-15")
def test_a_large_candidate_is_not_lost_to_a_small_dense_one() -> None:
    # By density the small one comes first and blocks the large one: 21 s instead of 1,900.
    found = arbitrate([candidate("large", 100, 10), candidate("small", 1, 11)], 100, holding=1.0)
    assert [c.candidate.name for c in found.chosen] == ["large"]
    assert found.saved_s == pytest.approx(1900)
    assert found.bytes == 100


@pytest.mark.mechanism("S3-15")
@given(
    drawn=st.lists(
        st.tuples(st.integers(1, 40), st.floats(0, 50), st.sampled_from([0.25, 1.0, 4.0])),
        min_size=1,
        max_size=12,
    ),
    quota=st.integers(1, 60),
    holding=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_the_choice_fits_and_saves_at_least_half_of_the_best(
    drawn: list[tuple[int, float, float]], quota: int, holding: float
) -> None:
    candidates = [candidate(str(i), s, r, binding=b) for i, (s, r, b) in enumerate(drawn)]
    found = arbitrate(candidates, quota, holding=holding)
    best = exact([c.net_s for c in candidates], [c.size_bytes for c in candidates], quota)
    assert found.bytes == sum(c.candidate.size_bytes for c in found.chosen) <= quota
    assert found.saved_s >= best / 2 - 1e-9
    assert all(c.candidate.net_s > 0 for c in found.chosen)


@pytest.mark.mechanism("S3-15")
def test_what_saves_nothing_is_not_bound() -> None:
    # One read at 2 s a byte against 3 s of binding.
    assert arbitrate([candidate("w", 4, 1, binding=3.0)], 100, holding=1.0).chosen == ()


@pytest.mark.mechanism("S3-16")
def test_near_the_quota_what_is_not_critical_is_pinned_softly() -> None:
    # Best first: 50 of 100 bytes, then 35, then 10: the last stands above 90 % of the quota.
    drawn = [
        candidate("a", 50, 9, critical=False),
        candidate("b", 35, 8, critical=False),
        candidate("c", 10, 7, critical=False),
    ]
    found = arbitrate(drawn, 100, holding=1.0)
    assert [(c.candidate.name, c.pin) for c in found.chosen] == [
        ("a", Pin.WIRED),
        ("b", Pin.WIRED),
        ("c", Pin.SOFT),
    ]
    kept = arbitrate([*drawn[:2], candidate("c", 10, 7)], 100, holding=1.0)
    assert [c.pin for c in kept.chosen] == [Pin.WIRED] * 3
