"""A graph from the steps of a file: what a capture would have said, as far as the file says it."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun, Source
from mirc.emit import emit
from mirc.grammar import load
from mirc.graph import Access, Program, Role, Scale, Split
from mirc.graph.rebuild import rebuild
from mirc.graph.verify import verify
from mirc.ir import Module
from mirc.ir.enums import Recompute
from mirc.passes.liveness import Live
from mirc.passes.phase_annotator import Phases
from mirc.passes.pipeline import run
from mirc.passes.recompute_classifier import Recomputation
from mirc.passes.reuse import Reuse
from tests.passes.programs import Builder, decoder, machine
from tests.test_emit import toy


def module(text: str) -> Module:
    return load(Source("drawn.mir", f"mir 1.0\n{text}"))


@pytest.mark.parametrize("program", [toy(), decoder(layers=3)], ids=["experts", "decoder"])
def test_what_compile_wrote_gives_the_graph_s_facts_back(program: Program) -> None:
    machines = (machine(1 << 40),)
    before = run(program, machines=machines)
    written = emit(program, before)
    rebuilt = rebuild(written)
    assert verify(rebuilt) == ()
    after = run(rebuilt, machines=machines, schedule=before[Phases].schedule)
    assert [p.kind for p in after[Phases].phases] == [p.kind for p in before[Phases].phases]
    if program.name == "decoder":  # the toy writes more of its cache than its tokens hold
        assert after[Reuse].clocks == before[Reuse].clocks
    for name, life in before[Live].phases.items():
        again = after[Live].phases[name]
        assert again.peak == life.peak
        assert (again.transient_bytes, again.traffic_bytes) == (
            life.transient_bytes,
            life.traffic_bytes,
        )
        lives = {program.storages[i].name: span for i, span in life.lives.items()}
        assert {rebuilt.storages[i].name: span for i, span in again.lives.items()} == lives


def test_roles_follow_from_classes_and_from_who_uses_what() -> None:
    program = rebuild(
        module("""
object w { class = WEIGHT_TILE  size_bytes = 64 }
object given { class = ACTIVATION  size_bytes = PER_TOKEN(2) }
object inner { class = ACTIVATION_TEMP  size_bytes = 8 }
object result { class = ACTIVATION  size_bytes = PER_SEQUENCE(3) }
object kept { class = ACTIVATION  size_bytes = 5 }
object moments { class = OPTIMIZER_STATE  size_bytes = 128 }
object unused { class = WEIGHT_TILE }
phase forward {
  batch = 2  tokens = 8
  step a { reads = [given, w]  writes = [inner, kept] }
  step b { reads = [inner]  writes = [result] }
}
phase update { step c { reads = [kept, moments]  writes = [w, moments] } }
""")
    )
    assert {s.name: (s.role, s.size_bytes, s.scale) for s in program.storages} == {
        "w": (Role.PARAMETER, 64, Scale.FIXED),
        "given": (Role.INPUT, 2 * 2 * 8, Scale.PER_TOKEN),
        "inner": (Role.ACTIVATION, 8, Scale.FIXED),
        "result": (Role.OUTPUT, 3 * 2, Scale.PER_SEQUENCE),
        "kept": (Role.SAVED, 5, Scale.FIXED),
        "moments": (Role.OPTIMIZER, 128, Scale.FIXED),
    }
    assert [s.name for s in program.storages if s.mutated] == ["w", "moments"]
    forward, _ = program.graphs
    assert [program.storages[i].name for i in forward.outputs] == ["result"]
    assert (forward.batch, forward.tokens) == (2, 8)


def test_a_family_that_a_step_names_is_one_storage_and_one_that_none_names_is_many() -> None:
    text = """
object e[0] { class = EXPERT_WEIGHT  size_bytes = 4 }
object e[1] { class = EXPERT_WEIGHT  size_bytes = 4 }
object t[0:8] { class = WEIGHT_TILE  size_bytes = 6 }
object t[8:12] { class = WEIGHT_TILE  size_bytes = 3 }
"""
    whole = rebuild(module(text + "phase p { step s { reads = [ROUTED(e, 1), t] } }"))
    experts, tiles = whole.storages
    assert (experts.split, [p.suffix for p in experts.parts]) == (Split.EXPERTS, ["[0]", "[1]"])
    assert (tiles.split, tiles.size_bytes) == (Split.ROWS, 9)
    assert [(u.access, u.top_k) for u in whole.graphs[0].nodes[0].reads] == [
        (Access.ROUTED, 1),
        (Access.WHOLE, 0),
    ]
    apart = rebuild(module(text + "phase p { step s { reads = [t[0:8], e[1]] } }"))
    assert [(s.name, s.split) for s in apart.storages] == [
        ("e[1]", Split.NONE),
        ("t[0:8]", Split.NONE),
    ]
    both = rebuild(module(text + "phase p { step s { reads = [t] } step u { reads = [t[8:12]] } }"))
    part = both.graphs[0].nodes[1].reads[0]  # a tile of a storage that other steps read whole
    assert (part.access, part.size_bytes) == (Access.TOUCH, 3)


def test_a_cache_is_read_whole_and_written_by_the_new_tokens() -> None:
    program = rebuild(
        module("""
template kv {
  class = KV_BLOCK  size_bytes = PER_TOKEN(10)  instance = [SEQUENCE, BLOCK]
  block_tokens = 16  retire = WINDOW(32)
}
template fixed { class = KV_BLOCK  size_bytes = 320  block_tokens = 16 }
template state { class = RECURRENT_STATE  size_bytes = 7  instance = [SEQUENCE] }
phase decode_step {
  batch = 3  context = 40
  step s { reads = [kv, fixed, state]  writes = [kv, state] }
}
""")
    )
    kv, fixed, state = program.storages
    assert (kv.per_token_bytes, kv.window_tokens, kv.mutated) == (10, 32, True)
    assert fixed.per_token_bytes == 20  # 320 bytes a block of 16 tokens
    assert (state.role, state.size_bytes) == (Role.STATE, 3 * 7)
    (node,) = program.graphs[0].nodes
    # 3 sequences x the last 32 of 41 tokens x 10 bytes; all 41 x 20 bytes where no window ends
    assert [u.size_bytes for u in node.reads] == [3 * 32 * 10, 3 * 41 * 20, 21]
    assert [u.size_bytes for u in node.writes] == [3 * 1 * 10, 21]


def test_what_the_file_calls_impossible_to_make_again_stays_so_and_nothing_else() -> None:
    program = rebuild(
        module("""
object w { class = WEIGHT_TILE  size_bytes = 64 }
object mask { class = ACTIVATION  size_bytes = 4  recompute_class = IMPOSSIBLE }
object plain { class = ACTIVATION  size_bytes = 4 }
phase p {
  step a { reads = [w]  writes = [mask, plain]  flops = 8 }
  step b { reads = [mask, plain]  collective = ALL_REDUCE }
  step c { reads = [plain, mask] }
}
""")
    )
    assert verify(program) == ()
    (graph,) = program.graphs
    assert [(n.random, n.collective, n.op, n.flops) for n in graph.nodes] == [
        (False, False, "mir.other", 8),
        (True, False, "mir.other", 0),
        (False, True, "mir.all_reduce", 0),
        (False, False, "mir.other", 0),
    ]
    facts = run(program)
    assert facts[Reuse].phases["p"].near_bytes == (64 + 4 + 4, 8, 8)  # the weight moves once
    remake = facts[Recomputation]
    names = {storage.name: storage.index for storage in program.storages}
    assert remake.of(names["mask"]).portable is Recompute.IMPOSSIBLE
    assert remake.of(names["plain"]).portable is not Recompute.IMPOSSIBLE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("object w { class = WEIGHT_TILE }", "no phase of the file has steps"),
        (
            "object w { class = WEIGHT_TILE }\nphase p { step s { reads = [w] } }",
            "`w` is used by a step and has no `size_bytes`",
        ),
        (
            "extern object w\nphase p { step s { reads = [w] } }",
            "`w` is used and has no `class`",
        ),
        ("phase p { step s { traffic_bytes = 9 } }", "moves 9 inner bytes"),
        (
            """object w { class = WEIGHT_TILE  size_bytes = 1 }
            phase p { step s { reads = [w]  traffic_bytes = 1GB } }""",
            "moves 1_000_000_000 inner bytes",
        ),
    ],
)
def test_what_cannot_be_a_graph_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(CouldNotRun, match=message) as caught:
        rebuild(module(text))
    assert caught.value.hint


def test_what_a_step_makes_and_reads_itself_is_made_before_it_is_read() -> None:
    program = rebuild(
        module("""
object x { class = ACTIVATION  size_bytes = 4 }
object kept { class = ACTIVATION  size_bytes = 6 }
phase forward {
  step a { reads = [x, kept]  writes = [x, kept] }
  step b { reads = [x] }
}
phase backward { step c { reads = [kept] } }
""")
    )
    assert verify(program) == ()
    assert [s.role for s in program.storages] == [Role.ACTIVATION, Role.SAVED]
    forward, backward = program.graphs
    assert [(len(n.reads), len(n.writes)) for n in forward.nodes] == [(0, 2), (2, 0), (1, 0)]
    assert [(s.first, s.last) for s in forward.steps] == [(0, 1), (2, 2)]
    assert len(backward.nodes) == 1


@st.composite
def drawn_programs(draw: st.DrawFn) -> Program:
    """A chain of steps that read what earlier ones made, with temporaries and weights."""
    build = Builder()
    made: list[int] = []
    for place in range(draw(st.integers(1, 6))):
        sizes = st.integers(1, 50)
        weight = build.store(f"m.{place}.w", draw(sizes))
        reads = [weight, *draw(st.lists(st.sampled_from(made), unique=True))] if made else [weight]
        inside = build.store(f"p.m.{place}.t", draw(sizes), Role.ACTIVATION)
        out = build.store(f"p.m.{place}.o", draw(sizes), Role.ACTIVATION)
        build.node(f"m.{place}", reads, [inside], flops=draw(st.integers(0, 9)))
        build.node(f"m.{place}", [inside, weight], [out], step=False)
        made.append(out)
    last = build.store("p.out", 4, Role.OUTPUT)
    build.node("last", made, [last])
    build.phase("p", outputs=[last])
    return build.program()


@given(drawn_programs())
def test_a_step_s_bytes_and_lives_survive_the_way_through_a_file(program: Program) -> None:
    facts = run(program)
    again = run(rebuild(emit(program, facts)))
    assert again[Live].phases["p"].peak == facts[Live].phases["p"].peak
    assert again[Live].phases["p"].traffic_bytes == facts[Live].phases["p"].traffic_bytes
    assert again[Reuse].phases["p"].near_bytes == facts[Reuse].phases["p"].near_bytes


def test_a_rebuilt_program_can_be_kept_like_a_captured_one() -> None:
    program = rebuild(emit(toy(), run(toy())))
    assert pickle.loads(pickle.dumps(program)) == program  # noqa: S301 - our own bytes
    steps = program.graphs[0].steps
    assert all(b.first == a.last + 1 for a, b in pairwise(steps))
