"""The rules of replacement by name: what each lets go, and where it is from."""

import attrs

from mirc.kernels.replacement.state import (
    ADMIT,
    ARC,
    BELADY,
    BYPASS,
    DIRECT,
    FIFO,
    LEARNED,
    LFU,
    LRU,
    MRU,
    S3_FIFO,
    SIEVE,
    SMALL_FIRST,
    TTL,
)


@attrs.frozen(kw_only=True)
class Rule:
    """One rule; ``oracle`` if it is given the future, ``variant`` where it has several."""

    name: str
    number: int
    summary: str
    source: str
    variant: int = 0
    oracle: bool = False


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="fifo",
            number=FIFO,
            summary="evicts what came first",
            source="Belady 1966",
        ),
        Rule(
            name="lru",
            number=LRU,
            summary="evicts the least recently used",
            source="Mattson et al. 1970",
        ),
        Rule(
            name="mru",
            number=MRU,
            summary="evicts the most recently used",
            source="Chou and DeWitt 1985",
        ),
        Rule(
            name="lfu",
            number=LFU,
            summary="evicts the least often used since it came, of equals the least recently used",
            source="Shah, Mitra and Matani 2010",
        ),
        Rule(
            name="arc",
            number=ARC,
            summary="shares room between what was seen once and seen again, as regret teaches",
            source="Megiddo and Modha 2003",
        ),
        Rule(
            name="s3-fifo",
            number=S3_FIFO,
            variant=DIRECT,
            summary="lets what is used once pass through a tenth; fills up through the main queue",
            source="Yang et al. 2023",
        ),
        Rule(
            name="s3-fifo-small",
            number=S3_FIFO,
            variant=SMALL_FIRST,
            summary="as s3-fifo, and fills up through the small queue",
            source="Yang et al. 2023",
        ),
        Rule(
            name="sieve",
            number=SIEVE,
            summary="a hand from old to new spares once what was used since it came by",
            source="Zhang et al. 2024",
        ),
        Rule(
            name="ttl",
            number=TTL,
            summary="evicts the lowest priority set by hand until it lapses, then by recency",
            source="TensorRT-LLM's KV cache retention",
        ),
        Rule(
            name="learned",
            number=LEARNED,
            summary="evicts what is used last by a prediction learned from past uses alone",
            source="docs/policies.md",
        ),
        Rule(
            name="belady",
            number=BELADY,
            variant=ADMIT,
            summary="evicts what is used farthest in the true future; admits everything",
            source="Belady 1966",
            oracle=True,
        ),
        Rule(
            name="belady-bypass",
            number=BELADY,
            variant=BYPASS,
            summary="as belady, and does not admit what is used later than its victim",
            source="Belady 1966; Michaud 2016",
            oracle=True,
        ),
    )
}
