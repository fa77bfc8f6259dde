"""Experts that a routing trace chose are those that steps use, token for token."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from mirc.cli.main import cli
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.simulate.model import Workload
from mirc.simulate.schedule import schedule_of
from mirc.simulate.workload import Scenario, build
from mirc.traces.routing import RoutingTrace, read
from tests.simulate.toy import card

Change: TypeAlias = Callable[[NDArray[np.int16]], NDArray[np.int16]]
EXPERTS, TOP_K, LAYERS = 6, 2, 2
MATRICES = ("up", "down")


def text_of(tokens: int = 1) -> str:
    """Return a file of two layers of routed experts, each of two matrices."""
    names = [f"layers.{i}.experts.{m}" for i in range(LAYERS) for m in MATRICES]
    objects = "".join(
        f"object {name}[{e}] {{ class = EXPERT_WEIGHT size_bytes = 10 }}\n"
        for name in names
        for e in range(EXPERTS)
    )
    routed = [f"ROUTED({name}, {TOP_K})" for name in names]
    steps = "".join(
        f"  step l{i} {{ reads = [{routed[2 * i]}, {routed[2 * i + 1]}] }}\n" for i in range(LAYERS)
    )
    return f"{objects}phase decode {{ tokens = {tokens}\n{steps}}}\n"


def trace_of(
    chosen: NDArray[np.int16], starts: tuple[int, ...] = (0,), form: str = "vllm"
) -> RoutingTrace:
    return RoutingTrace(name="t", format=form, chosen=chosen.astype(np.int16), starts=starts)


def drawn(tokens: int, seed: int = 0) -> NDArray[np.int16]:
    rng = np.random.default_rng(seed)
    return rng.random((tokens, LAYERS, EXPERTS)).argsort(axis=2)[:, :, :TOP_K].astype(np.int16)


def played(
    trace: RoutingTrace, *, steps: int, batch: int = 1, tokens: int = 1, seed: int = 0
) -> Scenario:
    module = load(Source("toy.mir", f"mir 1.0\n{text_of(tokens)}"))
    schedule = schedule_of(module, steps)
    return build(module, schedule, card(), batch=batch, seed=seed, routing=trace)


def used(workload: Workload) -> list[set[int]]:
    """Return the experts of each step; both matrices of each are read, and nothing else."""
    found = []
    for begin, end in zip(workload.access_ptr[:-1], workload.access_ptr[1:], strict=True):
        names = [workload.names[o] for o in workload.access_object[begin:end]]
        experts = [
            {int(n[:-1].rpartition("[")[2]) for n in names if f".{m}[" in n} for m in MATRICES
        ]
        assert experts[0] == experts[1]
        found.append(experts[0])
    return found


def expected(chosen: NDArray[np.int16], runs: list[list[int]]) -> list[set[int]]:
    """Return what the tokens of each run chose, layer by layer."""
    return [set(chosen[run, layer].ravel().tolist()) for run in runs for layer in range(LAYERS)]


def test_each_sequence_follows_a_request_and_then_the_next_that_none_has() -> None:
    chosen = drawn(9)
    trace = trace_of(chosen, starts=(0, 2, 5))  # requests of 2, 3 and 4 tokens
    scenario = played(trace, steps=5, batch=2)
    runs = [[0, 2], [1, 3], [5, 4], [6, 0], [7, 1]]  # then the first comes again
    assert used(scenario.workload) == expected(chosen, runs)
    assert any("each sequence follows one request of it after" in s for s in scenario.assumptions)
    assert not any("drawn" in sentence for sentence in scenario.assumptions)


def test_the_seed_leaves_out_the_first_requests() -> None:
    chosen = drawn(9)
    workload = played(trace_of(chosen, starts=(0, 2, 5)), steps=2, seed=2).workload
    assert used(workload) == expected(chosen, [[5], [6]])


def test_a_run_of_several_tokens_uses_what_any_of_them_chose() -> None:
    chosen = drawn(8)
    workload = played(trace_of(chosen, starts=(0, 5)), steps=2, batch=2, tokens=3).workload
    assert used(workload) == expected(chosen, [[0, 1, 2, 5, 6, 7], [3, 4, 0, 5, 6, 7]])


def test_tokens_that_tell_no_requests_apart_are_followed_from_places_evenly_apart() -> None:
    chosen = drawn(10)
    workload = played(trace_of(chosen, form="huggingface"), steps=3, batch=2).workload
    assert used(workload) == expected(chosen, [[0, 5], [1, 6], [2, 7]])


def test_steps_of_an_engine_are_followed_in_their_order() -> None:
    chosen = drawn(7)
    trace = trace_of(chosen, starts=(0, 4), form="megatron")
    scenario = played(trace, steps=3, batch=3)
    assert used(scenario.workload) == expected(chosen, [[0, 1, 2], [3, 4, 5], [6, 0, 1]])
    assert any("chose again and again: each run takes" in s for s in scenario.assumptions)


def test_tokens_that_not_every_layer_routed_are_passed_over() -> None:
    chosen = drawn(4)
    chosen[1, 0] = -1
    workload = played(trace_of(chosen), steps=3).workload
    assert used(workload) == expected(chosen, [[0], [2], [3]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c[:, :1], "has 1 layers of which 1 route; the model has 2 routers"),
        (lambda c: c[:, :, :1], "it has 1 choices a token, the model has 2 in"),
        (lambda c: c + 9, "the model has 6 experts in"),
    ],
)
def test_a_trace_of_another_model_is_refused(change: Change, says: str) -> None:
    with pytest.raises(CouldNotRun, match=says):
        played(trace_of(change(drawn(4))), steps=1)


def test_a_trace_without_one_whole_token_is_refused() -> None:
    chosen = drawn(2)
    chosen[0, 0] = chosen[1, 1] = -1
    with pytest.raises(CouldNotRun, match="no token of `t` was routed in every layer"):
        played(trace_of(chosen), steps=1)


def test_the_command_follows_a_trace_and_its_content_is_part_of_the_configuration(
    tmp_path: Path,
) -> None:
    file, one, two, other = (tmp_path / n for n in ("a.mir", "1.npz", "2.npz", "3.npz"))
    file.write_text(f"mir 1.0\n{text_of()}")
    for path, seed in ((one, 0), (two, 0), (other, 1)):
        np.savez(path, drawn(8, seed))
    usual = ("simulate", str(file), "-M", "card-24g", "--steps", "4", "--policy", "lru")

    def simulated(*more: str) -> dict[str, object]:
        result = CliRunner().invoke(cli, [*usual, "--output-format", "json", *more])
        assert result.exit_code == 0, result.output
        return dict(json.loads(result.stdout))

    hashes = [simulated("--routing", str(p))["configuration"] for p in (one, two, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert simulated()["configuration"] not in hashes
    assert read(str(one)).digest == read(str(two)).digest
    result = CliRunner().invoke(cli, [*usual, "--routing", str(one)])
    assert "experts are those that" in result.stdout
    for path, says in ((file, "`"), (tmp_path / "none", "cannot read the routing trace")):
        result = CliRunner().invoke(cli, [*usual, "--routing", str(path)])
        assert result.exit_code == 2
        assert says in result.stderr


def test_a_file_that_routes_nothing_has_no_use_for_a_trace(tmp_path: Path) -> None:
    file, trace = tmp_path / "a.mir", tmp_path / "t.npz"
    file.write_text(
        "mir 1.0\nobject w { class = WEIGHT_TILE size_bytes = 10 }\n"
        "phase decode { step a { reads = [w] } }\n"
    )
    np.savez(trace, drawn(4))
    usual = ("simulate", str(file), "-M", "card-24g", "--steps", "4", "--policy", "lru")
    result = CliRunner().invoke(cli, [*usual, "--routing", str(trace)])
    assert result.exit_code == 2
    assert "the model routes nothing" in result.stderr
