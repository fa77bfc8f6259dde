import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.observe.compare import Compared, Group, Why, compare
from tests.observe.logs import Event, compared, lines, module_of, runs

# One step reads everything, so a log may say of each run which weights it read.
READS = "phase decode { step s { reads = [a, b] } }\n"


def weight(name: str, fields: str = "") -> str:
    return f"object {name} {{ class = WEIGHT_TILE {fields} }}\n"


def total(log: Compared, field: int = 0) -> Group:
    found = log.scored[field].total
    assert found is not None
    return found


@pytest.mark.mechanism("S0-41")
def test_every_iteration_is_scored_by_the_runs_that_read_it() -> None:
    text = weight("a", "reuse = EVERY(ITERATION) @ 0.9") + weight("b", "reuse = HIGH") + READS
    log = compared(text, *runs(("a", "b"), ("a", "b"), ("a",), ("b",)))
    assert log.runs == (("decode", 4),)
    # a: said 1, read 3 of 4: 1 x 1. b: said 0.75, 3 of 4: 3 x 0.0625 + 0.5625. In all 1.75 of 8.
    assert total(log).score.brier == pytest.approx(1.75 / 8)
    # least: 3 x 1/4 each. ECE: bins 1.0 and 0.7: |4 - 3| + |3 - 3| of 8.
    assert total(log).score.least_brier == pytest.approx(1.5 / 8)
    assert total(log).score.calibration_error == pytest.approx(1 / 8)
    # b lies in HIGH's [0.5, 1]; a was not read every time, of which it was 0.9 sure.
    assert [one.object for one in log.wrong] == ["a"]
    sure = log.scored[0].confidence
    assert sure is not None
    assert sure.brier == pytest.approx(0.81)


@pytest.mark.parametrize(
    ("reuse", "read", "held"),
    [
        ("HIGH", 5, True),
        ("HIGH", 10, True),
        ("HIGH", 4, False),
        ("MEDIUM", 1, True),
        ("MEDIUM", 5, False),
        ("LOW", 0, True),
        ("LOW", 1, False),
        ("NONE", 0, True),
        ("NONE", 1, False),
        ("0.4", 8, True),
        ("0.4", 9, False),
        ("0.1", 0, True),  # ten runs tell a share to half a run: 0.05
        ("0.2", 0, False),
        ("0", 1, False),
        ("EVERY(ITERATION)", 10, True),
        ("EVERY(ITERATION)", 9, False),
    ],
)
def test_an_estimate_holds_as_its_field_documents(reuse: str, read: int, *, held: bool) -> None:
    text = weight("a", f"reuse = {reuse}") + weight("b") + READS
    log = compared(text, *runs(*[("a",)] * read, *[("b",)] * (10 - read)))
    assert (log.wrong == ()) is held


def test_a_number_counts_the_steps_that_read_it() -> None:
    # read in 2 steps of each run: the event "read at all" has min(1, 2), and 2 lies within 2x of 2
    text = weight("a", "reuse = 2") + "phase decode { step s { reads=[a] } step t { reads=[a] } }\n"
    events: list[Event] = []
    for begin in (0, 10):
        for position in (0, 1):
            events.append((begin + position, "STEP", "decode", position))
            events.append((begin + position, "READ", "a", 0))
    log = compared(text, *events)
    assert total(log).score.brier == 0
    assert log.wrong == ()
    text = text.replace("reuse = 2", "reuse = 5")
    assert [one.observed for one in compared(text, *events).wrong] == [2.0]


def test_what_is_left_to_the_class_stands_apart() -> None:
    log = compared(weight("a", "reuse = 1") + weight("b") + READS, *runs(("a", "b")))
    assert total(log).estimates == 1
    assert log.scored[0].defaults is not None
    # WEIGHT_TILE is HIGH by default: (1 - 0.75)^2
    assert log.scored[0].defaults.score.brier == pytest.approx(0.0625)


def test_an_override_of_the_phase_is_what_is_scored() -> None:
    text = weight("a", "reuse = NONE") + weight("b", "reuse = NONE")
    step = "{ step s { reads = [a, b] } override a { reuse = EVERY(ITERATION) } }\n"
    log = compared(text + "phase decode " + step, *runs(("a",), ("a",)))
    assert log.wrong == ()
    assert total(log).score.brier == 0


EXPERTS = "".join(
    f"object e[{i}] {{ class = EXPERT_WEIGHT reuse = 0.5 route_probability = {p} }}\n"
    for i, p in enumerate(("0.5", "1.0", "LOW", "0.25"))
)
ROUTED = "phase decode { step s { reads = [ROUTED(e, 2)] } }\n"


@pytest.mark.mechanism("S0-41")
def test_experts_are_scored_by_the_steps_that_route_them() -> None:
    log = compared(EXPERTS + ROUTED, *runs(("e[0]", "e[1]"), ("e[1]", "e[2]")))
    routed = log.scored[1]
    assert routed.field == "route_probability"
    # e0: 0.5, 1 of 2: 0.25 x 2. e1: 1, both: 0. e2: LOW is 0.05, 1 of 2: 0.9025 + 0.0025.
    # e3: 0.25, 0 of 2: 0.0625 x 2. Together 0.5 + 0.905 + 0.125 of 8 trials.
    assert [group.name for group in routed.classes] == ["EXPERT_WEIGHT"]
    assert total(log, 1).score.brier == pytest.approx(1.53 / 8)
    # Only LOW is outside its range: 0.25 is within a factor 2 of half of one trial in two.
    wrong = [one for one in log.wrong if one.field == "route_probability"]
    assert [(one.object, one.observed) for one in wrong] == [("e[2]", 0.5)]
    assert [(one.object, one.why) for one in log.never_read] == [("e[3]", Why.UNREAD)]


TEMPLATE = "template kv { class = KV_BLOCK reuse = EVERY(ITERATION) }\n" + weight("a") + weight("b")
CACHED = "phase decode { step s { reads = [a, b, kv] writes = [kv] } }\n"


def test_a_cache_block_is_tried_by_the_runs_that_find_it_there() -> None:
    log = compared(
        TEMPLATE + CACHED,
        (0, "STEP", "decode", 0),
        (0, "CREATE", "kv(0,0)", 0),
        (0, "WRITE", "kv(0,0)", 0),  # made here: nothing is read again
        (10, "STEP", "decode", 0),
        (10, "WRITE", "kv(0,0)", 0),  # the step reads it as well: one trial, one event
        (10, "CREATE", "kv(0,1)", 0),
        (10, "WRITE", "kv(0,1)", 0),
        (20, "STEP", "decode", 0),
        (20, "READ", "kv(0,0)", 0),  # and kv(0,1) is not: two trials, one event
        (20, "RETIRE", "kv(0,0)", 0),
        (30, "STEP", "decode", 0),
        (31, "RETIRE", "kv(0,1)", 0),  # was over already: no trial
    )
    (group,) = log.scored[0].classes
    assert (group.name, group.score.trials, group.score.observed) == ("KV_BLOCK", 3, 2 / 3)


PLAN = """plan toy { machine = "toy" phase decode {
  override a { first_use_us = 0 @ 0.5 last_use_us = 20 @ 0.5 }
  override b { first_use_us = 20 last_use_us = 20 }
} }
"""
STEPS = "phase decode { step s { reads = [a] } step t { reads = [a, b] } }\n"


def timed(*starts: tuple[int, int, int]) -> Compared:
    """Runs that begin, read a, and read a and b at these microseconds."""
    events: list[Event] = []
    for begin, first, second in starts:
        events += [(begin, "STEP", "decode", 0), (first, "READ", "a", 0)]
        events += [(first, "STEP", "decode", 1)]
        events += [(second, "READ", "a", 0), (second, "READ", "b", 0)]
    return compared(weight("a") + weight("b") + STEPS + PLAN, *events)


@pytest.mark.mechanism("S0-41")
def test_times_count_from_the_run_and_within_a_factor_of_2() -> None:
    # first use of a: at 1, 2 and 9 us, said 0: both at least 1 us, so the first two hold
    # first use of b = last use of both: at 11, 40 and 9 us, said 20: 9 is earlier
    log = timed((0, 1, 11), (100, 102, 140), (200, 209, 209))
    first, last = log.timed
    assert (first.field, first.estimates, first.chances) == ("first_use_us", 2, 6)
    assert (first.held, first.earlier, first.later) == (4, 1, 1)
    assert (last.held, last.earlier, last.later) == (4, 2, 0)
    # Only a's times say how sure they are: 0.5 in each of 3 runs.
    assert first.confidence is not None
    assert (first.confidence.trials, first.confidence.observed) == (3, 2 / 3)
    assert first.confidence.brier == pytest.approx(0.25)
    assert {one.object: one.observed for one in log.wrong} == {"a": 11.0, "b": 11.0}


def test_a_plan_of_another_machine_says_nothing_unless_asked_for() -> None:
    module = module_of(weight("a") + weight("b") + STEPS + PLAN)
    log = lines((0, "STEP", "decode", 0), (1, "READ", "a", 0), machine="other")
    assert compare(module, log, "log").logs[0].timed == ()
    assert compare(module, log, "log", "toy").logs[0].plan == "toy"
    with pytest.raises(CouldNotRun, match="there is no plan `big` in this file"):
        compare(module, log, "log", "big")


def test_never_read_says_why() -> None:
    text = (
        weight("a")
        + weight("b")
        + weight("other")
        + "object made { class = ACTIVATION }\nextern object far { class = CONSTANT }\n"
        "phase decode { step s { reads = [a, b] writes = [made] } }\n"
        "phase later { step s { reads = [other] } }\n"
    )
    log = compared(text, *runs(("a",)), (5, "WRITE", "made", 0))
    assert [(one.object, one.why) for one in log.never_read] == [
        ("b", Why.UNREAD),
        ("other", Why.ELSEWHERE),
        ("made", Why.WRITTEN),
    ]


def test_parts_whose_rows_were_gathered_have_no_score() -> None:
    text = "".join(weight(f"t[{i}:{i + 1}]", "reuse = 0.5") for i in range(2))
    log = compared(
        text + "phase decode { step s { reads = [TOUCH(t, 4KiB)] } }\n",
        *runs(("t[0:1](decode)",)),
    )
    assert log.scored[0].total is None
    assert log.unscored == (("reuse = 0.5", 2),)
    assert log.never_read == ()


def test_a_phase_without_steps_is_read_as_the_simulator_reads_it() -> None:
    log = compared(weight("a", "reuse = EVERY(ITERATION)") + "phase decode { }\n", *runs(("a",)))
    assert total(log).score.brier == 0


NAMES = st.sampled_from(["w0", "w1", "w2", "w3"])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sets(NAMES), min_size=1, max_size=8))
def test_a_perfectly_true_declaration_scores_zero(read: list[set[str]]) -> None:
    # What every run read is EVERY(ITERATION), what none read NONE; the rest is not declared here.
    every = set.intersection(*read)
    some = set.union(*read)
    declared = "".join(
        weight(f"w{i}", f"reuse = {'EVERY(ITERATION)' if f'w{i}' in every else 'NONE'} @ 1.0")
        for i in range(4)
        if f"w{i}" in every or f"w{i}" not in some
    )
    rest = "".join(weight(f"w{i}") for i in range(4) if f"object w{i} " not in declared)
    text = declared + rest + "phase decode { step s { reads = [w0, w1, w2, w3] } }\n"
    log = compared(text, *runs(*(tuple(sorted(names)) for names in read)))
    assert log.wrong == ()
    if declared:
        assert total(log).score.brier == 0
        assert total(log).held == total(log).estimates
        assert log.scored[0].confidence is not None
        assert log.scored[0].confidence.brier == 0


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(4)), st.permutations(range(4)), st.lists(st.sets(NAMES), min_size=1))
def test_the_order_of_objects_does_not_matter(
    declared: list[int], read: list[int], seen: list[set[str]]
) -> None:
    reuse = ("HIGH @ 0.3", "0.3", "EVERY(ITERATION) @ 0.7", "LOW")

    def log(order: list[int], inside: list[int]) -> Compared:
        text = "".join(weight(f"w{i}", f"reuse = {reuse[i]}") for i in order)
        names = ", ".join(f"w{i}" for i in inside)
        text += f"phase decode {{ step s {{ reads = [{names}] }} }}\n"
        ordered = [tuple(f"w{i}" for i in inside if f"w{i}" in names) for names in seen]
        return compared(text, *runs(*ordered))

    one, other = log([0, 1, 2, 3], [0, 1, 2, 3]), log(declared, read)
    assert one.scored == other.scored
    assert one.wrong == other.wrong


STEP: Event = (0, "STEP", "decode", 0)


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([STEP, (0, "READ", "c", 0)], "does not declare `c`"),
        ([STEP, (0, "READ", "c(0,1)", 0)], r"does not declare `c\(0,1\)`"),
        ([STEP, (0, "READ", "(", 0)], r"does not declare `\(`"),
        ([(0, "STEP", "decode", 1)], "line 2 of `log` is of another file: `decode` has no step 1"),
        ([(0, "STEP", "decode", -1)], "has no step -1"),
        ([(0, "READ", "a", 0)], "line 2 of `log` uses an object before any step"),
        ([(5, *STEP[1:]), (4, "READ", "a", 0)], "line 3 of `log` goes back in time"),
        ([(-1, *STEP[1:])], "line 2 of `log` goes back in time"),
    ],
)
def test_a_log_that_no_run_of_this_file_wrote_is_refused(events: list[Event], message: str) -> None:
    with pytest.raises(CouldNotRun, match=message):
        compared(weight("a") + weight("b") + READS, *events)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[0,9,0,0]", "line 4 of `log` has a kind that its header does not name"),
        ("[0,-1,0,0]", "has a kind that its header does not name"),
        ("[0,0,1,0]", "has a phase that its header does not name"),
        ("[0,1,1,0]", "has an object that its header does not name"),
        ("[0,1,-1,0]", "has an object that its header does not name"),
        ("[9223372036854775808,1,0,0]", "line 4 of `log` is not a row of 4 whole numbers"),
    ],
)
def test_numbers_out_of_range_are_refused_with_their_line(line: str, message: str) -> None:
    good = lines(STEP, (0, "READ", "a", 0), (0, "READ", "a", 0))
    module = module_of(weight("a") + weight("b") + READS)
    assert compare(module, good, "log").logs
    with pytest.raises(CouldNotRun, match=message):
        compare(module, [*good[:3], line], "log")


def test_a_dead_block_is_not_used_again() -> None:
    with pytest.raises(CouldNotRun, match=r"uses `kv\(0,0\)` after its life ended"):
        compared(
            TEMPLATE + CACHED,
            STEP,
            (0, "CREATE", "kv(0,0)", 0),
            (0, "RETIRE", "kv(0,0)", 0),
            (0, "READ", "kv(0,0)", 0),
        )


def test_a_log_of_other_columns_or_phases_is_refused() -> None:
    module = module_of(weight("a") + weight("b") + READS)
    header = lines(STEP)[0]
    with pytest.raises(CouldNotRun, match="the log has no column `kind`"):
        compare(module, [header.replace('"kind"', '"sort"')], "log")
    with pytest.raises(CouldNotRun, match="the log has no kind of event `READ`"):
        compare(module, [header.replace('"READ"', '"SEE"')], "log")
    with pytest.raises(CouldNotRun, match="this one has no phase `prefill`"):
        compare(module, lines(STEP, phases=("decode", "prefill")), "log")


def test_deadlines_are_held_against_what_steps_waited() -> None:
    text = (
        weight("a", "deadline_class = HARD deadline_us = 3")
        + weight("b", "deadline_class = SOFT")
        + READS
    )
    # a lands 2 us and 5 us after the steps begin that read it, once before; b once 1 us after
    log = compared(
        text,
        (0, "STEP", "decode", 0),
        (0, "ISSUE", "a", 0),
        (0, "ISSUE", "b", 0),
        (1, "LAND", "b", 0),
        (2, "LAND", "a", 0),
        (2, "READ", "a", 0),
        (2, "READ", "b", 0),
        (10, "STEP", "decode", 0),
        (10, "ISSUE", "a", 0),
        (12, "LAND", "b", 0),  # a copy of it, below: nobody sent for it
        (15, "LAND", "a", 0),
        (15, "READ", "a", 0),
        (15, "READ", "b", 0),
        (16, "ISSUE", "a", 0),
        (17, "LAND", "a", 0),
        (20, "STEP", "decode", 0),
        (20, "READ", "a", 0),
    )
    hard, soft = log.deadlines
    assert (hard.klass, hard.objects, hard.uses, hard.waited) == ("HARD", 1, 3, 2)
    assert (hard.bounded, hard.missed, hard.longest_us) == (3, 1, 5.0)
    assert (soft.uses, soft.waited, soft.bounded) == (2, 1, 0)
