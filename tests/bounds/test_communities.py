"""Groups that were planted are found, and none where there are none."""

import numpy as np
import pytest

from mirc.bounds.communities import FALSE_GROUPS, evidence, groups
from mirc.passes.observed_routing import pair_counts
from tests.routing_traces import planted, rand_index


def found(
    chosen: np.ndarray[tuple[int, int], np.dtype[np.int64]], experts: int, most: int
) -> list[tuple[int, ...]]:
    pairs = pair_counts(chosen, chosen, (experts, experts))
    np.fill_diagonal(pairs, 0.0)
    alone = np.bincount(chosen.ravel(), minlength=experts).astype(float)
    return list(groups(evidence(pairs, alone, len(chosen)), most))


def labels(
    members: list[tuple[int, ...]], experts: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    of = np.arange(experts)
    for group in members:
        of[list(group)] = group[0]
    return of


@pytest.mark.parametrize("most", [8, 16, 32])
def test_planted_groups_are_found_whatever_the_bound_on_their_size(most: int) -> None:
    truth, chosen = planted(2, 128, 8, 2000, size=8, share=0.6)
    for layer in range(2):
        assert rand_index(truth[layer], labels(found(chosen[:, layer], 128, most), 128)) >= 0.95


@pytest.mark.parametrize(("experts", "tokens"), [(8, 2000), (128, 300), (256, 200)])
def test_independent_choices_make_no_group(experts: int, tokens: int) -> None:
    _, chosen = planted(12, experts, 2, tokens, size=8, share=0.0)
    wrong = sum(len(found(chosen[:, layer], experts, 32)) for layer in range(12))
    assert wrong <= 12 * FALSE_GROUPS + 1  # 0.12 expected


def test_a_group_never_exceeds_its_bound_and_no_expert_is_in_two() -> None:
    _, chosen = planted(1, 64, 8, 1000, size=16, share=0.8)
    for most in (0, 1, 2, 5, 16):
        members = found(chosen[:, 0], 64, most)
        assert all(2 <= len(group) <= most for group in members)
        together = [member for group in members for member in group]
        assert len(set(together)) == len(together)


def test_evidence_under_independence_has_likelihood_ratio_one() -> None:
    # the mean of exp(evidence) over Poisson counts of mean 2 is 1, by the definition of a ratio
    counts = np.random.default_rng(0).poisson(0.5, 400_000).astype(float)
    pairs = np.zeros((2, 2))
    ratios = []
    for count in range(12):
        pairs[0, 1] = pairs[1, 0] = count
        ratios.append(np.exp(evidence(pairs, np.array([5.0, 10.0]), 100.0)[0, 1]))
    weights = np.bincount(counts.astype(int), minlength=12)[:12] / len(counts)
    assert float(np.dot(weights, ratios)) == pytest.approx(1.0, abs=0.1)
