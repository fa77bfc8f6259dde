"""Certificates, policies without effect and shadow prices into text and JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from mirc.answers.certify import Certified
    from mirc.answers.idle_policies import IdlePolicy
    from mirc.answers.shadow import ShadowPrice
    from mirc.bounds.certificate import Certificate

_STAYING = "which pieces stay near"
_TWO_KINDS = (
    "bytes of several runs count the first fill of near memory; bytes of one repeated run do not"
)
_TIMES = ((1e6, "s"), (1e3, "ms"), (1.0, "us"))
ROUNDING = 1e-6
"""How far below its bound an objective may lie for a bound that was computed in floating point."""


def as_text(found: "Certified") -> str:
    """Return certificates pass by pass, then policies without effect, then prices."""
    lines = ["certificates"]
    name = ""
    for each, certificate in found.certificates:
        if each != name:
            name = each
            lines.append(f"  {name}:")
        lines += [f"    {line}" for line in _certificate(certificate)]
    if any(certificate.decision.startswith(_STAYING) for _, certificate in found.certificates):
        lines.append(f"  {_TWO_KINDS}")
    if not found.certificates:
        lines.append("  no pass decided anything that has a bound")
    lines += [f"  {each}: no bound: {reason}" for each, reason in found.unbounded]
    lines.append("policies without effect")
    lines += [f"  {_policy(policy)}" for policy in found.idle] or ["  none"]
    if found.prices:
        lines.append(f"shadow prices ({found.prices[0].method})")
        lines += [f"  {line}" for line in _prices(found.prices)]
    lines += [f"no shadow prices: {sentence}" for sentence in found.unpriced]
    return "\n".join(lines)


def as_object(found: "Certified") -> dict[str, Any]:
    """Return the same for JSON; ``seconds`` are the only figures that differ between runs."""
    return {
        "certificates": [
            {
                "pass": each,
                **attrs.asdict(certificate),
                "gap": certificate.gap,
            }
            for each, certificate in found.certificates
        ],
        "passes_without_bound": [
            {"pass": each, "reason": reason} for each, reason in found.unbounded
        ],
        "policies_without_effect": [attrs.asdict(policy) for policy in found.idle],
        "shadow_prices": [attrs.asdict(price) for price in found.prices],
        "no_shadow_prices": list(found.unpriced),
    }


def _certificate(found: "Certificate") -> Iterator[str]:
    cost = _amount(found.objective, found.unit)
    if not found.feasible:
        yield f"{found.decision}: DOES NOT FIT, {cost} asked for: {found.note}"
        return
    decision = found.decision.replace(" in 1 runs of ", " in 1 run of ")
    if found.bound is None:
        yield f"{decision}: {cost}, no bound: {found.note}"
        return
    gap = "no gap can be said" if found.gap is None else f"gap {100 * found.gap:.3f} %"
    if found.gap is not None and found.gap < -ROUNDING:
        gap += ", BELOW ITS BOUND: one of the two is wrong"
    yield (
        f"{decision}: {cost}, at least {_amount(found.bound, found.unit)}, {gap} "
        f"({found.method}; {found.solver}, {found.seconds:.2f} s)"
    )
    if found.note:
        yield f"  {found.note}"


def _amount(value: float, unit: str) -> str:
    """Return an amount as people read it: a time in the largest unit of which there is one."""
    if unit == "us":
        scale, unit = next((pair for pair in _TIMES if abs(value) >= pair[0]), _TIMES[-1])
        return f"{value / scale:.3f} {unit}"
    return f"{value:_.0f} {unit}" if unit == "bytes" else f"{value:_.3f} {unit}"


def _policy(policy: "IdlePolicy") -> str:
    where = f" on {policy.machine}" if policy.machine else ""
    if policy.objects == 1:
        return f"{policy.key} of `{policy.example}`{where}: {policy.reason}"
    return f"{policy.key} of {policy.objects:_} (`{policy.example}` ...){where}: {policy.reason}"


def _prices(prices: "tuple[ShadowPrice, ...]") -> Iterator[str]:
    """Yield a line for each part and phase that has a price; the others of a machine together."""
    for machine in dict.fromkeys(price.machine for price in prices):
        free: dict[str, None] = {}
        of_machine = [price for price in prices if price.machine == machine]
        for price in of_machine:
            if price.saved_ms:
                yield f"{machine} {price.part}: {_saving(price)}"
            else:
                free.setdefault(price.part)
        for price in of_machine:
            if price.saved_ms:
                free.pop(price.part, None)
        if free:
            yield f"{machine} {', '.join(free)}: nothing"


def _saving(price: "ShadowPrice") -> str:
    """Say what the step that was tried saved, and its rate where that is no more than the run."""
    step = f"{price.step:g} {price.unit}"
    if price.step < 1:
        step = f"{1000 * price.step:.4g} {price.unit.replace('GB', 'MB')}"
    run = f"a run of {price.phase} (of {price.run_ms:_.3f})"
    if price.step_saved_ms < 0:
        return (
            f"{step} more cost {-price.step_saved_ms:_.3f} ms {run}: the planner is a heuristic, "
            "and found a worse plan with more"
        )
    saving = f"{step} more saves {price.step_saved_ms:_.3f} ms {run}"
    if price.step == 1:
        return saving
    if price.saved_ms > price.run_ms:
        return f"{saving}; too small a part of 1 {price.unit} to price one"
    return f"{saving}, {price.saved_ms:_.3f} ms per {price.unit} at that rate"
