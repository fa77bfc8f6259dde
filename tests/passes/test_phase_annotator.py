import pytest

from mirc.diagnostics import CouldNotRun
from mirc.graph import Program, Role
from mirc.ir import Call, Name, Value
from mirc.ir.enums import PhaseKind
from mirc.passes.phase_annotator import (
    PhaseFact,
    Phases,
    Window,
    WindowKind,
    scheduled_runs,
)
from mirc.passes.pipeline import run
from tests.passes.programs import Builder, routed


def phases_of(program: Program, schedule: tuple[Value, ...] | None = None) -> tuple[PhaseFact, ...]:
    return run(program, schedule=schedule, only=("phase-annotator",))[Phases].phases


def with_cache(*, tokens: int, past: int, reads: bool) -> Program:
    build = Builder()
    cache = build.store("kv.layers.0", 64, Role.CACHE, per_token=4)
    build.node("attention", [cache] if reads else [], [cache])
    build.phase("p", tokens=tokens, past=past)
    return build.program()


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        (with_cache(tokens=16, past=0, reads=False), PhaseKind.PREFILL),
        # attention reads what was just written
        (with_cache(tokens=16, past=0, reads=True), PhaseKind.PREFILL),
        (with_cache(tokens=1, past=15, reads=True), PhaseKind.DECODE),
        # a chunk of a long prompt
        (with_cache(tokens=8, past=8, reads=True), PhaseKind.PREFILL),
    ],
)
def test_a_phase_is_known_by_what_it_does_to_its_cache(program: Program, kind: PhaseKind) -> None:
    (phase,) = phases_of(program)
    assert phase.kind is kind


def test_without_a_cache_it_is_a_forward_pass_and_with_gradients_a_backward_one() -> None:
    build = Builder()
    weight = build.store("w", 4)
    build.node("a", [weight])
    build.phase("encode")
    gradient = build.store("w.grad", 4, Role.GRADIENT)
    build.node("a", [weight], [gradient])
    build.phase("train")
    state = build.store("adam", 8, Role.OPTIMIZER)
    build.node("update", [gradient, state], [state])
    build.phase("update")
    kinds = [phase.kind for phase in phases_of(build.program())]
    assert kinds == [PhaseKind.FORWARD, PhaseKind.BACKWARD, PhaseKind.OPTIMIZER_UPDATE]


def test_an_expert_dispatch_window_runs_from_the_choice_to_the_last_routed_read() -> None:
    build = Builder()
    for layer in range(2):
        experts = [build.store(f"l.{layer}.experts.{m}", 8) for m in ("up", "down")]
        build.node(f"l.{layer}.norm")
        build.node(f"l.{layer}.router", op="aten.topk.default")
        build.node(f"l.{layer}.shared")
        for matrix in experts:
            build.node(f"l.{layer}.experts", [routed(matrix, 4, 1)])
    build.phase("p")
    (phase,) = phases_of(build.program())
    # five steps a layer; the router is the second of them, the last expert read the fifth
    assert phase.windows == (
        Window(WindowKind.EXPERT_DISPATCH, 1, 4),
        Window(WindowKind.EXPERT_DISPATCH, 6, 9),
    )


def test_a_collective_window_ends_where_its_result_is_first_read() -> None:
    build = Builder()
    reduced = build.store("p.reduced", 8, Role.ACTIVATION)
    build.node("start", [], [reduced], collective=True, op="_c10d_functional.all_reduce.default")
    build.node("meanwhile")
    build.node("wait", [reduced])
    build.phase("p")
    (phase,) = phases_of(build.program())
    assert phase.windows == (Window(WindowKind.COLLECTIVE, 0, 2, (reduced,)),)


def test_a_collective_window_ends_with_its_wait_and_a_gather_reduces_nothing() -> None:
    build = Builder()
    first = build.store("p.first", 8, Role.ACTIVATION)
    second = build.store("p.second", 8, Role.ACTIVATION)
    gather = "_c10d_functional.all_gather_into_tensor.default"
    scatter = "_c10d_functional.reduce_scatter_tensor.default"
    build.node("gather", [], [first], collective=True, op=gather)
    build.node("scatter", [], [second], collective=True, op=scatter)
    build.node("a", [second])
    for result in (first, second):
        wait = "_c10d_functional.wait_tensor.default"
        build.node(f"wait {result}", [result], collective=True, op=wait)
    build.phase("p")
    (phase,) = phases_of(build.program())
    assert phase.windows == (
        Window(WindowKind.COLLECTIVE, 0, 3),
        Window(WindowKind.COLLECTIVE, 1, 4, (second,)),
    )


def test_plain_descent_updates_parameters_by_their_gradients() -> None:
    build = Builder()
    weight = build.store("w", 4, mutated=True)
    gradient = build.store("w.grad", 4, Role.GRADIENT)
    build.node("a", [weight], [gradient])
    build.phase("b")
    build.node("a", [weight, gradient], [weight])
    build.phase("u")
    kinds = [phase.kind for phase in phases_of(build.program())]
    assert kinds == [PhaseKind.BACKWARD, PhaseKind.OPTIMIZER_UPDATE]


def test_without_training_a_checkpoint_runs_once() -> None:
    build = Builder()
    weight = build.store("w", 4)
    build.node("a", [weight])
    build.phase("f")
    fragment = build.store("checkpoint.w", 4, Role.CHECKPOINT)
    build.node("a", [weight], [fragment])
    build.phase("c")
    found = phases_of(build.program())
    assert [phase.kind for phase in found] == [PhaseKind.FORWARD, PhaseKind.CHECKPOINT]
    assert [phase.runs for phase in found] == [1, 1]


def test_what_only_other_phases_use_is_idle() -> None:
    build = Builder()
    encoder, decoder = build.store("encoder.w", 4), build.store("decoder.w", 4)
    build.node("encoder", [encoder])
    build.phase("encode")
    build.node("decoder", [decoder])
    build.phase("decode")
    assert [phase.idle for phase in phases_of(build.program())] == [(decoder,), (encoder,)]


def test_repeats_multiply_and_every_divides() -> None:
    schedule = (
        Name("prefill"),
        Call("REPEAT", (4, Name("decode"), Call("EVERY", (2, Name("save"))))),
    )
    assert scheduled_runs(schedule) == {"prefill": 1, "decode": 4, "save": 2}


def test_a_schedule_of_a_phase_that_was_not_captured_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(CouldNotRun) as refused:
        phases_of(with_cache(tokens=1, past=3, reads=True), (Name("q"),))
    assert refused.value.hint == "choose from p"
