"""Overrides that say nothing new or nothing at all, and schedules that never come somewhere."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import Diagnostic, Source
from mirc.diagnostics.apply import applied
from mirc.grammar import load
from mirc.ir.resolve import View
from mirc.lint.check import check_source


def said(text: str, name: str) -> list[Diagnostic]:
    found = check_source(Source("a.mir", text)).diagnostics
    return [d for d in found if d.rule.name == name]


# ── Restated values ─────────────────────────────────────────────────────────

LEVELS = st.sampled_from(["NONE", "SOFT"])
LAYERS = ["phase p", "phase q", "on resume", "plan c", "plan c phase p", "plan c phase q"]


@st.composite
def layered(draw: st.DrawFn) -> str:
    """Draw a file that gives one key in any of its layers, for a part, its family, an object."""

    def overrides() -> str:
        lines = [
            f"    override {name} {{ pin_level = {draw(LEVELS)} }}\n"
            for name in ("x", "e", "e[0]")
            if draw(st.booleans())
        ]
        return "".join(lines)

    own = [f"  pin_level = {draw(LEVELS)}" if draw(st.booleans()) else "" for _ in range(3)]
    steps = "    step s { reads = [x, e] }\n"
    return (
        f"object x {{ class = KV_BLOCK{own[0]} }}\n"
        f"object e[0] {{ class = KV_BLOCK{own[1]} }}\n"
        f"object e[1] {{ class = KV_BLOCK{own[2]} }}\n"
        f"phase p {{\n{steps}{overrides()}}}\nphase q {{\n{steps}{overrides()}}}\n"
        f"on resume {{\n{overrides()}}}\n"
        f'plan c {{\n  machine = "card-24g"\n{overrides()}'
        f"  phase p {{\n{overrides()}  }}\n  phase q {{\n{overrides()}  }}\n}}\n"
    )


def everything(text: str) -> list[object]:
    module = load(Source("a.mir", text))
    return [
        View(module, phase, signal, plan).value(name, "pin_level")
        for phase in (None, "p", "q")
        for signal in (None, "resume")
        for plan in (None, "c")
        for name in ("x", "e[0]", "e[1]")
    ]


@given(layered())
@settings(max_examples=150, deadline=None)
def test_to_remove_a_restated_value_changes_no_value_in_any_view(text: str) -> None:
    for found in said(text, "restated-value"):
        assert found.fix is not None
        mended = applied(text, (found.fix,))
        assert len(mended) < len(text)
        assert everything(mended) == everything(text)


@pytest.mark.parametrize(
    ("overrides", "count"),
    [
        ("phase p { STEP override x { pin_level = SOFT } }", 1),
        ("phase p { STEP override x { pin_level = NONE } }", 0),
        # it takes back what the other layer says while that one holds, too
        (
            (
                "phase p { STEP override x { pin_level = NONE } }\n"
                "on resume { override x { pin_level = SOFT } }"
            ),
            0,
        ),
        ("phase p { STEP }\non resume { override x { pin_level = SOFT } }", 1),
        (
            (
                'plan c { machine = "card-24g" override x { pin_level = NONE } }\n'
                "phase p { STEP override x { pin_level = SOFT } }"
            ),
            0,
        ),
    ],
)
def test_what_undoes_another_layer_is_no_restatement(overrides: str, count: int) -> None:
    text = f"object x {{ class = KV_BLOCK  pin_level = SOFT }}\n{overrides}\n"
    assert len(said(text.replace("STEP", "step s { reads = [x] }"), "restated-value")) == count


def test_a_part_that_takes_back_what_its_family_says_is_no_restatement() -> None:
    text = """
object e[0] { class = EXPERT_WEIGHT  pin_level = NONE }
object e[1] { class = EXPERT_WEIGHT  pin_level = NONE }
phase p {
  step s { reads = [e] }
  override e { pin_level = SOFT }
  override e[0] { pin_level = NONE }
}
"""
    assert said(text, "restated-value") == []


# ── Dead overrides ──────────────────────────────────────────────────────────

LIVES = """
object x {{ {x} }}
object w {{ class = WEIGHT_TILE }}
phase p {{ step s {{ writes = [x] }} step t {{ reads = [x] }} }}
phase q {{ step s {{ reads = [w] }} override x {{ {override} }} }}
{more}
"""


@pytest.mark.parametrize(
    ("x", "override", "more", "dead"),
    [
        ("class = ACTIVATION", "pin_level = SOFT", "", True),
        ("class = ACTIVATION_TEMP", "pin_level = SOFT", "", True),
        ("class = KV_BLOCK", "pin_level = SOFT", "", False),  # it lives as its sequence does
        ("class = WEIGHT_TILE", "pin_level = SOFT", "", False),
        ("class = ACTIVATION  persistence_scope = SESSION  retire = NEVER", "pin_level = SOFT", "",
         False),
        ("class = KV_BLOCK  retire = LAST_USE", "pin_level = SOFT", "", True),
        ("class = ACTIVATION", "persistence_scope = SESSION  retire = NEVER", "", False),
        ("class = ACTIVATION", "latest_use = s", "", False),
        # made in one phase, read in a third: it may live through this one
        ("class = ACTIVATION", "pin_level = SOFT", "phase r { step s { reads = [x] } }", False),
    ],
)  # fmt: skip
def test_an_override_is_dead_where_the_object_is(
    x: str, override: str, more: str, *, dead: bool
) -> None:
    found = said(LIVES.format(x=x, override=override, more=more), "dead-override")
    assert [d.message for d in found] == [
        "`x` does not exist in `q`: it lives and ends in `p`"
    ] * dead


def test_an_override_in_a_plans_phase_may_be_dead_too() -> None:
    text = LIVES.format(
        x="class = ACTIVATION",
        override="pin_level = SOFT",
        more='plan c { machine = "card-24g"  phase q { override x { spill_policy = NEVER } } }',
    )
    assert len(said(text, "dead-override")) == 2


def test_a_family_is_dead_only_with_all_its_parts() -> None:
    text = """
object e[0] { class = ACTIVATION }
object e[1] { class = ACTIVATION }
object w { class = WEIGHT_TILE }
phase p { step s { writes = [e] } step t { reads = [e] } }
phase q { step s { reads = [USED] } override e { pin_level = SOFT } }
"""
    assert len(said(text.replace("USED", "w"), "dead-override")) == 1
    assert said(text.replace("USED", '"e[1]"'), "dead-override") == []


# ── Schedules ───────────────────────────────────────────────────────────────

Item = str | tuple[str, int, list["Item"]]  # a phase, or (word, count, body)
MOST = 3000


def items(depth: int) -> st.SearchStrategy[Item]:
    phase = st.just("phase")
    if depth == 0:
        return phase
    body = st.lists(items(depth - 1), min_size=1, max_size=3)
    return st.one_of(
        phase,
        phase,
        st.tuples(st.just("REPEAT"), st.integers(1, 3), body),
        st.tuples(st.just("LOOP"), st.just(0), body),
        st.tuples(st.just("EVERY"), st.integers(1, 4), body.map(lambda b: b[:1])),
    )


def written(item: Item, names: Iterator[str]) -> tuple[str, Item]:
    """Give every phase a name of its own; return the item as text and as named."""
    if isinstance(item, str):
        name = next(names)
        return name, name
    word, count, body = item
    parts = [written(part, names) for part in body]
    inner = ", ".join(text for text, _ in parts)
    head = "LOOP(" if word == "LOOP" else f"{word}({count}, "
    return f"{head}{inner})", (word, count, [named for _, named in parts])


class Over(Exception):  # noqa: N818 - what the run is
    """Enough runs to see all that will ever run."""


class Run:
    """Plays a schedule, and keeps the first ``MOST`` phases that run."""

    def __init__(self, schedule: list[Item]) -> None:
        self.trace: list[str] = []
        self.reached: dict[int, int] = {}
        with suppress(Over):
            self.go(schedule)

    def go(self, body: list[Item]) -> None:
        for item in body:
            if isinstance(item, str):
                self.trace.append(item)
                if len(self.trace) > MOST:
                    raise Over
            elif item[0] == "EVERY":
                self.reached[id(item)] = self.reached.get(id(item), 0) + 1
                if self.reached[id(item)] % item[1] == 0:
                    self.go(item[2])
            else:
                # A LOOP may hold nothing that runs in most of its rounds.
                for _ in range(item[1] or MOST):
                    self.go(item[2])
                if item[0] == "LOOP":
                    raise Over


@given(st.lists(items(3), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_what_is_found_holds_a_phase_that_never_runs(drawn: list[Item]) -> None:
    parts = [written(item, names) for names in [(f"p{i}" for i in count())] for item in drawn]
    schedule = ", ".join(text for text, _ in parts)
    trace = set(Run([named for _, named in parts]).trace)
    phases = re.findall(r"p[0-9]+", schedule)
    text = f"module m {{ schedule = [{schedule}] }}\nobject x {{ class = WEIGHT_TILE }}\n"
    text += "".join(f"phase {name} {{ step s {{ reads = [x] }} }}\n" for name in phases)
    found = said(text, "never-reached") + said(text, "every-never-comes")
    places = [text[d.span.start : d.span.end] for d in found if "second turn" not in d.message]
    never = {name for name in phases if name not in trace}
    for place in places:
        assert not never.isdisjoint(re.findall(r"p[0-9]+", place))
    if not re.search(r"EVERY.*LOOP", schedule):  # a LOOP in an EVERY cuts others short
        assert bool(never) == bool(places)


def test_a_server_that_loops_at_the_end_is_as_it_should_be() -> None:
    text = "module m { schedule = [p, LOOP(REPEAT(4, q), p)] }\n"
    text += "object x { class = WEIGHT_TILE }\n"
    text += "".join(f"phase {name} {{ step s {{ reads = [x] }} }}\n" for name in "pq")
    assert check_source(Source("a.mir", text)).diagnostics == ()


def test_a_repetition_around_a_loop_has_one_turn() -> None:
    text = "module m { schedule = [REPEAT(3, p, LOOP(q))] }\n"
    text += "object x { class = WEIGHT_TILE }\n"
    text += "".join(f"phase {name} {{ step s {{ reads = [x] }} }}\n" for name in "pq")
    (found,) = said(text, "never-reached")
    assert found.message == (
        "a second turn of `REPEAT(...)` is never reached: the LOOP inside it has no end"
    )


def test_files_without_any_steps_have_no_phase_that_lacks_them() -> None:
    text = (
        "object x { class = KV_BLOCK }\nphase p { override x { pin_level = SOFT } }\nphase q { }\n"
    )
    assert said(text, "stepless-phase") == []
