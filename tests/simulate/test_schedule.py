import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.simulate.schedule import DEFAULT_STEPS, schedule_of


def _module(schedule: str | None) -> Module:
    info = f"module m {{ schedule = [{schedule}] }}\n" if schedule else ""
    phases = "".join(f"phase {name} {{ }}\n" for name in ("prefill", "decode", "save"))
    return load(Source("test.mir", f"mir 1.0\n{info}{phases}"))


def _letters(schedule: str, steps: int | None = None) -> str:
    """Spell a sequence of runs by the first letters of its phases."""
    return "".join(run[0] for run in schedule_of(_module(schedule), steps).runs)


def test_phases_run_in_the_order_of_the_schedule() -> None:
    assert _letters("prefill, REPEAT(3, decode), save") == "pddds"


def test_a_repetition_may_hold_others() -> None:
    assert _letters("REPEAT(2, prefill, REPEAT(3, decode))") == "pdddpddd"


def test_every_n_runs_each_nth_time_that_it_is_reached() -> None:
    # 7 rounds, reached 7 times: after the 3rd and the 6th
    assert _letters("REPEAT(7, decode, EVERY(3, save))") == "dddsdddsd"


def test_every_goes_on_counting_over_outer_rounds() -> None:
    # 2 x 2 rounds: reached 4 times, so after the 3rd
    assert _letters("REPEAT(2, prefill, REPEAT(2, decode, EVERY(3, save)))") == "pddpdsd"


def test_a_loop_is_cut_and_the_report_says_so() -> None:
    found = schedule_of(_module("prefill, LOOP(decode)"))
    assert found.iterations == DEFAULT_STEPS
    assert found.assumptions == ("the schedule loops without end: cut after 64 runs of `decode`",)


@pytest.mark.parametrize(
    ("schedule", "steps", "expected"),
    [
        ("prefill, LOOP(decode)", 3, "pddd"),
        ("prefill, REPEAT(128, decode)", 2, "pdd"),
        ("prefill, REPEAT(2, decode)", 4, "pdddd"),
        ("prefill, decode", 3, "pddd"),
        ("LOOP(prefill, REPEAT(2, decode))", 5, "pddpddpd"),
        ("REPEAT(1, prefill, REPEAT(2, decode))", 5, "pddpddpd"),
        ("prefill, REPEAT(9, decode), save", 2, "pdd"),
    ],
)
def test_steps_count_runs_of_the_iterated_phase(schedule: str, steps: int, expected: str) -> None:
    assert _letters(schedule, steps) == expected


def test_the_iterated_phase_is_the_last_of_the_innermost_last_repetition() -> None:
    assert schedule_of(_module("prefill, REPEAT(2, decode), save")).iterated == "decode"
    assert schedule_of(_module("REPEAT(2, REPEAT(2, decode), prefill)")).iterated == "decode"
    assert schedule_of(_module("prefill, decode")).iterated == "decode"


def test_a_file_without_a_schedule_runs_its_phases_once_as_written() -> None:
    found = schedule_of(_module(None))
    assert found.runs == ("prefill", "decode", "save")
    assert "no schedule" in found.assumptions[0]


def test_a_schedule_given_as_text_replaces_that_of_the_file() -> None:
    assert schedule_of(_module("save"), text="prefill, REPEAT(2, decode)").runs == (
        "prefill",
        "decode",
        "decode",
    )


def test_the_count_of_a_schedule_given_as_text_may_stand_last() -> None:
    assert schedule_of(_module(None), text="REPEAT(decode, 3)").runs == ("decode",) * 3


@pytest.mark.parametrize(
    "text",
    ["", "REPEAT(", "decode] }\nobject x {", "decode] } phase x { } module n { schedule = [save"],
)
def test_what_is_no_value_is_no_schedule(text: str) -> None:
    with pytest.raises(CouldNotRun, match=r"is not a schedule|is empty"):
        schedule_of(_module(None), text=text)


def test_an_unknown_phase_gets_the_nearest_name() -> None:
    with pytest.raises(CouldNotRun, match="`decod`") as refusal:
        schedule_of(_module(None), text="decod")
    assert refusal.value.hint == "did you mean `decode`?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LOOP(2, decode)", "is not a schedule"),
        ("REPEAT(0, decode)", "is not a schedule"),
        ("FOREVER(decode)", "is not a schedule"),
        ("12", "is not a schedule"),
        ("EVERY(2, decode)", "never comes to `decode`"),
        ("REPEAT(10_000_000, decode)", "more than 1_000_000 runs"),
        ("LOOP(EVERY(1_000_000, EVERY(1_000_000, decode)))", "more than 2_000_000 rounds"),
    ],
)
def test_a_schedule_that_cannot_be_run_is_refused(text: str, message: str) -> None:
    with pytest.raises(CouldNotRun, match=message):
        schedule_of(_module(None), text=text)


def test_zero_steps_run_nothing() -> None:
    with pytest.raises(CouldNotRun, match="`--steps 0` runs nothing"):
        schedule_of(_module("decode"), steps=0)


def test_a_file_without_phases_cannot_be_run() -> None:
    with pytest.raises(CouldNotRun, match="declares no phase"):
        schedule_of(load(Source("test.mir", "mir 1.0\n")))
