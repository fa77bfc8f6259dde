import numpy as np

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.kernels.events import EVENT, Kind, Reason
from mirc.packed.pack import seal
from mirc.packed.view import PackedView
from mirc.simulate.contracts import broken, wired
from mirc.simulate.model import Outcome, Prefetches
from tests.simulate.toy import GB, card

NAMES = ("a", "b", "kv(0,1)", "b(decode)")
TEXT = """mir 1.0
object a { class = WEIGHT_TILE size_bytes = 1 }
object b { class = WEIGHT_TILE size_bytes = 1 pin_level = WIRED }
template kv { class = KV_BLOCK size_bytes = 1 pin_level = WIRED }
"""
HELD = np.array([False, True, True, True])


def _outcome(*events: tuple[Kind, int, Reason], peak: int = GB) -> Outcome:
    none = np.zeros(0, dtype=np.int64)
    log = np.zeros(len(events), dtype=EVENT)
    for step, (kind, thing, reason) in enumerate(events):
        log[step] = (step, kind, thing, 0, 1, 1, step, reason, -1)
    return Outcome(
        policy="intent",
        oracle=False,
        path="python",
        step_ps=none,
        compute_ps=none,
        stall_demand_ps=none,
        stall_late_ps=none,
        stall_queue_ps=none,
        links=(),
        hits={},
        hit_bytes={},
        prefetches=Prefetches(issued=0, on_time=0, late=0, unused=0),
        peak_bytes={"hbm": peak},
        end_ps=0,
        events=log,
    )


def test_instances_are_wired_as_their_template_is() -> None:
    view = PackedView(seal(load(Source("toy.mir", TEXT))))
    assert wired(view, NAMES).tolist() == [False, True, True, True]


def test_a_wired_object_that_leaves_is_a_broken_contract() -> None:
    outcome = _outcome(
        (Kind.DROP, 0, Reason.PRESSURE),
        (Kind.DROP, 1, Reason.PRESSURE),
        (Kind.WRITE_BACK, 2, Reason.FARTHER),
    )
    assert broken(outcome, NAMES, card(), HELD) == (
        "the wired object `b` left near memory in step 1",
        "the wired object `kv(0,1)` left near memory in step 2",
    )


def test_the_end_of_its_life_breaks_nothing() -> None:
    outcome = _outcome((Kind.DROP, 1, Reason.ENDED), (Kind.RETIRE, 1, Reason.ENDED))
    assert broken(outcome, NAMES, card(), HELD) == ()


def test_a_capacity_exceeded_is_a_broken_contract() -> None:
    assert broken(_outcome(peak=3 * GB), NAMES, card(2 * GB), HELD) == (
        "`hbm` held 3_000_000_000 bytes, and 2_000_000_000 are usable",
    )


def test_many_losses_are_counted() -> None:
    found = broken(_outcome(*[(Kind.DROP, 1, Reason.PRESSURE)] * 13), NAMES, card(), HELD)
    assert len(found) == 11
    assert found[-1] == "and 3 more"
