"""A seed into questions over retrieved documents, some of which are suddenly in demand.

Every prompt is an instruction, a few documents and a question. Documents stand in one fixed order,
so two prompts share as far as their documents agree. Their popularity follows Zipf's law; in a
burst most questions are about a handful that were nothing special before, for a while.
"""

import random
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, count

import attrs
from attrs import validators as v

from mirc.traces.requests import Request

BLOCK = 512  # tokens
INSTRUCTION = 4  # blocks
BURST_SHARE = 0.8  # of the questions in a burst that are about its documents
BURST_DOCUMENTS = 6


@attrs.frozen(kw_only=True)
class Retrieval:
    """How many questions over how many documents; a burst begins every ``burst_every`` of them."""

    requests: int = attrs.field(default=4000, validator=v.ge(1))
    documents: int = attrs.field(default=1500, validator=v.ge(BURST_DOCUMENTS))
    every_ms: int = attrs.field(default=250, validator=v.ge(1))
    burst_every: int = attrs.field(default=500, validator=v.ge(1))
    burst_length: int = attrs.field(default=150, validator=v.ge(0))
    seed: int = 0


def retrieval(asked: Retrieval) -> Iterator[Request]:
    """Yield the requests in the order of time; the gaps between them are exponential."""
    drawn = random.Random(asked.seed)  # noqa: S311 - a workload, no secret
    lengths = [drawn.randint(3, 16) for _ in range(asked.documents)]
    ranks = drawn.sample(range(asked.documents), asked.documents)
    weights = list(accumulate(1 / (rank + 1) for rank in range(asked.documents)))
    places: dict[tuple[int, int, int], int] = {}
    fresh = count()
    at_ms = 0.0
    hot: list[int] = []
    for number in range(asked.requests):
        at_ms += drawn.expovariate(1 / asked.every_ms)
        if number % asked.burst_every == 0:
            hot = drawn.sample(range(asked.documents), BURST_DOCUMENTS)
        bursting = asked.burst_every - number % asked.burst_every <= asked.burst_length
        chosen = set()
        for _ in range(drawn.randint(1, 4)):
            if bursting and drawn.random() < BURST_SHARE:
                chosen.add(drawn.choice(hot))
            else:
                chosen.add(ranks[bisect_left(weights, drawn.random() * weights[-1])])
        blocks = [_place(places, fresh, -1, -1, at) for at in range(INSTRUCTION)]
        for document in sorted(chosen, key=lambda each: (ranks[each], each)):
            on = blocks[-1]
            blocks += [_place(places, fresh, on, document, at) for at in range(lengths[document])]
        blocks.append(next(fresh))
        tokens = (len(blocks) - 1) * BLOCK + drawn.randint(20, BLOCK)
        yield Request(
            at_ms=int(at_ms),
            input_tokens=tokens,
            output_tokens=drawn.randint(30, 400),
            blocks=tuple(blocks),
        )


def _place(
    places: dict[tuple[int, int, int], int], fresh: Iterator[int], on: int, document: int, at: int
) -> int:
    """Return the id of a document's block after what it stands on: equal beginnings are equal."""
    key = on, document, at
    if key not in places:
        places[key] = next(fresh)
    return places[key]
