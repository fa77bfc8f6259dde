"""A router's shape and a number of tokens into the experts that they are expected to use."""


def chosen_probability(experts: int, top_k: int, tokens: int) -> float:
    """Return 1 - (1 - k/E)^T: the chance that a given expert is used by any of T tokens.

    Each token draws ``top_k`` of ``experts`` without replacement, all sets alike, and apart from
    the other tokens: it spares a given expert with probability 1 - k/E, and all of them must.
    Source: the coupon collector with batches of k (Stadje, Advances in Applied Probability 22(4),
    1990).
    """
    return 1.0 - (1.0 - min(top_k, experts) / experts) ** tokens


def distinct_experts(experts: int, top_k: int, tokens: int) -> float:
    """Return E (1 - (1 - k/E)^T): how many experts T tokens use, in expectation.

    Expectations add up, so it holds although experts are not drawn apart from each other: one
    token's k at T = 1, all E in the limit.
    """
    return experts * chosen_probability(experts, top_k, tokens)
