"""What policies made of a trace of requests into the tables and the object of ``mirc simulate``."""

import json
from typing import Any

import attrs

from mirc.controller.kv.crossover import Recompute
from mirc.diagnostics.words import counted
from mirc.report.tables import aligned
from mirc.report.units import percent_text, size_text, time_text
from mirc.simulate.serving.model import Options, Row, Served, Serving
from mirc.simulate.serving.placebo import SEED
from mirc.simulate.serving.timing import Pace, Quantiles

SCHEMA = "urn:mirc:schema:serving:1"
FORMAT_VERSION = "1.1"
_PS_PER_S = 10**12
_PS_PER_MS = 10**9
_DIGITS = 6
_ALWAYS = 0.99  # of the time
_MUCH = 4
_FEW = 50  # requests say nothing about a queue


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
        "configuration": serving.configuration,
        "seed": SEED,
        "at_once": serving.options.at_once,
        "budget_tokens": serving.options.budget,
        "closed": serving.options.closed,
        "speedup": serving.options.speedup,
        "objective": attrs.asdict(serving.options.objective),
        "notes": list(serving.notes),
        "machines": [_object(served) for served in serving.machines],
    }
    return json.dumps(found, indent=2) + "\n"


def _machine(serving: Serving, served: Served) -> str:
    lines = "".join(f"{line}\n" for line in _heading(serving, served))
    parts = [lines, _found(served), _times(served, serving.options), _work(served)]
    if len(served.rows[0].tenants) > 1:
        parts.append(_tenants(served))
    parts.append(
        "".join(f"{line}\n" for line in (*_sentences(served, serving.options), *serving.notes))
    )
    return "\n".join(parts)


def _heading(serving: Serving, served: Served) -> list[str]:
    caches, options = served.caches, serving.options
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
            f"{counted(blocks, 'block')}{below}; up to {options.at_once} sequences at once, "
            f"batches of {options.budget:,} tokens"
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


def _times(served: Served, options: Options) -> str:
    limits = options.objective
    header = [
        "time",
        "TTFT p50",
        "p95",
        "p99",
        "between p50",
        "p95",
        "p99",
        "requests/s",
        f"good (<= {limits.ttft_ms:g}, {limits.itl_ms:g} ms)",
        "tokens/s",
        "busy",
    ]
    rows = []
    for row in served.rows:
        pace = row.pace
        rows.append(
            [
                _label(row),
                *_ms(pace.ttft_ms),
                *_ms(pace.itl_ms),
                f"{pace.requests_per_s:.3f}",
                f"{pace.goodput_per_s:.3f}",
                f"{pace.tokens_per_s:,.0f}",
                percent_text(pace.busy),
            ]
        )
    return aligned(header, rows)


def _ms(found: Quantiles) -> list[str]:
    values = (found.p50, found.p95, found.p99)
    return ["-" if each is None else time_text(each * _PS_PER_MS) for each in values]


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


def _sentences(served: Served, options: Options) -> list[str]:
    heard = ", ".join(f"{name} {count:,}" for name, count in served.signals.items())
    lines = [
        f"signals in the trace: {heard}"
        if heard
        else "the trace has no sessions, so there are no signals to hear"
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
    lines += _of_time(served, options)
    return lines


def _of_time(served: Served, options: Options) -> list[str]:
    first = served.rows[0]
    little = (
        f"in the system on average under {_label(first)}: {first.pace.in_system:.3f} requests; "
        f"arrivals a second times the mean time there: {first.pace.in_system_by_little:.3f}"
    )
    late = "cannot keep up: a batch always runs, and the queue grows"
    lines = [little, *(f"{name} {late}" for name in _overloaded(served))]
    if served.beyond_bytes:
        lines.append(
            f"assumed: {served.near} is {size_text(served.beyond_bytes)} larger than it is, for "
            "weights and caches to lie in it together"
        )
    if options.closed:
        lines.append(
            "assumed: requests come in order, as soon as nobody queues and the turn before is "
            "gone: times to the first token hold no queue"
        )
    else:
        faster = "" if options.speedup == 1 else f", {options.speedup:g} times as fast"
        lines.append(
            f"assumed: requests come when the trace says{faster}; a session's next turn after the "
            "answer before it, and its tool's time"
        )
    lines.append(
        "assumed: a batch takes the slower of its arithmetic and its bytes (weights once, caches "
        "of all that it attends to); nothing is added for launching it"
    )
    return lines


def _overloaded(served: Served) -> list[str]:
    """Return the policies under which what came in the last tenth waited longest, and much."""
    found = []
    for row in served.rows:
        ttft = row.timing.ttft_ms
        tenth = max(1, len(ttft) // 10)
        if len(ttft) > _FEW and row.pace.busy > _ALWAYS:
            early, late = float(ttft[:tenth].mean()), float(ttft[-tenth:].mean())
            if late > _MUCH * early:
                found.append(_label(row))
    return found


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
        "beyond_bytes": served.beyond_bytes,
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
        "time": _pace(row.pace),
        "links_busy_s": {name: round(busy, _DIGITS) for name, busy in row.links.items()},
    }


def _pace(pace: Pace) -> dict[str, Any]:
    found = attrs.asdict(pace)
    return {key: _rounded(value) for key, value in found.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value


def _label(row: Row) -> str:
    return f"{row.policy} (oracle)" if row.oracle else row.policy


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
