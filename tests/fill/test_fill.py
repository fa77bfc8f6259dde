"""Files that leave things open, filled by the passes: nothing written changes or stops holding."""

import re
from functools import cache
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.changes.compare import diff
from mirc.diagnostics import CouldNotRun, Source
from mirc.emit import emit
from mirc.fill.keys import PROMISED, UNKNOWABLE
from mirc.fill.passes import Filled, fill
from mirc.grammar import load, print_module
from mirc.grammar.format import formatted
from mirc.ir import Field, Module, Name, View
from mirc.machine.load import load as machine
from mirc.passes.pipeline import run
from tests.passes.programs import decoder
from tests.test_emit import toy

SMALL = """mir 1.0

// What is there.
object w { class = WEIGHT_TILE  size_bytes = 64MiB }  // one line
object v {
  class      = WEIGHT_TILE
  size_bytes = 32MiB       // a comment at the end
  // a comment of its own
}
object a { class = ACTIVATION  size_bytes = 4KiB }

phase p {
  step one { reads = [w]  writes = [a]  flops = 1_000 }
  step two { reads = [a, v] }
}
phase q {
  step three { reads = [w] }
}
"""


def filled(text: str, *machines: str, passes: tuple[str, ...] = ()) -> Filled:
    return fill(Source("drawn.mir", text), {name: machine(name) for name in machines}, passes)


def module(text: str) -> Module:
    return load(Source("drawn.mir", text))


@cache
def compiled(name: str) -> str:
    program = toy() if name == "toy" else decoder(layers=2)
    return print_module(emit(program, run(program, machines=(machine("card-24g"),))))


def inserted_only(before: str, after: str) -> bool:
    """Say whether the characters of one text stand in another in the same order."""
    rest = iter(re.sub(r"\s", "", after))
    return all(any(char == other for other in rest) for char in re.sub(r"\s", "", before))


def values(found: Module, keys: frozenset[str]) -> dict[tuple[str, str, str, str], object]:
    """Return what holds of each object for each key, in each phase, with and without each plan."""
    resolved = {}
    for plan in (None, *found.plans):
        for phase in (None, *found.phases):
            view = View(found, phase, plan=plan)
            for name in found.data:
                for key in keys:
                    resolved[plan or "", phase or "", name, key] = view.value(name, key)
    return resolved


def test_what_a_file_leaves_open_is_written_where_it_belongs() -> None:
    found = filled(SMALL, "card-24g")
    after = module(found.text)
    keys = [field.key for field in after.data["a"].fields]
    assert keys[:2] == ["class", "size_bytes"]
    assert {"created", "earliest_use", "latest_use", "reuse"} <= set(keys)
    assert after.data["a"].value("latest_use") == Name("two")
    assert after.phases["p"].steps[0].value("work") == Name("MATMUL")
    assert not after.phases["q"].overrides  # what a phase promises less is its author's to say
    (plan,) = after.plans.values()
    assert {o.name for phase in plan.phases for o in phase.overrides} == {"w", "v", "a"}
    assert sum(found.counts.values()) == len(re.findall(" = ", found.text)) - len(
        re.findall(" = ", SMALL)
    )


def test_comments_and_lines_stay_as_they_are() -> None:
    text = filled(SMALL, "card-24g").text
    lines = iter(text.splitlines())
    changed = [line for line in SMALL.splitlines() if not any(line == other for other in lines)]
    assert changed[:1] == ["object w { class = WEIGHT_TILE  size_bytes = 64MiB }  // one line"]
    assert "size_bytes = 64MiB  reuse = EVERY(ITERATION) @ 1.0 }  // one line" in text
    assert inserted_only(SMALL, text)
    assert "size_bytes = 32MiB       // a comment at the end\n  reuse      = EVERY(" in text


def test_a_second_run_finds_nothing_absent() -> None:
    once = filled(SMALL, "card-24g", "h100-sxm")
    again = filled(once.text, "card-24g", "h100-sxm")
    assert (again.text, dict(again.counts)) == (once.text, {})


def test_a_value_that_was_written_is_hidden_in_no_phase_and_no_plan() -> None:
    text = SMALL.replace("64MiB }", "64MiB  deadline_class = SOFT }").replace(
        "size_bytes = 32MiB", "size_bytes = 32MiB  deadline_class = HARD  spill_policy = NEVER"
    )
    before, after = module(text), module(filled(text, "card-24g").text)
    written = frozenset({"deadline_class", "spill_policy"})
    was, now = values(before, written), values(after, written)
    of_weights = [key for key in was if key[2] in ("w", "v") and key[3] == "deadline_class"]
    assert of_weights
    assert all(now[key] == was[key] for key in of_weights)
    assert all(now[key] == was[key] for key in was if key[2:] == ("v", "spill_policy"))


def test_an_object_whose_master_the_file_keeps_elsewhere_is_left_out_of_the_plan() -> None:
    text = SMALL.replace("size_bytes = 64MiB", "size_bytes = 64MiB  backing = [NVME]")
    (plan,) = module(filled(text, "card-24g").text).plans.values()
    assert {o.name for phase in plan.phases for o in phase.overrides} == {"v", "a"}


def test_a_plan_that_is_there_keeps_its_values_and_gets_those_that_it_lacks() -> None:
    text = SMALL + (
        'plan mine {\n  machine = "card-24g"\n  phase p {\n'
        "    override w { residency = [DRAM] }\n  }\n}\n"
    )
    after = module(filled(text, "card-24g").text)
    assert list(after.plans) == ["mine"]
    phases = {phase.name: phase for phase in after.plans["mine"].phases}
    of_p = {override.name: override for override in phases["p"].overrides}
    assert of_p["w"].value("residency") == (Name("DRAM"),)
    assert of_p["w"].value("first_use_us") == 0.0
    assert of_p["v"].value("residency") == (Name("HBM"),)
    assert phases["p"].value("period_us") is not None
    assert set(phases) == {"p", "q"}


def test_passes_limit_what_is_filled_to_what_they_establish() -> None:
    assert set(filled(SMALL, passes=("liveness",)).counts) == {
        *("created", "earliest_use", "latest_use")
    }
    assert set(filled(SMALL, passes=("reuse",)).counts) == {"reuse", "work"}
    with pytest.raises(CouldNotRun, match="there is no pass `liveliness`"):
        filled(SMALL, passes=("liveliness",))


def test_a_canonical_file_stays_canonical_and_another_is_not_laid_out_anew() -> None:
    canonical = formatted(Source("drawn.mir", SMALL))
    text = filled(canonical, "card-24g").text
    assert formatted(Source("drawn.mir", text)) == text
    crooked = SMALL.replace("  step two", "      step two")
    assert "\n      step two" in filled(crooked).text


def test_line_ends_stay_as_the_file_has_them() -> None:
    text = filled(SMALL.replace("\n", "\r\n"), "card-24g").text
    assert text.count("\n") == text.count("\r\n")
    assert text.replace("\r\n", "\n") == filled(SMALL, "card-24g").text


def test_a_phase_without_steps_is_left_alone_and_named() -> None:
    text = SMALL.replace("mir 1.0\n", 'mir 1.0\nmodule m { model = "m" }\n') + (
        "phase idle {\n  override w { spill_policy = ALLOW }\n}\n"
    )
    found = filled(text)
    assert found.skipped == ("idle",)
    assert "schedule" not in found.counts
    scheduled = text.replace('"m" }', '"m"  schedule = [REPEAT(9, p, idle), q] }')
    # 9 runs of p: w is read in every iteration of it, so a window of two steps is known
    window = module(filled(scheduled).text).data["v"].value("reuse_window")
    assert window == 2.0


def test_promises_and_what_steps_do_not_tell_are_never_filled() -> None:
    for name in ("toy", "decoder"):
        keys = set(filled(_bare(compiled(name)), "card-24g").counts)
        assert keys
        assert not keys & (PROMISED | UNKNOWABLE)


ROUTED = """mir 1.0
object w { class = WEIGHT_TILE  size_bytes = 64MiB }
object v { class = WEIGHT_TILE  size_bytes = 32MiB }
object a { class = ACTIVATION_TEMP  size_bytes = 4KiB }
object b { class = ACTIVATION_TEMP  size_bytes = 4MiB }
object "e[0]" { class = EXPERT_WEIGHT  size_bytes = 4MiB }
object "e[1]" { class = EXPERT_WEIGHT  size_bytes = 4MiB }
template kv {
  class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16  size_bytes = PER_TOKEN(4096)
}
phase p {
  step one { reads = [w, kv]  writes = [a, kv]  flops = 1_000 }
  step two { reads = [a, v, ROUTED(e, 1)]  writes = [b]  flops = 100_000 }
  step three { reads = [b, w] }
}
phase q { step four { reads = [w] } }
"""


@pytest.mark.parametrize("text", [SMALL, ROUTED, "toy", "decoder"])
def test_no_promise_and_no_fact_of_an_object_changes(text: str) -> None:
    text = _bare(compiled(text)) if text in ("toy", "decoder") else text
    found = diff(module(text), module(filled(text, "card-24g").text))
    judged = {(each.rule.name, each.key) for each in found.changes if each.rule.judgement != "safe"}
    # The steps take the place of what a class is taken to do: estimates, and what a step does.
    estimates = {"reuse", "reuse_window", "route_probability", "recompute_class"}
    assert judged <= {
        *(("estimate-overturned", key) for key in estimates),
        ("fact-changed", "work"),
    }


def test_a_compiled_file_lacks_nothing() -> None:
    for name in ("toy", "decoder"):
        assert dict(filled(compiled(name)).counts) == {}


@pytest.mark.parametrize("name", ["toy", "decoder"])
def test_the_bare_steps_of_a_compiled_file_give_its_estimates_back(name: str) -> None:
    before = module(compiled(name))
    after = module(filled(_bare(compiled(name)), "card-24g").text)
    keys = frozenset(
        {
            *("created", "earliest_use", "latest_use", "reuse", "reuse_window"),
            *("route_probability", "residency", "backing"),
        }
    )
    assert values(after, keys) == values(before, keys)


def _bare(text: str) -> str:
    """Drop plans, overrides, coalitions and every field that the steps can tell."""
    text = re.sub(r"\n(plan|coalition) (.|\n)*?\n}\n", "\n", text)
    text = re.sub(r"\n  override .* \{\n(    .*\n)*  }", "", text)
    kept = (
        r"class|size_bytes|dtype|instance|block_tokens|reads|writes|flops|transient_bytes"
        r"|traffic_bytes|batch|tokens|context|schedule|mutability|work"
    )
    return re.sub(rf"\n +(?!(?:{kept}) )\w+ += .*", "", text)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_is_missing_what_is_there_stays_and_twice_is_once(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(("toy", "decoder")))
    lines = compiled(name).splitlines(keepends=True)
    needed = re.compile(
        r" +(class|size_bytes|machine|reads|writes|batch|tokens|context|members|schedule) "
    )
    fields = [i for i, line in enumerate(lines) if " = " in line and not needed.match(line)]
    gone = frozenset(data.draw(st.sets(st.sampled_from(fields), max_size=60)))
    text = "".join(line for i, line in enumerate(lines) if i not in gone)
    once = filled(text, "card-24g")
    after = iter(once.text.replace(" ", "").splitlines())
    before = text.replace(" ", "").splitlines()
    assert all(any(line == other for other in after) for line in before)
    assert filled(once.text, "card-24g").text == once.text
    written = _written(module(text))
    assert written <= _written(module(once.text))


def _written(found: Module) -> set[tuple[str, Field]]:
    blocks = chain(found.data.items(), found.phases.items(), found.plans.items())
    return {(name, field) for name, block in blocks for field in block.fields}
