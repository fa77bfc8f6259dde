"""A compiled program into the summary that ``mirc compile`` prints."""

import json
from typing import TYPE_CHECKING, Any

import mirc
from mirc.answers import certified_forms
from mirc.cli.compile_remarks import of_data, of_data_sentence
from mirc.graph import Program, Storage
from mirc.passes.annotate import Annotated
from mirc.passes.arbiter import Wirings
from mirc.passes.base import Facts
from mirc.passes.expert_routing import Routing
from mirc.passes.phase_annotator import Phases
from mirc.passes.placing import Mode
from mirc.passes.seeds import Observed, Options
from mirc.passes.tier_liveness import TierLive

if TYPE_CHECKING:
    from mirc.answers.certify import Certified


def as_text(program: Program, facts: Facts, certified: "Certified | None" = None) -> str:
    """Return a few lines: objects and bytes by class, phases with their capture, plans; proofs."""
    found = contents(program, facts)
    lines = [f"{found['model']}: {found['objects']:_} objects and templates"]
    lines += [
        f"  {row['class']}: {row['objects']:_}, {row['size_bytes']:_} bytes"
        for row in found["classes"]
    ]
    for row in found["phases"]:
        lines.append(
            f"phase {row['phase']}: {row['kind']}, {row['steps']:_} steps, {row['nodes']:_} nodes,"
            f" {row['flops']:_} FLOPs, captured by {row['level']}"
        )
        if row["reason"]:
            lines.append(f"  no better level: {row['reason']}")
        if row["operations_of_data"]:
            lines.append(f"  {of_data_sentence(row['operations_of_data'])}")
    lines += dict.fromkeys(row["note"] for row in found["phases"] if row["note"])
    lines += [
        f"plan {row['machine']} {row['phase']}: {row['near_bytes']:_} bytes stay, moves "
        f"{row['planned_bytes']:_} a run (at least {row['bound_bytes']:_})"
        + ("" if row["fits"] else "; DOES NOT FIT")
        for row in found["plans"]
    ]
    lines += [
        f"wired on {row['machine']}: {row['regions']} regions, {row['size_bytes']:_} of "
        f"{row['budget_bytes']:_} bytes"
        for row in found["wired"]
    ]
    if found["routing"] is not None:
        row = found["routing"]
        lines.append(
            f"routing: {row['tokens']:_} tokens observed in {row['layers']} layers, "
            f"for {row['families']} families of experts"
        )
    if certified is not None:
        lines.append(certified_forms.as_text(certified))
    return "\n".join(lines)


def as_json(program: Program, facts: Facts, certified: "Certified | None" = None) -> str:
    """Return the same as a document with its name, version and schema."""
    document = {
        "name": "mirc",
        "version": mirc.__version__,
        "schema": "urn:mirc:schema:compile:1",
        "format_version": "1.0",
        **contents(program, facts),
    }
    if certified is not None:
        document["certified"] = certified_forms.as_object(certified)
    return json.dumps(document, indent=2)


def contents(program: Program, facts: Facts) -> dict[str, Any]:
    """Return what both forms say, without seconds or paths."""
    captures = {capture.phase: capture for capture in program.captures}
    phases = []
    for phase in facts[Phases].phases:
        capture = captures.get(phase.name)
        phases.append(
            {
                "phase": phase.name,
                "kind": phase.kind.value,
                "runs": phase.runs,
                "steps": len(phase.graph.steps),
                "nodes": len(phase.graph.nodes),
                "fx_nodes": capture.fx_nodes if capture else 0,
                "flops": sum(phase.table.flops),
                "operations_of_data": of_data(phase.graph),
                "level": capture.level.value if capture else "by hand",
                "reason": capture.reason if capture else "",
                "note": capture.note if capture else "",
            }
        )
    classes = _classes(program, facts)
    return {
        "model": program.name,
        "model_digest": program.digest,
        "objects": sum(row["objects"] for row in classes),
        "classes": classes,
        "phases": phases,
        "plans": _plans(facts),
        "wired": _wired(facts) if facts[Options].wire else [],
        "routing": _routing(facts),
    }


def _classes(program: Program, facts: Facts) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for index, intent in facts[Annotated].intents.items():
        storage: Storage = program.storages[index]
        row = rows.setdefault(
            intent.klass.value, {"class": intent.klass.value, "objects": 0, "size_bytes": 0}
        )
        row["objects"] += max(1, len(storage.parts))
        row["size_bytes"] += storage.size_bytes
    return [rows[name] for name in sorted(rows)]


def _plans(facts: Facts) -> list[dict[str, Any]]:
    tiers = facts[TierLive]
    rows = []
    for plan in tiers.plans:
        for name, phase in plan.phases.items():
            placement = phase.placement
            modes = list(zip(tiers.pieces, placement.residences, strict=True))
            rows.append(
                {
                    "machine": plan.machine.name,
                    "phase": name,
                    "near_bytes": sum(p.size_bytes for p, r in modes if r.mode is Mode.STAYS),
                    "streamed_objects": sum(r.mode is Mode.STREAMS for _, r in modes),
                    "ring_bytes": placement.ring_bytes,
                    "wanted_bytes": placement.wanted_bytes,
                    "planned_bytes": placement.planned_bytes,
                    "bound_bytes": placement.bound_bytes,
                    "fits": placement.fits,
                }
            )
    return rows


def _wired(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "machine": wiring.machine,
            "regions": len(wiring.chosen),
            "size_bytes": sum(region.size_bytes for region in wiring.chosen),
            "budget_bytes": wiring.budget_bytes,
        }
        for wiring in facts[Wirings].by_machine.values()
    ]


def _routing(facts: Facts) -> dict[str, int] | None:
    trace = facts[Observed].routing
    if trace is None:
        return None
    observed = facts[Routing].observed
    return {
        "tokens": trace.tokens,
        "layers": len(observed),
        "families": sum(len(each.router.storages) for each in observed),
    }
