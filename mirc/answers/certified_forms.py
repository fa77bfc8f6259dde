"""Certificates, policies without effect and shadow prices into text and JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from mirc.answers.certify import Certified
    from mirc.answers.idle_policies import IdlePolicy
    from mirc.answers.shadow import ShadowPrice
    from mirc.bounds.certificate import Certificate

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
    if not found.certificates:
        lines.append("  no pass decided anything that has a bound")
    lines.append("policies without effect")
    lines += [f"  {_policy(policy)}" for policy in found.idle] or ["  none"]
    if found.prices:
        lines.append(f"shadow prices ({found.prices[0].method})")
        lines += [f"  {line}" for line in _prices(found.prices)]
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
        "policies_without_effect": [attrs.asdict(policy) for policy in found.idle],
        "shadow_prices": [attrs.asdict(price) for price in found.prices],
    }


def _certificate(found: "Certificate") -> Iterator[str]:
    cost = _amount(found.objective, found.unit)
    if found.bound is None:
        yield f"{found.decision}: {cost}, no bound: {found.note}"
        return
    gap = "no gap can be said" if found.gap is None else f"gap {100 * found.gap:.3f} %"
    if found.gap is not None and found.gap < -ROUNDING:
        gap += ", BELOW ITS BOUND: one of the two is wrong"
    yield (
        f"{found.decision}: {cost}, at least {_amount(found.bound, found.unit)}, {gap} "
        f"({found.method}; {found.solver}, {found.seconds:.2f} s)"
    )
    if found.note:
        yield f"  {found.note}"


def _amount(value: float, unit: str) -> str:
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
                yield (
                    f"{machine} {price.part}: {price.saved_ms:_.3f} ms a run of {price.phase} "
                    f"(of {price.run_ms:_.3f}) per {price.unit} more"
                )
            else:
                free.setdefault(price.part)
        for price in of_machine:
            if price.saved_ms:
                free.pop(price.part, None)
        if free:
            yield f"{machine} {', '.join(free)}: nothing"
