"""A sweep of traces of accesses and of requests: what their own commands find, point by point."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.sweep.figures import figures_of
from mirc.sweep.points import Point, digest, points
from mirc.sweep.spec import parse

ROOT = Path(__file__).parents[2]
TRACE = ROOT / "samples" / "traces" / "agents.jsonl"


def _points(text: str) -> tuple[Point, ...]:
    digest.cache_clear()
    return points(parse(str(ROOT / "samples" / "s.toml"), text))


@pytest.mark.parametrize("policy", ["lru", "sieve", "belady"])
def test_hits_are_those_of_replay(policy: str) -> None:
    (point,) = _points(
        f'[[run]]\ntrace = "traces/agents.jsonl"\npolicies = ["{policy}"]\ncapacities = [500]'
    )
    asked = ["replay", str(TRACE), "--policy", policy, "--capacity", "500"]
    shown = CliRunner().invoke(cli, [*asked, "--output-format", "json"])
    assert f'"hits": {figures_of(point)["hits"]}' in shown.output


def test_on_a_machine_accesses_take_time_and_room_is_in_bytes() -> None:
    in_objects, in_gb = _points(
        'machines = ["card-24g"]\npolicies = ["lru"]\n'
        '[[run]]\ntrace = "traces/agents.jsonl"\nobject_bytes = 1_000_000\ncapacities = [500]\n'
        '[[run]]\ntrace = "traces/agents.jsonl"\nobject_bytes = 1_000_000\ncapacities_gb = [0.5]'
    )
    found = figures_of(in_objects)
    assert found == figures_of(in_gb)
    assert found["span_ps"] > 0
    assert found["dram-to-hbm_bytes"] > 0


def test_requests_are_served_as_simulate_serves_them() -> None:
    (point,) = _points(
        '[[run]]\nfile = "serving-small.mir"\ntrace = "traces/agents.jsonl"\n'
        'policies = ["lru"]\nmachines = ["card-24g"]\ncapacities_gb = [2]\nat_once = 8'
    )
    asked = ["simulate", str(ROOT / "samples" / "serving-small.mir"), "-M", "card-24g"]
    asked += ["--trace", str(TRACE), "--kv-gb", "2", "--at-once", "8", "--policy", "lru"]
    shown = CliRunner().invoke(cli, [*asked, "--output-format", "json"])
    (row,) = json.loads(shown.output)["machines"][0]["policies"]
    found = figures_of(point)
    text = json.dumps(row)
    assert f": {found['usable_tokens']}" in text
    assert f": {found['prompt_tokens']}" in text
