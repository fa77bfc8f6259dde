"""A replayed trace into text and JSON."""

import json
from collections.abc import Iterator
from typing import Any

import attrs

from mirc.report.tables import aligned
from mirc.report.units import percent_text, size_text, time_text
from mirc.simulate.accesses.study import Blocks, Replayed, Row
from mirc.simulate.accesses.timed import LinkUse, Timed

FORMAT, FORMAT_VERSION = "mirc-replay", 1
CLASSES = ("demand", "prefetch", "write-back")
_SHARES = (0.5, 0.99)


def as_text(found: Replayed) -> str:
    """Return the report that a person reads."""
    head = (
        f"{found.trace}: {found.accesses:_} accesses to {found.objects:_} objects of "
        f"{size_text(found.total_bytes)} in all\n"
    )
    if found.blocks is not None:
        head += _blocks(found.blocks)
    if found.cut:
        head += f"cut short, only these were played: {found.cut}\n"
    return head + "".join(f"\n{part}" for part in _parts(found))


def as_json(found: Replayed, *, version: str) -> str:
    """Return the report as ``docs/schemas/replay-1.schema.json`` describes it."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "version": version,
        "trace": found.trace,
        "accesses": found.accesses,
        "objects": found.objects,
        "total_bytes": found.total_bytes,
        "machine": found.asked.machine,
        "capacity_unit": "bytes" if found.asked.in_bytes else "objects",
        "rows": [_json_row(row) for row in found.rows],
    }
    if found.blocks is not None:
        blocks = found.blocks
        document["blocks"] = {
            "model": blocks.model,
            "templates": blocks.templates,
            "tokens": blocks.tokens,
            "bytes": blocks.size_bytes,
        }
    if found.cut:
        document["cut"] = found.cut
    if found.missing:
        document["missing"] = [attrs.asdict(each) for each in found.missing]
    if found.curve is not None:
        document["curve"] = {
            "capacities": list(found.curve.capacities_bytes),
            "hits": list(found.curve.hits),
        }
    return json.dumps(document, indent=2) + "\n"


def _parts(found: Replayed) -> Iterator[str]:
    if found.asked.machine is None:
        yield _counts(found)
    else:
        yield _times(found)
        yield _waits(found)
        yield _links(found)
    if found.missing:
        yield "".join(
            f"{each.policy} at {_amount(each.capacity, found)} is missing: {each.why}\n"
            for each in found.missing
        )
    if any(row.oracle for row in found.rows):
        yield "*: an oracle, which is given the future\n"
    if found.asked.settings.lookahead:
        yield (
            f"every policy's prefetcher is told the next {found.asked.settings.lookahead:_} "
            "accesses, as a schedule would tell them\n"
        )
    if found.curve is not None:
        rows = [
            (_amount(capacity, found), f"{hits:_}", percent_text(hits / max(1, found.accesses)))
            for capacity, hits in zip(found.curve.capacities_bytes, found.curve.hits, strict=True)
        ]
        yield "lru at every capacity, in one pass:\n" + aligned(("capacity", "hits", "ratio"), rows)


def _blocks(blocks: Blocks) -> str:
    return (
        f"each id is a block of {blocks.tokens:_} tokens of {blocks.model}, in all its templates "
        f"({blocks.templates:_}): {size_text(blocks.size_bytes)}\n"
        "assumed: ids share no prefix, so that any block may leave alone; a block is loaded where "
        "it is missing, never computed again\n"
    )


def _amount(capacity: int, found: Replayed) -> str:
    return size_text(capacity) if found.asked.in_bytes else f"{capacity:_}"


def _name(row: Row) -> str:
    return row.policy + ("*" if row.oracle else "")


def _counts(found: Replayed) -> str:
    header = ("policy", "capacity", "hits", "ratio", "laps")
    rows = [
        (
            _name(row),
            _amount(row.capacity, found),
            f"{row.count.hits:_}",
            percent_text(row.count.hits / max(1, row.count.accesses)),
            f"{row.count.laps:.2f}",
        )
        for row in found.rows
        if row.count is not None
    ]
    return aligned(header, rows)


def _timed(found: Replayed) -> Iterator[tuple[Row, Timed]]:
    return ((row, row.timed) for row in found.rows if row.timed is not None)


def _times(found: Replayed) -> str:
    tiers = next(_timed(found))[1].tiers
    header = ("policy", tiers[0], *(f"hits {name}" for name in tiers), "span", "an access", "p50")
    rows = [
        (
            _name(row),
            size_text(row.capacity),
            *(percent_text(hits / max(1, timed.accesses)) for hits in timed.hits),
            time_text(timed.span_ps),
            time_text(timed.waited_ps / max(1, timed.accesses)),
            time_text(timed.percentile_ps(_SHARES[0])),
        )
        for row, timed in _timed(found)
    ]
    p99 = [time_text(timed.percentile_ps(_SHARES[1])) for _, timed in _timed(found)]
    return aligned((*header, "p99"), [(*row, last) for row, last in zip(rows, p99, strict=True)])


def _waits(found: Replayed) -> str:
    header = ("waited for", "capacity", "transfers", "queues", "late prefetches", "room to leave")
    more = ("prefetched", "on time", "late", "gone early", "retaken")
    rows = [
        (
            _name(row),
            size_text(row.capacity),
            *map(time_text, (timed.demand_ps, timed.queue_ps, timed.late_ps, timed.room_ps)),
            *(
                f"{number:_}"
                for number in (
                    timed.prefetched,
                    timed.on_time,
                    timed.late,
                    timed.early,
                    timed.retaken,
                )
            ),
        )
        for row, timed in _timed(found)
    ]
    return aligned((*header, *more), rows)


def _links(found: Replayed) -> str:
    header = ("link", "policy", "capacity", *CLASSES, "busy", "longest queue")
    rows = [
        (
            link.name,
            _name(row),
            size_text(row.capacity),
            *map(size_text, link.bytes),
            percent_text(link.busy_ps / max(1, timed.span_ps)),
            _queue(link),
        )
        for row, timed in _timed(found)
        for link in timed.links
    ]
    return aligned((*header[:-1], "mean wait"), rows)


def _queue(link: LinkUse) -> str:
    return time_text(sum(link.waited_ps) / max(1, sum(link.transfers)))


def _json_row(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        "policy": row.policy,
        "oracle": row.oracle,
        "capacity": row.capacity,
    }
    if row.count is not None:
        found |= {"hits": row.count.hits, "hit_size": row.count.hit_size, "laps": row.count.laps}
        found |= {"evicted": row.count.evicted, "passed_by": row.count.passed_by}
    if row.timed is not None:
        found["timed"] = _json_timed(row.timed)
    return found


def _json_timed(timed: Timed) -> dict[str, Any]:
    return {
        "tiers": [
            {"name": name, "hits": hits} for name, hits in zip(timed.tiers, timed.hits, strict=True)
        ],
        "span_ps": timed.span_ps,
        "waited_ps": {
            "demand": timed.demand_ps,
            "queue": timed.queue_ps,
            "late_prefetch": timed.late_ps,
            "room": timed.room_ps,
        },
        "p50_ps": timed.percentile_ps(0.5),
        "p95_ps": timed.percentile_ps(0.95),
        "p99_ps": timed.percentile_ps(0.99),
        "writes": timed.writes,
        "prefetches": {
            "issued": timed.prefetched,
            "on_time": timed.on_time,
            "late": timed.late,
            "early": timed.early,
        },
        "retaken": timed.retaken,
        "unheld": timed.unheld,
        "staged_peak_bytes": timed.staged_peak_bytes,
        "links": [
            {
                "name": link.name,
                "bytes": dict(zip(CLASSES, link.bytes, strict=True)),
                "transfers": dict(zip(CLASSES, link.transfers, strict=True)),
                "queued_ps": dict(zip(CLASSES, link.waited_ps, strict=True)),
                "busy_ps": link.busy_ps,
            }
            for link in timed.links
        ],
    }
