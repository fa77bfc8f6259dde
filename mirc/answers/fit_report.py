"""Answers about what fits into a document, and that document as JSON."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import mirc
from mirc.answers.fit import Answer, Limit, Question
from mirc.answers.witness import witness
from mirc.simulate.admission import Scope, step_name


def contents(asked: Question, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what both forms say about one machine."""
    near, under = asked.machine.near, asked.below(asked.asked)
    return {
        "machine": asked.machine.name,
        "plan": asked.plan,
        "near": near.name,
        "capacity_bytes": near.capacity_bytes,
        "reserve_bytes": near.capacity_bytes - near.usable_bytes,
        "usable_bytes": near.usable_bytes,
        "below_bytes": under.room_bytes,
        "masters_bytes": under.masters_bytes,
        "phases": list(dict.fromkeys(asked.schedule.runs)),
        "batch": asked.asked.sequences,
        "context": asked.asked.tokens if asked.grows else None,
        "asked": asked.given,
        "grows_with_batch": asked.scales,
        "notes": list(notes(asked)),
        "answers": [_answer(asked, answer) for answer in answers],
    }


def as_json(model: str, machines: Sequence[dict[str, Any]]) -> str:
    """Return the document of all machines."""
    document = {
        "name": "mirc",
        "version": mirc.__version__,
        "schema": "urn:mirc:schema:fit:1",
        "format_version": "1.0",
        "model": model,
        "machines": list(machines),
    }
    return json.dumps(document, indent=2) + "\n"


def notes(asked: Question) -> Iterator[str]:
    """Yield what the answer takes for granted."""
    if not asked.scales:
        yield (
            "nothing in this file grows with the batch: the sizes are those of the captured batch "
            f"{asked.asked.sequences}"
        )
    if any(part.table.routes for part in asked.demanded.phases.values()):
        yield "routed steps hold the most experts that their tokens can be sent to"
    for name, growing in _growing(asked).items():
        table = asked.tables[name]
        tokens = table.batch.context + table.batch.tokens
        yield (
            f"the sizes of {growing} of what `{name}` makes are multiples of the {tokens} tokens "
            "of its captured context: they grow with it, and the file cannot say so; read a "
            f"context above {tokens} as an upper bound"
        )


def _growing(asked: Question) -> dict[str, int]:
    """Return how many made objects of each phase look as if they grew with the context."""
    found: dict[str, int] = {}
    made = asked.demanded.made
    for name, part in asked.demanded.phases.items():
        batch = part.table.batch
        tokens = batch.context + batch.tokens
        sizes = asked.demanded.sizes[0][part.lives[0][made[part.lives[0]]]]
        multiples = int(((sizes > 0) & (sizes % tokens == 0)).sum()) if batch.context else 0
        if multiples:
            found[name] = multiples
    return found


def _answer(asked: Question, answer: Answer) -> dict[str, Any]:
    return {
        "scope": answer.scope.value,
        "fits": answer.fits,
        "asked_fits": answer.asked_fits,
        "asked": _limit(asked, answer.scope, answer.asked),
        "phases_that_fit": list(asked.phases_that_fit(answer.scope, answer.at.point)),
        "largest_batch": answer.batch,
        "largest_context": answer.context,
        "peak": _limit(asked, answer.scope, answer.at),
        "one_sequence_more": _limit(asked, answer.scope, answer.beyond),
        "one_token_more": _limit(asked, answer.scope, answer.beyond_context),
        "frontier": [
            {"batch": point.sequences, "context": point.tokens} for point in answer.frontier
        ],
    }


def _limit(asked: Question, scope: Scope, limit: Limit | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    peak = limit.peak
    return {
        "batch": limit.point.sequences,
        "context": limit.point.tokens if asked.grows else None,
        "phase": peak.phase,
        "step": step_name(asked.module, peak),
        "size_bytes": peak.size_bytes,
        "free_bytes": asked.machine.near.usable_bytes - peak.size_bytes,
        "witness": [
            {
                "kind": share.kind,
                "size_bytes": share.size_bytes,
                "objects": share.objects,
                "largest": [
                    {"name": name, "size_bytes": size_bytes} for name, size_bytes in share.largest
                ],
            }
            for share in witness(asked, scope, peak)
        ],
    }
