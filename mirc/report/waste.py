"""What went wrong in the run of each policy into a table: copies for nothing, storms, cascades."""

from collections.abc import Sequence

from mirc.report.tables import aligned
from mirc.report.units import size_text
from mirc.simulate.metrics import Figures
from mirc.simulate.model import Troubles

HEADER = (
    "avoidable",
    "refetched",
    "spill storms",
    "regretted",
    "cascades (longest)",
    "deferred",
    "cancelled",
    "looks (most)",
)


def waste_table(rows: Sequence[tuple[str, Figures]]) -> str:
    """Return a row for each labelled policy, nothing where nothing was counted.

    docs/simulation.md defines the columns.
    """
    if all(row.troubles == Troubles() for _, row in rows):
        return ""
    table = []
    for label, row in rows:
        found = row.troubles
        looks = found.candidates / found.decisions if found.decisions else 0.0
        table.append(
            [
                label,
                size_text(found.avoidable_bytes),
                size_text(found.refetch_bytes),
                f"{found.spill_storms:,}",
                f"{found.eviction_regret:,}",
                f"{found.stall_cascades:,} ({found.longest_cascade:,})",
                f"{found.deferred_spills:,}",
                f"{found.cancelled:,}",
                f"{looks:.1f} ({found.most_candidates:,})",
            ]
        )
    return aligned(["waste", *HEADER], table)
