"""Answers about what fits into a document, as JSON and as lines of text."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import mirc
from mirc.answers.fit import Answer, Limit, Question
from mirc.answers.witness import witness
from mirc.lint.sizes import human
from mirc.simulate.admission import Scope, step_name

_SCOPES = {Scope.NEAR: "all of it in {near}", Scope.TIERS: "streamed through {near}"}


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


def as_text(model: str, machines: Sequence[dict[str, Any]]) -> str:
    """Return the same as lines."""
    return "".join(f"{line}\n" for found in machines for line in _lines(model, found))


def notes(asked: Question) -> Iterator[str]:
    """Yield what the answer takes for granted."""
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


def _lines(model: str, found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{model} on {found['machine']}: {found['near']} has {human(found['capacity_bytes'])}, "
        f"{human(found['reserve_bytes'])} in reserve, {human(found['usable_bytes'])} usable"
    )
    for answer in found["answers"]:
        yield from _answer_lines(found, answer)
    yield from (f"note: {note}" for note in found["notes"])


def _answer_lines(found: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    yield _SCOPES[Scope(answer["scope"])].format(near=found["near"]) + ":"
    at = f" at {found['context']:_} tokens of context" if found["context"] is not None else ""
    if not answer["fits"]:
        yield f"  does not fit: not one sequence{at}"
        alone = ", ".join(f"`{name}`" for name in answer["phases_that_fit"])
        if alone:
            yield f"  on its own fits {alone}: ask about it with `--schedule`"
    else:
        yield f"  largest batch{at}: {_number(answer['largest_batch'])}"
    if found["context"] is not None:
        yield f"  largest context at batch {found['batch']}: {_number(answer['largest_context'])}"
        if answer["frontier"]:
            pairs = (f"{point['batch']} x {point['context']:_}" for point in answer["frontier"])
            yield f"  batch x context: {', '.join(pairs)}"
    yield from _peak_lines(answer["peak"], found)
    for key, what in (
        ("one_sequence_more", "one sequence more"),
        ("one_token_more", "a block more"),
    ):
        more = answer[key]
        if more is not None:
            yield (
                f"  {what} needs {-more['free_bytes']:_} bytes that are not there, at step "
                f"`{more['step']}` of `{more['phase']}`"
            )


def _peak_lines(peak: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    left = peak["free_bytes"]
    yield (
        f"  peak at batch {peak['batch']}: {human(peak['size_bytes'])} at step `{peak['step']}` of "
        f"`{peak['phase']}`, {human(abs(left))} {'free' if left >= 0 else 'too many'}"
    )
    for share in peak["witness"]:
        name, size_bytes = share["largest"][0]["name"], share["largest"][0]["size_bytes"]
        yield (
            f"    {share['kind']}: {human(share['size_bytes'])} in {share['objects']:_}, the "
            f"largest `{name}` ({human(size_bytes)})"
        )
    yield f"    reserve: {human(found['reserve_bytes'])}"


def _number(value: int | None) -> str:
    return "without a bound" if value is None else f"{value:_}"
