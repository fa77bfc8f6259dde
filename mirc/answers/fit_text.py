"""The document of what fits as lines of text: one unit for all bytes, figures in columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from mirc.simulate.admission import Scope

_SCOPES = {Scope.NEAR: "all of it in {near}", Scope.TIERS: "streamed through {near}"}
_UNITS = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3), ("B", 1))
_DECIMALS = 3


def as_text(model: str, machines: Sequence[dict[str, Any]]) -> str:
    """Return the document of ``fit_report`` as lines; all bytes of a machine in one unit."""
    return "".join(f"{line}\n" for found in machines for line in _lines(model, found))


class _Bytes:
    """Bytes in one unit, so that a column adds up: the one in which the memory has 1 to 999."""

    def __init__(self, capacity_bytes: int) -> None:
        self.unit, self.scale = next(
            (pair for pair in _UNITS if capacity_bytes >= pair[1]), _UNITS[-1]
        )

    def of(self, size_bytes: int) -> str:
        """Return the figure and its unit."""
        return f"{size_bytes / self.scale:_.{_DECIMALS if self.scale > 1 else 0}f} {self.unit}"


def _lines(model: str, found: dict[str, Any]) -> Iterator[str]:
    show = _Bytes(found["capacity_bytes"])
    yield (
        f"{model} on {found['machine']}: {found['near']} has {show.of(found['capacity_bytes'])}, "
        f"{show.of(found['reserve_bytes'])} in reserve, {show.of(found['usable_bytes'])} usable"
    )
    if found["asked"]:
        yield f"asked: {_point(found)}"
        for answer in found["answers"]:
            yield f"  {_scope(answer, found)}: {_verdict(answer, found, show)}"
            yield from _table(answer["asked"], found, show)
    for answer in found["answers"]:
        yield f"{_scope(answer, found)}:"
        yield from _answer(found, answer, show)
    yield from (f"note: {note}" for note in found["notes"])


def _scope(answer: dict[str, Any], found: dict[str, Any]) -> str:
    return _SCOPES[Scope(answer["scope"])].format(near=found["near"])


def _point(limit: dict[str, Any]) -> str:
    at = f" at {limit['context']:_} tokens of context" if limit["context"] is not None else ""
    return f"batch {limit['batch']:_}{at}"


def _verdict(answer: dict[str, Any], found: dict[str, Any], show: _Bytes) -> str:
    limit = answer["asked"]
    where = f"at step `{limit['step']}` of `{limit['phase']}`"
    left = limit["free_bytes"]
    if answer["asked_fits"]:
        return f"fits, {show.of(left)} free {where}"
    if left < 0:
        return f"does not fit, {show.of(-left)} too many {where}"
    return f"does not fit, {_no_room_below(found, show)}"


def _no_room_below(found: dict[str, Any], show: _Bytes) -> str:
    return (
        f"the masters are {show.of(found['masters_bytes'])} and the memories below have "
        f"{show.of(found['below_bytes'])} for them"
    )


def _answer(found: dict[str, Any], answer: dict[str, Any], show: _Bytes) -> Iterator[str]:
    at = f" at {found['context']:_} tokens of context" if found["context"] is not None else ""
    if not found["grows_with_batch"]:
        yield "  fits" if answer["fits"] else "  does not fit"
    elif answer["fits"]:
        yield f"  largest batch{at}: {_number(answer['largest_batch'])}"
    else:
        yield f"  does not fit: not one sequence{at}"
    if not answer["fits"]:
        if answer["peak"]["free_bytes"] >= 0:
            yield f"  {_no_room_below(found, show)}"
        alone = ", ".join(f"`{name}`" for name in answer["phases_that_fit"])
        if alone:
            yield f"  on its own fits {alone}: ask about it with `--schedule`"
    if found["context"] is not None:
        yield f"  largest context at batch {found['batch']}: {_number(answer['largest_context'])}"
        if answer["frontier"]:
            pairs = (f"{point['batch']} x {point['context']:_}" for point in answer["frontier"])
            yield f"  batch x context: {', '.join(pairs)}"
    limit = answer["peak"]
    yield f"  peak of {_point(limit)}, at step `{limit['step']}` of `{limit['phase']}`:"
    yield from _table(limit, found, show)
    for key in ("one_sequence_more", "one_token_more"):
        more = answer[key]
        if more is not None:
            yield (
                f"  {_point(more)} does not fit: {-more['free_bytes']:_} bytes too many at step "
                f"`{more['step']}` of `{more['phase']}`"
            )


def _table(limit: dict[str, Any], found: dict[str, Any], show: _Bytes) -> Iterator[str]:
    """Yield a line for each kind of data, then what the memory has beside them."""
    left = limit["free_bytes"]
    rows = [
        (
            share["kind"],
            show.of(share["size_bytes"]),
            f"{share['objects']:_}",
            share["largest"][0]["name"],
        )
        for share in limit["witness"]
    ]
    rows.append(("free" if left >= 0 else "too many", show.of(left), "", ""))
    rows.append(("reserve", show.of(found["reserve_bytes"]), "", ""))
    rows.append((found["near"], show.of(found["capacity_bytes"]), "", ""))
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    for kind, size, count, name in rows:
        yield f"    {kind:<{wide[0]}}  {size:>{wide[1]}}  {count:>{wide[2]}}  {name}".rstrip()


def _number(value: int | None) -> str:
    return "without a bound" if value is None else f"{value:_}"
