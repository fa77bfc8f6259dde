"""What policies made of a trace of requests into the tables and the object of ``mirc simulate``."""

import json
from typing import Any

import attrs

from mirc.controller.kv.crossover import Recompute
from mirc.diagnostics.words import counted
from mirc.report.tables import aligned
from mirc.report.units import percent_text, size_text, time_text
from mirc.simulate.serving.serve import Row, Served, Serving

SCHEMA = "urn:mirc:schema:serving:1"
FORMAT_VERSION = "1.0"
_PS_PER_S = 10**12
_DIGITS = 6


def as_text(serving: Serving) -> str:
    """Return the report: per machine what was found, computed and moved, and what it would cost."""
    return "\n".join(_machine(serving, served) for served in serving.machines)


def as_json(serving: Serving, *, version: str) -> str:
    """Return the report as JSON text: sizes in bytes, amounts in tokens, ratios with six digits."""
    found = {
        "name": "mirc",
        "version": version,
        "schema": SCHEMA,
        "format_version": FORMAT_VERSION,
        "model": serving.title,
        "at_once": serving.at_once,
        "budget_tokens": serving.budget,
        "machines": [_object(served) for served in serving.machines],
    }
    return json.dumps(found, indent=2) + "\n"


def _machine(serving: Serving, served: Served) -> str:
    lines = "".join(f"{line}\n" for line in _heading(serving, served))
    parts = [lines, _found(served), _work(served)]
    if len(served.rows[0].tenants) > 1:
        parts.append(_tenants(served))
    parts.append("".join(f"{line}\n" for line in _sentences(served)))
    return "\n".join(parts)


def _heading(serving: Serving, served: Served) -> list[str]:
    caches = served.caches
    groups = ", ".join(f"{each.name} {size_text(each.size)}" for each in caches.groups)
    blocks = served.capacity_bytes // caches.block_bytes
    below = f", {size_text(served.swap_bytes)} below" if served.swap_bytes else ""
    return [
        f"{serving.title} on {served.machine}: {counted(served.requests, 'request')}",
        (
            f"  a block of {caches.block_tokens} tokens is {size_text(caches.block_bytes)} over "
            f"{counted(caches.templates, 'template')} ({groups})"
        ),
        (
            f"  {served.near} has {size_text(served.capacity_bytes)} for caches, "
            f"{counted(blocks, 'block')}{below}; up to {serving.at_once} sequences at once, "
            f"batches of {serving.budget:,} tokens"
        ),
    ]


def _found(served: Served) -> str:
    rows = []
    for row in served.rows:
        total = row.total
        rows.append(
            [
                _label(row),
                f"{total.asked:,}",
                percent_text(_share(total.found, total.asked)),
                percent_text(_share(total.blocks_there, total.blocks)),
                percent_text(_share(total.blocks_found, total.blocks)),
                percent_text(_share(total.found, served.ceiling)),
            ]
        )
    ceiling = percent_text(_share(served.ceiling, served.rows[0].total.asked))
    rows.append(["memory without end", "-", ceiling, "-", "-", percent_text(1)])
    header = ["prompts", "tokens", "usable", "block hits", "usable blocks", "of the possible"]
    return aligned(header, rows)


def _work(served: Served) -> str:
    rows = []
    for row in served.rows:
        total = row.total
        swapped = total.swapped * served.caches.block_tokens / served.caches.block_bytes
        rows.append(
            [
                _label(row),
                f"{total.computed:,}",
                f"{total.again:,}",
                f"{total.made:,}",
                f"{swapped:,.0f}",
                f"{total.preempted:,}",
                f"{total.refused:,}",
                _cost(served.recompute, total.computed + total.again, swapped),
            ]
        )
    header = ["work", "computed", "again", "made", "swapped in", "preempted", "refused", "costs"]
    return aligned(header, rows)


def _tenants(served: Served) -> str:
    rows = []
    for row in served.rows:
        for name, each in row.tenants.items():
            usable = percent_text(_share(each.found, each.asked))
            refused = f"{each.refused:,}"
            rows.append([f"{name}, {_label(row)}", f"{each.asked:,}", usable, refused])
    return aligned(["tenant", "tokens", "usable", "refused"], rows)


def _sentences(served: Served) -> list[str]:
    heard = ", ".join(f"{name} {count:,}" for name, count in served.signals.items())
    lines = [
        f"signals in the trace: {heard}"
        if heard
        else "the trace has no sessions, so no signals: intent knows what lru knows"
    ]
    recompute = served.recompute
    if recompute is None:
        lines.append("the file's steps declare no FLOPs, so computing again has no price")
    else:
        verdict = "loading pays" if recompute.loads else "computing again pays"
        lines.append(
            f"swap or recompute: a token's caches load at "
            f"{size_text(recompute.load_bytes_per_s)}/s and break even at "
            f"{size_text(recompute.crossover_bytes_per_s)}/s: {verdict}"
        )
    lines.append(
        "assumed: requests come in order, as soon as there is room and the turn before is "
        "answered; no time is modeled"
    )
    return lines


def _cost(recompute: Recompute | None, computed: int, swapped: float) -> str:
    if recompute is None:
        return "-"
    seconds = computed * recompute.recompute_s
    seconds += swapped * recompute.load_s if swapped else 0
    return time_text(seconds * _PS_PER_S)


def _object(served: Served) -> dict[str, Any]:
    recompute = served.recompute
    return {
        "machine": served.machine,
        "near_memory": served.near,
        "capacity_bytes": served.capacity_bytes,
        "swap_bytes": served.swap_bytes,
        "block_tokens": served.caches.block_tokens,
        "block_bytes": served.caches.block_bytes,
        "groups": [
            {"name": each.name, "kind": each.kind.value, "block_bytes": each.size}
            for each in served.caches.groups
        ],
        "requests": served.requests,
        "ceiling_tokens": served.ceiling,
        "signals": dict(served.signals),
        "recompute": None
        if recompute is None
        else {
            "load_bytes_per_s": round(recompute.load_bytes_per_s),
            "crossover_bytes_per_s": round(recompute.crossover_bytes_per_s),
            "loads": recompute.loads,
        },
        "policies": [_policy(row) for row in served.rows],
    }


def _policy(row: Row) -> dict[str, Any]:
    return {
        "policy": row.policy,
        "oracle": row.oracle,
        "usable": round(_share(row.total.found, row.total.asked), _DIGITS),
        **attrs.asdict(row.total),
        "tenants": {name: attrs.asdict(each) for name, each in row.tenants.items()},
        "events": dict(row.events),
        "steps": row.steps,
    }


def _label(row: Row) -> str:
    return f"{row.policy} (oracle)" if row.oracle else row.policy


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
