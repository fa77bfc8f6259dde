"""What must be held, on machines of round numbers, against sums made by hand and by brute force."""

from itertools import pairwise

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun, Diagnostic, Source
from mirc.grammar import load
from mirc.lint.check import check_source
from mirc.lint.context import Context
from mirc.lint.holding import AT_LOAD, Holding, Place
from mirc.lint.ledger import Held, witness
from mirc.machine import Machine
from mirc.machine.load import load as machine_of
from mirc.simulate.census import FROM_BELOW
from tests.simulate.toy import card, scenario

MB = 1_000_000
RULE = "step-beyond-memory"


def said(text: str, near_bytes: int, name: str = RULE) -> list[Diagnostic]:
    found = check_source(Source("a.mir", text), (card(near_bytes),)).diagnostics
    return [d for d in found if d.rule.name == name]


def totals(text: str, phase: str = "p", machine: Machine | None = None) -> list[int]:
    """Return what each step of a phase must hold."""
    context = Context(load(Source("a.mir", text)))
    place = Place(machine or card())
    return context.once(Holding).ledger(context.module.phases[phase], place).totals()


# ── Random modules, and what they need by a second way of counting ──────────


@attrs.frozen
class Thing:
    name: str
    klass: str
    unit: str  # "", PER_TOKEN or PER_SEQUENCE
    amount: int
    held: str  # "", wired, claimed

    def bytes_in(self, batch: int, tokens: int) -> int:
        scale = {"": 1, "PER_TOKEN": batch * tokens, "PER_SEQUENCE": batch}[self.unit]
        return self.amount * scale

    @property
    def text(self) -> str:
        size = f"{self.unit}({self.amount})" if self.unit else str(self.amount)
        pin = "  pin_level = WIRED" if self.held == "wired" else ""
        name = f'"{self.name}"' if "[" in self.name else self.name
        return f"object {name} {{ class = {self.klass}  size_bytes = {size}{pin} }}\n"


@attrs.frozen
class Case:
    """Objects ``x0`` ..., experts ``e[0]`` ..., one phase of steps that use them."""

    batch: int
    tokens: int
    things: tuple[Thing, ...]
    experts: tuple[int, ...]
    # per step: (reads, writes, experts per token or 0, bytes touched of x0, transient bytes)
    steps: tuple[tuple[frozenset[int], frozenset[int], int, int, int], ...]

    @property
    def text(self) -> str:
        lines = [thing.text for thing in self.things]
        lines += [
            f"object e[{i}] {{ class = EXPERT_WEIGHT  size_bytes = {size} }}\n"
            for i, size in enumerate(self.experts)
        ]
        claimed = [thing.name for thing in self.things if thing.held == "claimed"]
        if claimed:
            objects = ", ".join(claimed)
            lines.append(f"claim c {{ holder = h  objects = [{objects}]  guarantee = HARD }}\n")
        lines.append(f"phase p {{\n  batch = {self.batch}\n  tokens = {self.tokens}\n")
        for place, (reads, writes, chosen, touched, transient) in enumerate(self.steps):
            read = [f"x{i}" for i in sorted(reads)]
            read += [f"ROUTED(e, {chosen})"] if chosen else []
            read += [f"TOUCH(x0, {touched})"] if touched else []
            write = ", ".join(f"x{i}" for i in sorted(writes))
            lines.append(
                f"  step s{place} {{ reads = [{', '.join(read)}]  writes = [{write}]"
                f"  transient_bytes = {transient} }}\n"
            )
        return "".join([*lines, "}\n"])

    def needed(self, step: int) -> int:
        """Count the bytes of one step object by object, asking each whether it must be there."""
        reads, writes, chosen, touched, transient = self.steps[step]
        total = transient
        for i, thing in enumerate(self.things):
            life = [s for s, (r, w, *_) in enumerate(self.steps) if i in r | w]
            here = i in reads | writes
            claimed = thing.held == "claimed" and not thing.unit
            if thing.held == "wired":
                loaded = thing.klass == "WEIGHT_TILE"
                here = here or loaded or (bool(life) and life[0] <= step <= life[-1])
            size = thing.bytes_in(self.batch, self.tokens)
            if here or claimed:
                total += size
            elif i == 0:
                total += min(touched, size)
        return total + sum(sorted(self.experts)[:chosen])


SIZES = st.integers(1, 50 * MB)


@st.composite
def cases(draw: st.DrawFn, holds: tuple[str, ...] = ("", "", "wired", "claimed")) -> Case:
    count = draw(st.integers(1, 5))
    things = tuple(
        Thing(
            f"x{i}",
            draw(st.sampled_from(["WEIGHT_TILE", "ACTIVATION"])),
            draw(st.sampled_from(["", "", "PER_TOKEN", "PER_SEQUENCE"])),
            draw(st.one_of(SIZES, st.just(MB))),
            draw(st.sampled_from(holds)),
        )
        for i in range(count)
    )
    experts = tuple(draw(st.lists(SIZES, max_size=4)))
    some = st.frozensets(st.integers(0, count - 1), max_size=count)
    step = st.tuples(
        some,
        some,
        st.integers(0, len(experts)),
        st.one_of(st.just(0), SIZES),
        st.one_of(st.just(0), SIZES),
    )
    steps = tuple(draw(st.lists(step, min_size=1, max_size=5)))
    return Case(draw(st.integers(1, 3)), draw(st.integers(1, 4)), things, experts, steps)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_what_a_step_must_hold_agrees_with_a_count_object_by_object(case: Case) -> None:
    assert totals(case.text) == [case.needed(step) for step in range(len(case.steps))]


@given(cases())
@settings(max_examples=40, deadline=None)
def test_one_byte_too_few_is_an_error_and_room_for_the_most_is_silence(case: Case) -> None:
    most = max(case.needed(step) for step in range(len(case.steps)))
    if most < 2:
        return
    assert said(case.text, most) == []
    (found,) = said(case.text, most - 1)
    worst = [case.needed(step) for step in range(len(case.steps))].index(most)
    assert f"step `s{worst}` of `p` must hold {most:_} B" in found.message


@given(cases(holds=("",)))
@settings(max_examples=40, deadline=None)
def test_what_is_found_impossible_is_refused_by_the_simulation(case: Case) -> None:
    # Rows that a phase gathers of one object are one thing to the simulation: of one size here.
    case = attrs.evolve(case, steps=tuple((r, w, k, MB, t) for r, w, k, _, t in case.steps))
    most = max(case.needed(step) for step in range(len(case.steps)))
    if most < 2:
        return
    with pytest.raises(CouldNotRun):  # a small machine: the sum, or an object alone
        scenario(case.text, machine=card(most - 1), schedule="p")


@given(cases(holds=("",)))
@settings(max_examples=40, deadline=None)
def test_without_routing_and_rows_the_simulation_refuses_nothing_else(case: Case) -> None:
    plain = attrs.evolve(case, steps=tuple((r, w, 0, 0, t) for r, w, _, _, t in case.steps))
    most = max(plain.needed(step) for step in range(len(plain.steps)))
    scenario(plain.text, machine=card(max(1, most)), schedule="p")
    assert said(plain.text, max(1, most)) == []


@given(st.lists(st.integers(1, 1000), min_size=1), st.data())
def test_a_witness_is_too_much_and_without_any_of_its_parts_it_fits(
    sizes: list[int], data: st.DataObject
) -> None:
    room = data.draw(st.integers(0, sum(sizes) - 1))
    mark = Context(load(Source("a", "object x { class = INPUT }\n"))).scopes[0]
    entries = [Held(s, "x", mark, "") for s in sorted(sizes, reverse=True)]  # type: ignore[arg-type]
    found = [entry.size_bytes for entry in witness(entries, room)]
    assert sum(found) > room
    assert all(sum(found) - size <= room for size in found)
    assert all(a >= b for a, b in pairwise(found))
    assert sum(sorted(sizes, reverse=True)[: len(found) - 1]) <= room  # no fewer would do


# ── What counts, case by case ───────────────────────────────────────────────


def test_the_witness_is_named_in_the_message_and_shown_where_it_is_declared() -> None:
    text = """
object a { class = WEIGHT_TILE  size_bytes = 6MB }
object b { class = ACTIVATION  size_bytes = 5MB }
object c { class = ACTIVATION  size_bytes = 1MB }
phase p { step s { reads = [a, c]  writes = [b] } step t { reads = [a, b] } }
"""
    (found,) = said(text, 10 * MB)
    # s holds 6 + 5 + 1 MB, t 6 + 5; a and b together exceed 10, neither does alone
    assert found.message == (
        "step `s` of `p` must hold 12 MB at once, and HBM of toy has 10 MB: "
        "`a` (6 MB) and `b` (5 MB), the largest 2 of 3 (and 1 more step)"
    )
    assert [r.message for r in found.related] == [
        "`a` is used by the step: 6 MB",
        "`b` is used by the step: 5 MB",
    ]
    assert [text[r.span.start : r.span.end] for r in found.related] == [
        "size_bytes = 6MB",
        "size_bytes = 5MB",
    ]


def test_a_witness_of_many_names_the_largest_and_counts_the_rest() -> None:
    names = [f"x{i}" for i in range(20)]
    text = "".join(f"object {n} {{ class = ACTIVATION  size_bytes = 1MB }}\n" for n in names)
    text += f"phase p {{ step s {{ reads = [{', '.join(names)}] }} }}\n"
    (found,) = said(text, 10 * MB)
    assert found.message.endswith(
        "`x0` (1 MB), `x1` (1 MB), `x2` (1 MB) and 8 more, the largest 11 of 20"
    )
    assert len(found.related) == 8


def test_a_model_larger_than_near_memory_is_no_fault() -> None:
    text = "".join(f"object w{i} {{ class = WEIGHT_TILE  size_bytes = 4MB }}\n" for i in range(9))
    steps = " ".join(f"step s{i} {{ reads = [w{i}] }}" for i in range(9))
    assert said(f"{text}phase p {{ {steps} }}\n", 4 * MB) == []


STEPS = "phase p { step s { reads = [x] } step t { reads = [y] } }\n"
ONE = "object y { class = WEIGHT_TILE  size_bytes = 1 }\n"
HELD = {
    # 8 bytes at 16 bits; no narrower than the floor of 8
    "a ladder counts at its narrowest type": (
        (
            "object x { class = WEIGHT_TILE  size_bytes = 8  dtype = bfloat16"
            "  precision_ladder = [bfloat16, int8, int4]  precision_floor = int8 }\n"
        ),
        [4, 1],
    ),
    "a ladder without a floor may go down to its end": (
        (
            "object x { class = WEIGHT_TILE  size_bytes = 8  dtype = bfloat16"
            "  precision_ladder = [bfloat16, int4] }\n"
        ),
        [2, 1],
    ),
    "a shard counts at its share of the mesh": (
        (
            "module m { mesh = [AXIS(tp, 4)] }\n"
            "object x { class = WEIGHT_TILE  size_bytes = 8  shard = SPLIT(0, tp) }\n"
        ),
        [2, 1],
    ),
    "what may be read where it lies need not be near": (
        ("object x { class = WEIGHT_TILE  size_bytes = 8  access = [STAGE, IN_PLACE] }\n"),
        [0, 1],
    ),
    "what has no size is left out": ("object x { class = WEIGHT_TILE }\n", [0, 1]),
    "a wired weight stays through all steps": (
        ("object x { class = WEIGHT_TILE  size_bytes = 8  pin_level = WIRED }\n"),
        [8, 9],
    ),
    "a wired weight that may lie in DRAM is not surely near": (
        (
            "object x { class = WEIGHT_TILE  size_bytes = 8  pin_level = WIRED"
            "  preferred_tiers = [HBM, DRAM] }\n"
        ),
        [8, 1],
    ),
    "a soft pin may be broken": (
        ("object x { class = WEIGHT_TILE  size_bytes = 8  pin_level = SOFT }\n"),
        [8, 1],
    ),
    "a hard claim holds through all steps": (
        (
            "object x { class = KV_BLOCK  size_bytes = 8 }\n"
            "claim c { holder = h  objects = [x]  guarantee = HARD }\n"
        ),
        [8, 9],
    ),
    "a soft claim may be lost": (
        (
            "object x { class = KV_BLOCK  size_bytes = 8 }\n"
            "claim c { holder = h  objects = [x]  guarantee = SOFT }\n"
        ),
        [8, 1],
    ),
    "a claim that ends may have ended": (
        (
            "object x { class = KV_BLOCK  size_bytes = 8 }\n"
            "claim c { holder = h  objects = [x]  guarantee = HARD  until = 1s }\n"
        ),
        [8, 1],
    ),
    "a claim that a block names itself covers it": (
        (
            "object x { class = KV_BLOCK  size_bytes = 8  claimed_by = c }\n"
            "claim c { holder = h  guarantee = HARD }\n"
        ),
        [8, 9],
    ),
    "a claim to one of two pools holds neither": (
        (
            "object x { class = KV_BLOCK  size_bytes = 8 }\n"
            "claim c { holder = h  objects = [x]  guarantee = HARD  tiers = [HBM, DRAM] }\n"
        ),
        [8, 1],
    ),
}


@pytest.mark.parametrize(("declared", "expected"), HELD.values(), ids=list(HELD))
def test_it_counts_only_what_is_certain(declared: str, expected: list[int]) -> None:
    assert totals(declared + ONE + STEPS) == expected


def test_claimed_blocks_of_a_template_count_as_many_as_are_promised() -> None:
    text = (
        "template k { class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16"
        "  size_bytes = PER_TOKEN(10) }\n"
        "claim c { holder = h  objects = [k]  guarantee = HARD  blocks = 3 }\n"
        f"{ONE}phase p {{ step t {{ reads = [y] }} }}\n"
    )
    assert totals(text) == [3 * 16 * 10 + 1]


CACHE = """
template k {{
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(10)
  {more}
}}
phase p {{
  batch = 4  tokens = 2  context = 100
  step before {{ reads = [k] }}
  step append {{ writes = [k] }}
  step after {{ reads = [k] }}
}}
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", [4 * 100 * 10, 4 * 2 * 10, 4 * 102 * 10]),
        ("retire = WINDOW(8)", [4 * 8 * 10, 4 * 2 * 10, 4 * 8 * 10]),
        ("sharing_scope = PREFIX", [100 * 10, 2 * 10, 102 * 10]),
    ],
    ids=["of each sequence", "in a sliding window", "once where sequences share it"],
)
def test_a_cache_counts_at_the_captured_context(more: str, expected: list[int]) -> None:
    assert totals(CACHE.format(more=more)) == expected


def test_what_waits_for_an_event_stays_until_a_step_raises_it() -> None:
    text = """
object g { class = GRADIENT_SHARD  size_bytes = 8  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE(b) }
object y { class = WEIGHT_TILE  size_bytes = 1 }
phase p {
  step make { writes = [g] }
  step other { reads = [y] }
  step reduce { reads = [y]  raises = [ALLREDUCE_COMPLETE(b)] }
  step between { reads = [y] }
  step apply { reads = [g] }
}
"""
    assert totals(text) == [8, 9, 9, 1, 8]
    other = text.replace("raises = [ALLREDUCE_COMPLETE(b)]", "raises = [ALLREDUCE_COMPLETE(c)]")
    assert totals(other) == [8, 9, 9, 9, 8]  # the event of another bucket ends nothing


def test_what_is_wired_on_chip_needs_no_near_memory() -> None:
    text = (
        "object x { class = WEIGHT_TILE  size_bytes = 8  preferred_tiers = [SRAM, HBM]"
        "  pin_level = WIRED }\n"
    )
    machine = machine_of("npu-scratchpad")
    assert totals(text + ONE + STEPS, machine=machine) == [0, 1]


def test_a_plan_is_judged_with_its_own_pins_on_its_own_machine() -> None:
    text = """
object x { class = WEIGHT_TILE  size_bytes = 12GB }
object y { class = WEIGHT_TILE  size_bytes = 12GB  deadline_class = SOFT }
phase p { step s { reads = [x] } step t { reads = [y] } }
plan card { machine = "card-24g"  override x { pin_level = WIRED  spill_policy = NEVER } }
"""
    found = check_source(Source("a.mir", text)).diagnostics
    assert [d.rule.name for d in found] == [RULE]
    assert "`x` (12 GB) and `y` (12 GB)" in found[0].message
    unpinned = text.replace("pin_level = WIRED  spill_policy = NEVER", "pin_level = SOFT")
    assert check_source(Source("a.mir", unpinned)).diagnostics == ()


def test_phases_without_steps_hold_nothing_for_certain() -> None:
    text = "object x { class = WEIGHT_TILE  size_bytes = 8GB }\nphase p { }\n"
    assert said(text, MB) == []


def test_what_exists_at_load_is_what_the_simulation_finds_below() -> None:
    assert AT_LOAD == FROM_BELOW


# ── Pins and residencies ────────────────────────────────────────────────────


def test_pins_of_objects_that_never_live_together_may_share_the_room() -> None:
    text = """
object a { class = ACTIVATION  size_bytes = 6MB  pin_level = SOFT }
object b { class = ACTIVATION  size_bytes = 6MB  pin_level = SOFT }
phase p { step s { writes = [a] } step t { reads = [a] } step u { writes = [b] } }
"""
    assert said(text, 10 * MB, "protected-beyond-tier") == []
    together = text.replace(
        "step t { reads = [a] } step u { writes = [b] }",
        "step t { writes = [b] } step u { reads = [a] }",
    )
    (found,) = said(together, 10 * MB, "protected-beyond-tier")
    assert "12 MB may not leave HBM in `p`, and toy has 10 MB of it" in found.message


def test_a_protection_of_two_tiers_has_the_room_of_both() -> None:
    text = """
object a { class = WEIGHT_TILE  size_bytes = 6MB  pin_level = SOFT  preferred_tiers = [HBM, DRAM] }
object b { class = WEIGHT_TILE  size_bytes = 6MB  pin_level = SOFT }
phase p { step s { reads = [a] } step t { reads = [b] } }
"""
    assert said(text, 10 * MB, "protected-beyond-tier") == []


@st.composite
def residencies(
    draw: st.DrawFn,
) -> tuple[int, list[tuple[int, list[tuple[int, int]]]], list[set[int]]]:
    """Draw a count of steps, per object its bytes and stays in HBM, per step what it reads."""
    steps = draw(st.integers(1, 5))
    place = st.integers(0, steps - 1)
    objects = draw(
        st.lists(
            st.tuples(SIZES, st.lists(st.tuples(place, place), min_size=1, max_size=3)),
            min_size=1,
            max_size=4,
        )
    )
    reads = [draw(st.sets(st.integers(0, len(objects) - 1))) for _ in range(steps)]
    return steps, objects, reads


@given(residencies())
@settings(max_examples=40, deadline=None)
def test_residencies_agree_with_a_count_step_by_step(
    drawn: tuple[int, list[tuple[int, list[tuple[int, int]]]], list[set[int]]],
) -> None:
    steps, objects, reads = drawn

    def there(first: int, last: int, step: int) -> bool:
        return first <= step <= last if first <= last else step >= first or step <= last

    need = [
        sum(
            size
            for i, (size, stays) in enumerate(objects)
            if i in reads[step] or any(there(a, b, step) for a, b in stays)
        )
        for step in range(steps)
    ]
    lines = [
        f"object x{i} {{ class = ACTIVATION  size_bytes = {size * 1000} }}\n"
        for i, (size, _) in enumerate(objects)
    ]
    body = "\n".join(
        f"  step s{n} {{ reads = [{', '.join(f'x{i}' for i in sorted(uses))}] }}"
        for n, uses in enumerate(reads)
    )
    plan = "\n".join(
        f"  override x{i} {{ residency = "
        f"[{', '.join(f'HBM(s{a}, s{b})' for a, b in stays)}, DRAM] }}"
        for i, (_, stays) in enumerate(objects)
    )
    text = f"{''.join(lines)}phase p {{\n{body}\n}}\n"
    text += f'plan c {{ machine = "card-24g"  phase p {{\n{plan}\n}} }}\n'
    found = check_source(Source("a.mir", text)).diagnostics
    too_many = max(need) * 1000 > 21_600_000_000  # what the card has less its reserve
    assert bool([d for d in found if d.rule.name == "residency-beyond-tier"]) is too_many
