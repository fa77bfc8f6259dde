"""Accesses of a trace into what they are, in text."""

import attrs
import numpy as np

from mirc.kernels.tiers.state import FETCH_AHEAD, WRITE
from mirc.report.units import percent_text, size_text, time_text
from mirc.simulate.accesses.model import Trace

_HOT = 0.01


@attrs.define(kw_only=True)
class _Tally:
    writes: int = 0
    ahead: int = 0
    ended_ps: int | None = None


def as_text(name: str, form: str, found: Trace) -> str:
    """Return a few lines: how many accesses to how many objects, how much is used again."""
    uses = np.zeros(found.objects, dtype=np.int64)
    tally = _Tally()
    for part in found.parts():
        uses += np.bincount(part.ids, minlength=found.objects)
        tally.writes += int((part.what == WRITE).sum())
        tally.ahead += int((part.what == FETCH_AHEAD).sum())
        tally.ended_ps = int(part.at_ps[-1]) if len(part.at_ps) else None
    hot = np.sort(uses)[::-1][: max(1, round(_HOT * found.objects))]
    sizes = found.size_bytes
    lines = [
        f"{name}: {form}",
        f"{found.count:_} accesses to {found.objects:_} objects",
        f"used once: {percent_text(float((uses == 1).mean()))} of the objects",
        f"on the hottest hundredth: {percent_text(float(hot.sum() / found.count))} of the accesses",
        f"a cache that never forgets hits {percent_text(1 - found.objects / found.count)}",
    ]
    if found.cut is not None:
        lines.insert(1, f"cut short, only what follows was read: {found.cut.message}")
    if sizes.any():
        least, most = int(sizes.min()), int(sizes.max())
        each = size_text(least) if least == most else f"{size_text(least)} to {size_text(most)}"
        lines.append(f"objects of {each}, {size_text(int(sizes.sum()))} in all")
    if tally.writes or tally.ahead:
        lines.append(f"{tally.writes:_} write, {tally.ahead:_} only fetch ahead")
    if tally.ended_ps is not None:
        lines.append(f"over {time_text(tally.ended_ps)}")
    return "\n".join(lines) + "\n"
