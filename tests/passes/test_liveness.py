from hypothesis import given
from hypothesis import strategies as st

from mirc.graph import Program, Role
from mirc.passes.liveness import Life, Live, PhaseLife
from mirc.passes.pipeline import run
from tests.passes.programs import Builder


def life_of(program: Program) -> PhaseLife:
    return run(program, only=("liveness",))[Live].phases["p"]


def test_an_activation_lives_from_its_writer_to_its_last_reader_and_an_output_to_the_end() -> None:
    build = Builder()
    weight = build.store("w", 100)
    x = build.store("p.x", 10, Role.ACTIVATION)
    y = build.store("p.y", 20, Role.OUTPUT)
    given_in = build.store("p.in", 1, Role.INPUT)
    build.node("a", [weight, given_in], [x])
    build.node("b", [x], [y])
    build.node("c", [x])
    build.node("d", [weight])
    build.phase("p", outputs=[y])
    life = life_of(build.program())
    assert life.lives == {
        weight: Life(0, 3),
        given_in: Life(0, 0),
        x: Life(0, 2),
        y: Life(1, 3),
    }
    assert (life.peak.size_bytes, life.peak.step) == (30, 1)  # x and y
    assert life.held_bytes == 100


def test_what_is_born_and_dies_in_one_step_is_its_transient_peak_and_traffic() -> None:
    build = Builder()
    a, b, c = (
        build.store(f"p.{n}", size, Role.ACTIVATION)
        for n, size in zip("abc", (4, 8, 16), strict=True)
    )
    build.node("m", [], [a])
    build.node("m", [a], [b], step=False)
    build.node("m", [b], [c], step=False)
    build.node("n")
    build.phase("p")
    life = life_of(build.program())
    assert life.transients == {a, b, c}
    assert life.transient_bytes == (8 + 16, 0)  # b and c at the third node; a is dead by then
    assert life.traffic_bytes == (4 + 4 + 8 + 8 + 16, 0)  # each written, a and b read


def test_a_second_read_in_the_same_step_is_traffic() -> None:
    build = Builder()
    weight = build.store("w", 64)
    build.node("m", [weight])
    build.node("m", [weight], step=False)
    build.phase("p")
    assert life_of(build.program()).traffic_bytes == (64,)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 9)), max_size=8))
def test_the_peak_equals_a_count_over_every_step(spans: list[tuple[int, int, int]]) -> None:
    build = Builder()
    made = [
        (min(a, b), max(a, b), size, build.store(f"p.{i}", size, Role.ACTIVATION))
        for i, (a, b, size) in enumerate(spans)
    ]
    for step in range(6):
        build.node(
            f"s{step}",
            [index for first, last, _, index in made if first < step == last],
            [index for first, _, _, index in made if first == step],
        )
    build.phase("p")
    alive = [sum(size for first, last, size, _ in made if first <= s <= last) for s in range(6)]
    assert life_of(build.program()).peak.size_bytes == max(alive)
