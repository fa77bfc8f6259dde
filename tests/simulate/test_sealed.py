"""No policy but an oracle sees the future, from the text of a file to its decisions."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.kernels.events import Kind
from mirc.packed.pack import seal
from mirc.simulate.engine import simulate
from mirc.simulate.policies import POLICIES
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import card

MB = 1_000_000
SEALED = [name for name, policy in POLICIES.items() if not policy.oracle]


def _module() -> Module:
    """Two phases that stream 12 and 9 weights and grow a cache, one that makes 700 MB at once."""
    text = ["mir 1.0"]
    for name, count in (("v", 9), ("w", 12)):
        text += [
            f"object {name}{i} {{ class = WEIGHT_TILE size_bytes = {MB * (100 if i % 3 else 10)} }}"
            for i in range(count)
        ]
    text.append(f"object big {{ class = ACTIVATION size_bytes = {700 * MB} }}")
    text.append("template kv { class = KV_BLOCK instance = [SEQUENCE, BLOCK] block_tokens = 1")
    text.append(f"size_bytes = PER_TOKEN({MB}) }}")
    text.append("phase p {")
    text += [f"step p{i} {{ reads = [v{i}] }}" for i in range(9)]
    text.append(
        "}\nphase d {\nstep s0 { reads = [w0] writes = [kv] }\nstep s1 { reads = [w1, kv] }"
    )
    text += [f"step s{i} {{ reads = [w{i}] transient_bytes = {MB} }}" for i in range(2, 12)]
    text.append('}\nphase late { step x { writes = [big] } }\nplan m {\nmachine = "toy.toml"')
    for phase, name, count in (("p", "v", 9), ("d", "w", 12)):
        text.append(f"phase {phase} {{ period_us = {1000 * count}")
        text += [
            f"override {name}{i} {{ first_use_us = {1000 * i} last_use_us = {1000 * i} }}"
            for i in range(count)
        ]
        text.append(
            "override kv { first_use_us = 0 last_use_us = 1000 }\n}" if name == "w" else "}"
        )
    return load(Source("sealed.mir", "\n".join((*text, "}"))))


MODULE = _module()
PACKED = seal(MODULE)
STEPS = {"p": 9, "d": 12, "late": 1}


def _decisions(policy: str, runs: list[str], steps: int) -> list[tuple[Any, ...]]:
    """Return all that happens before a step, with objects by name: ids depend on the run."""
    machine = card(900 * MB)
    scenario = build(MODULE, schedule_of(MODULE, None, ", ".join(runs)), machine, plan="m")
    names = scenario.workload.names
    known = ingest(PACKED, machine, "m", names)
    events = simulate(scenario.workload, known, machine, policy, record_events=True).events
    assert events is not None
    phases = scenario.workload.phase_names
    return [
        (
            int(row["time_ps"]),
            Kind(row["kind"]),
            _subject(int(row["object"]), phases if row["kind"] == Kind.STEP else names),
            int(row["bytes"]),
            int(row["reason"]),
        )
        for row in events[(events["step"] < steps) & (events["kind"] != Kind.HOME)]
    ]


def _subject(number: int, names: tuple[str, ...]) -> str:
    return names[number] if number >= 0 else ""


@pytest.mark.parametrize("policy", SEALED)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_what_comes_later_changes_no_decision_before_it(policy: str, data: st.DataObject) -> None:
    phases = st.sampled_from(["p", "d"])
    past = data.draw(st.lists(phases, min_size=1, max_size=4))
    futures = st.lists(st.sampled_from(["p", "d", "late"]), min_size=0, max_size=30)
    one, other = data.draw(futures), data.draw(futures)
    steps = sum(STEPS[phase] for phase in past)
    assert _decisions(policy, past + one, steps) == _decisions(policy, past + other, steps)


def test_an_oracle_is_told_what_comes_later() -> None:
    # the check above must be able to fail: Belady keeps what the next run of the phase reads
    found = [_decisions("belady", ["d", "p", *later], 21) for later in (["d"], ["p", "d"])]
    assert found[0] != found[1]
