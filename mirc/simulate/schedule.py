"""A module's schedule into the bounded sequence of phase runs that is simulated."""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice, takewhile

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.grammar import parse_schedule
from mirc.ir import Module, Value
from mirc.ir.enums import PhaseKind
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.meaning import EveryNth, Repeat, Scheduled
from mirc.ir.resolve import read

DEFAULT_STEPS = 64
"""Iterations of an unbounded LOOP when nothing else bounds it."""

MOST_RUNS = 1_000_000
"""Phase runs beyond which a schedule is refused: files come from strangers."""

MOST_ROUNDS = 2_000_000
"""Rounds of a repetition, counted over all: a nest of EVERY must not spin without running."""


@attrs.frozen(kw_only=True)
class Schedule:
    """Phases in the order in which they run.

    ``iterated`` is the phase whose runs are the iterations of the report: the last phase of the
    innermost last repetition, else the last phase. In training an iteration is a whole round: the
    phases ``before``, in this order, then the iterated one. ``assumptions`` are sentences for the
    report.
    """

    runs: tuple[str, ...]
    iterated: str
    before: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def iterations(self) -> int:
        """Runs of the iterated phase."""
        return self.runs.count(self.iterated)


def schedule_of(module: Module, steps: int | None = None, text: str | None = None) -> Schedule:
    """Expand the module's schedule, or the one written in ``text``.

    ``steps`` counts runs of the iterated phase in all: the last repetition at the top (or the last
    phase, if there is none) goes on for as long as it takes, and the sequence ends with the run
    that completes them. Without ``steps`` a LOOP is cut at ``DEFAULT_STEPS``. Raises CouldNotRun if
    there is no phase, a phase is unknown or the sequence has no end.
    """
    if not module.phases:
        raise CouldNotRun(
            "the file declares no phase, so there is nothing to run",
            "add one with its steps: `phase decode_step { step a { reads = [...] } }`",
        )
    items, assumptions = _items(module, text)
    iterated = _iterated(items)
    limit = steps
    if steps is not None:
        if steps < 1:
            raise CouldNotRun(f"`--steps {steps}` runs nothing", "ask for at least 1")
        items = _unbounded(items)
    elif _loops(items):
        limit = DEFAULT_STEPS
        sentence = f"the schedule loops without end: cut after {limit} runs of `{iterated}`"
        assumptions = (*assumptions, sentence)
    runs = tuple(islice(_cut(_Expansion().runs(items), iterated, limit), MOST_RUNS + 1))
    if len(runs) > MOST_RUNS:
        raise CouldNotRun(
            f"the schedule asks for more than {MOST_RUNS:_} runs of phases",
            "bound it with `--steps`",
        )
    if iterated not in runs:
        raise CouldNotRun(f"the schedule never comes to `{iterated}`", "lower the n of its EVERY")
    before = _before(items, iterated, module)
    return Schedule(runs=runs, iterated=iterated, before=before, assumptions=assumptions)


def _items(module: Module, text: str | None) -> tuple[tuple[Scheduled, ...], tuple[str, ...]]:
    value: Value | None = parse_schedule(text) if text is not None else None
    if value is None and module.info is not None:
        value = module.info.value("schedule")
    if value is None:
        listed = ", ".join(module.phases)
        assumption = f"the file has no schedule: its phases run once each, as written ({listed})"
        return tuple(module.phases), (assumption,)
    items: tuple[Scheduled, ...] = FIELD_BY_KEY["schedule"].type.read(value)
    if not items:
        raise CouldNotRun("the schedule is empty", "name the phases that it runs, in order")
    for phase in _phases(items):
        _must_exist(phase, module)
    return items, ()


def _phases(items: tuple[Scheduled, ...]) -> Iterator[str]:
    for item in items:
        if isinstance(item, str):
            yield item
        else:
            yield from _phases(_body(item))


def _body(item: Repeat | EveryNth) -> tuple[Scheduled, ...]:
    return item.body if isinstance(item, Repeat) else (item.body,)


def _must_exist(name: str, module: Module) -> None:
    if name in module.phases:
        return
    near = get_close_matches(name, module.phases, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(module.phases)}"
    raise CouldNotRun(f"the schedule runs the phase `{name}`, which is not declared", hint)


def _iterated(items: tuple[Scheduled, ...]) -> str:
    repeats = [item for item in items if isinstance(item, Repeat)]
    plain = [item for item in items if isinstance(item, str)]
    last = repeats[-1] if repeats else plain[-1] if plain else items[-1]
    return last if isinstance(last, str) else _iterated(_body(last))


_TRAINING = (PhaseKind.BACKWARD, PhaseKind.OPTIMIZER_UPDATE)


def _before(items: tuple[Scheduled, ...], iterated: str, module: Module) -> tuple[str, ...]:
    """Return the phases that begin the rounds of training that end with the iterated phase.

    None where the rounds differ: where a nested repetition or an EVERY comes before it.
    """
    repeats = [item for item in items if isinstance(item, Repeat)]
    if repeats:
        return _before(repeats[-1].body, iterated, module)
    leading = tuple(takewhile(lambda item: isinstance(item, str), items))
    names = tuple(item for item in leading if isinstance(item, str))
    kinds = [read(module.phases[name], "kind") for name in names]
    if not names or names[-1] != iterated or not any(kind in _TRAINING for kind in kinds):
        return ()
    return names[:-1]


def _loops(items: tuple[Scheduled, ...]) -> bool:
    return any(
        not isinstance(item, str)
        and ((isinstance(item, Repeat) and item.count is None) or _loops(_body(item)))
        for item in items
    )


def _unbounded(items: tuple[Scheduled, ...]) -> tuple[Scheduled, ...]:
    for place in range(len(items) - 1, -1, -1):
        item = items[place]
        if isinstance(item, Repeat):
            return (*items[:place], Repeat(item.body))
    return (*items[:-1], Repeat(items[-1:]))


class _Expansion:
    """Counts, by place in the schedule, how often each EVERY was reached."""

    def __init__(self) -> None:
        self.reached: dict[tuple[int, ...], int] = {}
        self.rounds = 0

    def runs(self, items: tuple[Scheduled, ...], place: tuple[int, ...] = ()) -> Iterator[str]:
        for index, item in enumerate(items):
            here = (*place, index)
            if isinstance(item, str):
                yield item
            elif isinstance(item, EveryNth):
                self.reached[here] = self.reached.get(here, 0) + 1
                if self.reached[here] % item.nth == 0:
                    yield from self.runs((item.body,), here)
            else:
                yield from self._repeat(item, here)

    def _repeat(self, item: Repeat, place: tuple[int, ...]) -> Iterator[str]:
        turn = 0
        while item.count is None or turn < item.count:
            turn += 1
            self.rounds += 1
            if self.rounds > MOST_ROUNDS:
                raise CouldNotRun(
                    f"the schedule takes more than {MOST_ROUNDS:_} rounds of its repetitions",
                    "bound it with `--steps`, or lower the n of its EVERY",
                )
            yield from self.runs(item.body, place)


def _cut(runs: Iterator[str], iterated: str, limit: int | None) -> Iterator[str]:
    """End with the run that makes ``limit`` of the iterated phase."""
    seen = 0
    for phase in runs:
        yield phase
        seen += phase == iterated
        if seen == limit:
            return
