"""Two tenants that take turns: with quotas one costs the other its share of the room alone."""

import numpy as np
import pytest

from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import card

TILE = 100_000_000
SHARE = 8 * TILE  # of 20, for the noisy one


def quiet_ps(near_bytes: int, tenants: dict[str, int], quotas: dict[str, int]) -> int:
    """Return the picoseconds of the quiet tenant's last run."""
    lines = ["mir 1.0"]
    for name, count in tenants.items():
        quota = f"quota_bytes = {quotas[name]}" if name in quotas else ""
        lines.append(f"tenant {name} {{ {quota} security_domain = {name} }}")
        fields = f"size_bytes = {TILE} tenant_id = {name} security_domain = {name}"
        lines += [f"object {name}_{i} {{ class = WEIGHT_TILE {fields} }}" for i in range(count)]
        steps = "".join(f"  step s{i} {{ reads = [{name}_{i}] }}\n" for i in range(count))
        lines.append(f"phase {name}_run {{\n{steps}}}")
    source = Source("two.mir", "\n".join(lines) + "\n")
    module, machine = load(source), card(near_bytes)
    turns = ", ".join(f"{name}_run" for name in tenants)
    schedule = schedule_of(module, None, f"REPEAT(4, {turns})")
    work = build(module, schedule, machine, source=source).workload
    known = ingest(seal(module), machine, None, work.names)
    outcome = simulate(work, known, machine, "intent", path="python")
    quiet = work.step_phase == work.phase_names.index("quiet_run")
    return int(outcome.step_ps[np.flatnonzero(quiet & (work.step_run == 3))].sum())


@pytest.mark.parametrize("count", [6, 12, 16])
def test_a_neighbour_with_a_quota_costs_what_a_smaller_memory_does(count: int) -> None:
    near = 20 * TILE
    quotas = {"quiet": near - SHARE, "noisy": SHARE}
    alone = quiet_ps(near - SHARE, {"quiet": count}, {})
    assert quiet_ps(near, {"quiet": count, "noisy": 40}, quotas) <= 1.03 * alone


def test_a_neighbour_without_one_costs_every_byte_again() -> None:
    # 12 tiles of 100 MB fit into 2 GB, and cross a link of 1 GB/s in each run: 1,000 ps a byte
    assert quiet_ps(20 * TILE, {"quiet": 12}, {}) < 12 * TILE * 1000
    assert quiet_ps(20 * TILE, {"quiet": 12, "noisy": 40}, {}) >= 12 * TILE * 1000
