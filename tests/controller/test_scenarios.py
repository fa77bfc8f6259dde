"""Whole scenes: what each class of object goes through, and what yields to what."""

import ast
from pathlib import Path

import attrs
import numpy as np
import pytest

import mirc
from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir.enums import TierKind
from mirc.kernels.events import Kind, Reason
from mirc.machine import Machine
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.schedule import schedule_of
from mirc.simulate.stages import stages_of
from mirc.simulate.workload import build
from tests.simulate.toy import GB, card

LEAVING = (Kind.DROP, Kind.WRITE_BACK, Kind.FORGET)


class Scene:
    """One run under intent, asked about objects by name."""

    def __init__(self, text: str, schedule: str, machine: Machine) -> None:
        source = Source("toy.mir", f"mir 1.0\n{text}")
        module = load(source)
        plan = next(iter(module.plans), None)
        scenario = build(
            module, schedule_of(module, None, schedule), machine, source=source, plan=plan
        )
        self.names = scenario.workload.names
        packed = seal(module)
        known = ingest(packed, machine, plan, self.names)
        stages = stages_of(packed, scenario, known, machine, policy="intent", plan=plan)
        self.outcome = simulate(
            scenario.workload, known, machine, "intent", record_events=True, stages=stages
        )

    def steps(self, name: str, *kinds: Kind, reason: Reason | None = None) -> list[int]:
        """Return the steps at which something happened to an object."""
        events = self.outcome.events
        assert events is not None
        mine = (events["object"] == self.names.index(name)) & np.isin(events["kind"], kinds)
        if reason is not None:
            mine &= events["reason"] == reason
        else:
            mine &= events["reason"] != Reason.ENDED
        return [int(step) for step in events["step"][mine]]

    def first_left(self, *names: str) -> list[str]:
        """Return those that left before their life ended, in the order in which they did."""
        events = self.outcome.events
        assert events is not None
        gone = events[np.isin(events["kind"], LEAVING) & (events["reason"] != Reason.ENDED)]
        order = [self.names[int(o)] for o in gone["object"]]
        return list(dict.fromkeys(name for name in order if name in names))


def _object(name: str, klass: str, more: str = "", size: int = GB) -> str:
    return f"object {name} {{ class = {klass} size_bytes = {size} {more} }}\n"


@pytest.mark.mechanism("S0-23", "S1-05")
def test_under_congestion_what_may_be_dropped_goes_first_and_what_is_protected_never() -> None:
    # 5 GB near: five objects of 1 GB; then steps that read three, four and more weights.
    text = (
        _object("fragile", "KV_BLOCK", "spill_policy = NEVER")
        + _object("late", "KV_BLOCK", "spill_policy = SEVERE_PRESSURE_ONLY")
        + _object("free", "KV_BLOCK", "spill_policy = ALLOW")
        + _object(
            "cheap", "ACTIVATION_TEMP", "spill_policy = DROP_RECOMPUTE recompute_flops = 1000000000"
        )
        + "".join(_object(f"w{i}", "WEIGHT_TILE", "deadline_class = HARD") for i in range(4))
        + """phase go {
          step make { writes = [fragile, late, free, cheap] }
          step a { reads = [w0, w1] }
          step b { reads = [w0, w1, w2] }
          step c { reads = [w0, w1, w2, w3] }
          step d { reads = [fragile, late, free, cheap] }
        }"""
    )
    scene = Scene(text, "go", card(5 * GB))
    assert scene.first_left("fragile", "late", "free", "cheap") == ["cheap", "free", "late"]
    assert scene.steps("cheap", Kind.FORGET) == [1]
    assert scene.steps("free", Kind.WRITE_BACK) == [2]
    assert scene.steps("late", Kind.WRITE_BACK) == [3]


@pytest.mark.mechanism("S0-39")
def test_the_same_intent_decides_otherwise_under_another_pressure_and_says_why() -> None:
    weights = "".join(_object(f"w{i}", "WEIGHT_TILE") for i in range(4))
    steps = "".join(f"step s{i} {{ reads = [w{i}] flops = 2_000_000_000_000 }}\n" for i in range(4))
    times = "".join(f"override w{i} {{ first_use_us = {2_000_000 * i} }}\n" for i in range(4))
    text = (
        f"{weights}phase go {{\n{steps}}}\n"
        f'plan p {{ machine = "toy" phase go {{ period_us = 8_000_000\n{times}}} }}'
    )
    roomy, tight = (Scene(text, "REPEAT(2, go)", card(size * GB)) for size in (5, 2))
    assert roomy.outcome.prefetches.issued == 3  # all but the first, ahead of their use
    for name in ("w1", "w2", "w3"):
        assert roomy.steps(name, *LEAVING) == []
    # In 2 GB the same plan waits until what is wanted is near enough to displace something.
    refused = tight.outcome.events
    assert refused is not None
    why = set(refused["reason"][refused["kind"] == Kind.REFUSE].tolist())
    assert why & {Reason.TOO_EARLY, Reason.ENOUGH_AHEAD, Reason.NO_ROOM}
    assert tight.steps("w0", *LEAVING)


# The essay's figure: what each class goes through over two tokens and an update.
STORY = (
    _object("w", "WEIGHT_TILE")
    + _object("prefix", "KV_BLOCK", "preferred_tiers = [HBM] anti_evict_rule = WHILE_FANOUT_GT_1")
    + _object("temporary", "ACTIVATION_TEMP", "persistence_scope = STEP")
    + _object("expert", "EXPERT_WEIGHT", "backing = [DRAM] deadline_class = HARD")
    + "".join(_object(f"x{i}", "WEIGHT_TILE") for i in range(3))
    + """phase shared { batch = 4
      step begin { writes = [prefix] flops = 3_000_000_000_000 }
      step layer { reads = [w, prefix] writes = [temporary] flops = 3_000_000_000_000 }
      step route { reads = [w, expert] flops = 3_000_000_000_000 }
    }
    phase alone { batch = 1
      step own { reads = [w, x0] flops = 3_000_000_000_000 }
      step more { reads = [w, x0, x1, x2] flops = 3_000_000_000_000 }
    }
    plan p { machine = "toy"
      phase shared { period_us = 9_000_000
        override w { first_use_us = 3_000_000 last_use_us = 6_000_000 residency = [HBM] }
        override expert { first_use_us = 6_000_000 route_probability = 0.9 }
      }
      phase alone { period_us = 6_000_000 override w { first_use_us = 0 residency = [HBM] } }
    }"""
)


@pytest.mark.mechanism("S0-43", "S0-20")
def test_each_class_behaves_over_time_as_it_was_declared() -> None:
    scene = Scene(STORY, "REPEAT(2, shared), alone", card(5 * GB))
    assert scene.steps("w", *LEAVING) == []  # a weight stays for the whole run
    ended = scene.steps("temporary", Kind.RETIRE, reason=Reason.ENDED)
    assert ended == [1, 4]  # a temporary ends with its step
    assert scene.steps("temporary", Kind.WRITE_BACK) == []
    issued = scene.steps("expert", Kind.ISSUE)
    assert issued == [0]  # the expert comes two steps ahead of its use in step 2
    assert scene.steps("expert", Kind.READ) == [2, 5]
    # The prefix is held while four sequences share it, and yields once one is left.
    rows = [(row.step, row.what) for row in scene.outcome.happenings if row.object == "prefix"]
    assert rows == [(0, "protect"), (6, "release")]
    assert all(step >= 6 for step in scene.steps("prefix", *LEAVING))
    assert scene.first_left("expert", "prefix")[0] == "expert"  # the expert goes later, and first


@pytest.mark.mechanism("S0-44")
def test_the_worked_example_holds_its_prefix_meets_its_deadlines_and_lets_temporaries_go() -> None:
    scene = Scene(STORY, "REPEAT(4, shared)", card(4 * GB))
    assert scene.steps("prefix", *LEAVING) == []  # shared by four: nothing takes its room
    assert scene.outcome.events is not None
    late = scene.outcome.stall_demand_ps + scene.outcome.stall_late_ps
    assert (
        late[3:].sum() == 0
    )  # weights and experts are near by their deadline, from the first lap on
    assert set(scene.first_left("w", "prefix", "temporary", "expert")) <= {"temporary"}
    assert scene.steps("expert", Kind.ISSUE) == [0]  # staged ahead of its step


@pytest.mark.mechanism("S0-50")
def test_no_decision_is_made_by_the_name_of_a_tier() -> None:
    # Tiers are numbers of memories to the controller: their names are read at load, and are data.
    rooms = [Path(mirc.__file__).parent / room for room in ("controller", "kernels")]
    found = []
    for file in (file for room in rooms for file in room.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            named = isinstance(node, ast.Constant) and node.value in set(TierKind)
            member = (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "TierKind"
            )
            if isinstance(node, ast.expr) and (named or member):
                found.append(f"{file.name}:{node.lineno}")
    assert found == []


@pytest.mark.mechanism("S0-50")
def test_memories_of_other_names_change_no_decision() -> None:
    plain = Scene(STORY, "REPEAT(2, shared), alone", card(5 * GB)).outcome.events
    assert plain is not None
    again = card(5 * GB)
    renamed = attrs.evolve(
        again,
        memories=tuple(attrs.evolve(memory, name=f"m_{memory.name}") for memory in again.memories),
        links=tuple(
            attrs.evolve(link, source=f"m_{link.source}", target=f"m_{link.target}")
            for link in again.links
        ),
        compute=attrs.evolve(again.compute, memory="m_hbm"),
    )
    other = Scene(STORY, "REPEAT(2, shared), alone", renamed).outcome.events
    assert other is not None
    assert plain.tobytes() == other.tobytes()
