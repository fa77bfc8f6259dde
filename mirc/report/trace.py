"""Accesses of a trace into what they are, in text."""

import numpy as np

from mirc.kernels.tiers.state import FETCH_AHEAD, WRITE
from mirc.report.units import percent_text, size_text, time_text
from mirc.simulate.accesses.model import Accesses

_HOT = 0.01


def as_text(name: str, form: str, found: Accesses) -> str:
    """Return a few lines: how many accesses to how many objects, how much is used again."""
    uses = np.bincount(found.ids, minlength=found.objects)
    hot = np.sort(uses)[::-1][: max(1, round(_HOT * found.objects))]
    sizes = found.size_bytes
    lines = [
        f"{name}: {form}",
        f"{found.count:_} accesses to {found.objects:_} objects",
        f"used once: {percent_text(float((uses == 1).mean()))} of the objects",
        f"on the hottest hundredth: {percent_text(float(hot.sum() / found.count))} of the accesses",
        f"a cache that never forgets hits {percent_text(1 - found.objects / found.count)}",
    ]
    if sizes.any():
        least, most = int(sizes.min()), int(sizes.max())
        each = size_text(least) if least == most else f"{size_text(least)} to {size_text(most)}"
        lines.append(f"objects of {each}, {size_text(int(sizes.sum()))} in all")
    if len(found.what):
        writes, ahead = int((found.what == WRITE).sum()), int((found.what == FETCH_AHEAD).sum())
        lines.append(f"{writes:_} write, {ahead:_} only fetch ahead")
    if len(found.at_ps):
        lines.append(f"over {time_text(int(found.at_ps[-1]))}")
    return "\n".join(lines) + "\n"
