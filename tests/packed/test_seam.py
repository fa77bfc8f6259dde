"""What the controller knows is what the packed file says: it is read at load, and never again."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirc.controller.ingest import ingest
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir.resolve import Resolver
from mirc.packed.codec import dumps
from mirc.packed.model import Packed
from mirc.packed.pack import pack, seal
from mirc.packed.unpack import read
from mirc.simulate.engine import simulate
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import build
from tests.simulate.toy import card

CONTROLLER = Path(__file__).parents[2] / "mirc" / "controller"
MB = 1_000_000

WEIGHTS = "\n".join(
    f"object w{i} {{ class = WEIGHT_TILE size_bytes = {100 * MB} }}" for i in range(4)
)
STEPS = " ".join(f"step s{i} {{ reads = [w{i}] flops = 1_000_000_000 }}" for i in range(4))
TIMES = "\n".join(
    f"override w{i} {{ first_use_us = {1000 * i} last_use_us = {1000 * i} }}" for i in range(4)
)
TEXT = f"""mir 1.0
{WEIGHTS}
phase d {{ {STEPS} override w0 {{ pin_level = SOFT }} }}
plan m {{ machine = "toy" phase d {{ period_us = 4000 {TIMES} }} }}
"""


ASKED = ("get", "value", "said", "class_of", "history")


def _imports() -> Iterator[tuple[str, str]]:
    for path in sorted(CONTROLLER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                yield from ((path.name, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((path.name, alias.name) for alias in node.names)


def test_no_room_of_the_controller_reads_text_or_modules() -> None:
    text = ("mirc.grammar", "mirc.packed.unpack", "mirc.simulate")
    modules = ("mirc.ir.module", "mirc.ir.Module", "mirc.ir.View", "mirc.ir.resolve.View")
    wrong = [found for found in _imports() if found[1].startswith(text + modules)]
    assert wrong == []


def test_the_controller_knows_the_same_from_the_bytes_of_a_file() -> None:
    module = load(Source("toy.mir", TEXT))
    names = ("w0", "w1", "w2", "w3")
    one = ingest(seal(module), card(), "m", names)
    other = ingest(read(dumps(pack(module)), "toy.mirb"), card(), "m", names)
    assert repr(one) == repr(other)
    assert one.phases[0].first_ps.tolist() == [0, 10**9, 2 * 10**9, 3 * 10**9]


@pytest.mark.mechanism("S0-05")
def test_after_load_nothing_is_asked_of_the_file_again(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(Source("toy.mir", TEXT))
    machine = card(250 * MB)
    scenario = build(module, schedule_of(module, None, "REPEAT(3, d)"), machine, plan="m")
    known = ingest(seal(module), machine, "m", scenario.workload.names)
    asked: list[str] = []

    def counted(method: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            asked.append(method.__name__)
            return method(*args, **options)

        return call

    for kind, names in ((Packed, ("written", "overrides", "number", "planned")), (Resolver, ASKED)):
        for name in names:
            monkeypatch.setattr(kind, name, counted(getattr(kind, name)))
    outcome = simulate(scenario.workload, known, machine, "intent", path="python")
    assert outcome.end_ps > 0
    assert asked == []
    ingest(seal(module), machine, "m", ("w0",))  # the counter counts
    assert asked
