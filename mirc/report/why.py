"""The log of a run and one object's name into its story: where it was, what moved it, and why."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from mirc.controller.stage import Happening
from mirc.diagnostics import CouldNotRun
from mirc.ir.suggest import closest
from mirc.report.units import size_text, time_text
from mirc.simulate.claims import ClaimStage
from mirc.traces.events import EventLog

MOST_TOLD = 60
"""Lines of a story that are printed; of a longer one the first and the last half of so many."""

# What is said of each kind of event, from the object's side; ``s`` is the source, ``t`` the target.
WORDS = {
    "HOME": "its master takes {bytes} in {t}",
    "ISSUE": "takes {bytes} of {t}, to come from {s}",
    "START": "begins to cross from {s} to {t}",
    "LAND": "has arrived in {t}",
    "CREATE": "comes into being in {t}",
    "DROP": "leaves {s}, where its copy was clean",
    "WRITE_BACK": "has to leave {s}, by way of {t}",
    "KEEP": "stays after all, though it was leaving",
    "RETIRE": "ends: no copy of it remains",
    "CANCEL": "is no longer to come: its prefetch is taken back",
    "PROMOTE": "is waited for while it comes: its prefetch becomes a demand",
    "READ": "is read",
    "WRITE": "is written",
    "REFUSE": "is not prefetched",
    "FORGET": "leaves {s} without a copy, to be made again",
    "REMAKE": "begins to be made again",
    "REMADE": "has been made again",
    "COPY": "is copied to {t} ahead of need",
    "RESIZE": "changes its size to {bytes}",
    "FAIL": "arrives in {t} damaged, and is sent from {s} again",
}
# Clauses for each reason, after "because".
REASONS = {
    "NEEDED": "the step uses it",
    "PLANNED": "the plan uses it next",
    "PRESSURE": "a step needs the room",
    "FARTHER": "something that is used sooner needs the room",
    "STREAMED": "the placement does not keep it",
    "ENDED": "its life ends",
    "NO_ROOM": "nothing that may leave would make room for it",
    "TOO_EARLY": "its use is beyond the horizon",
    "ENOUGH_AHEAD": "as much as is allowed lies ready unused",
    "PLACED": "it lay there when the run began",
    "CHEAPER": "making it again costs less time than moving it",
    "CHANGED": "what it was fetched for does not come, or not now",
    "TOGETHER": "another member of its coalition was asked for",
    "GUESSED": "it may be used, and a link had nothing else to do",
    "IDLE": "it will have to leave, and the way out had room",
    "DAMAGED": "what arrived is not what was sent",
    "QUOTA": "its tenant may not hold more there",
}
_NEAR, _COMING, _GOING, _AWAY = "near", "on its way", "on its way out", "not near"
_STATES = {
    "ISSUE": _COMING,
    "CREATE": _NEAR,
    "KEEP": _NEAR,
    "REMAKE": "being made again",
    "REMADE": _NEAR,
    "WRITE_BACK": _GOING,
    "DROP": _AWAY,
    "FORGET": _AWAY,
    "CANCEL": _AWAY,
    "RETIRE": "gone",
}


@attrs.frozen(kw_only=True)
class Told:
    """One thing that happened to the object, or for its sake to another."""

    time_ps: int
    step: int
    phase: str
    position: int
    what: str
    reason: str = ""
    because: str = ""
    by: str = "controller"
    other: str = ""
    kind: str = ""
    target: str = ""


@attrs.frozen(kw_only=True)
class Story:
    """All that a run's log says of one object; ``at_step`` of a story of one step, else None.

    ``before`` is where it was when that step began, ``since`` what brought it there.
    """

    machine: str
    policy: str
    object: str
    told: tuple[Told, ...]
    at_step: int | None = None
    before: str = ""
    since: Told | None = None


@attrs.frozen(kw_only=True)
class Asked:
    """``OBJECT`` or ``OBJECT@STEP``."""

    object: str
    step: int | None


def asked(text: str) -> Asked:
    """Read what ``--why`` was given; raise CouldNotRun for a step that is no number."""
    name, mark, step = text.rpartition("@")
    if not mark:
        return Asked(object=text, step=None)
    if not step.isascii() or not step.isdigit() or len(step) > 9:
        raise CouldNotRun(f"`{step}` is not a step", "write OBJECT or OBJECT@STEP, from step 0 on")
    return Asked(object=name, step=int(step))


def story(log: EventLog, happenings: Sequence[Happening], question: Asked) -> Story:
    """Tell of one object; raise CouldNotRun for one, or a step, that the run does not have."""
    header = log.header
    if question.object not in header.objects:
        near = closest(question.object, header.objects)
        inside = [name for name in header.objects if name.startswith(f"{question.object}(")]
        meant = near or next(iter(inside), None)
        raise CouldNotRun(
            f"there is no object `{question.object}` in this run",
            f"did you mean `{meant}`?" if meant else "name one of the file's, or an instance of it",
        )
    acted = _acted(happenings, question)
    told = tuple(_merged(list(_told(log, question.object)), acted))
    found = Story(machine=header.machine, policy=header.policy, object=question.object, told=told)
    if question.step is None:
        return found
    last = max((row[header.columns.index("step")] for row in log.rows), default=0)
    if question.step > last:
        raise CouldNotRun(f"the run has no step {question.step}", f"choose one from 0 to {last}")
    near = header.memories[0]
    where, since = _state([each for each in told if each.step < question.step], near)
    return attrs.evolve(
        found,
        at_step=question.step,
        before=where,
        since=since,
        told=tuple(each for each in told if each.step == question.step),
    )


def _told(log: EventLog, name: str) -> Iterator[Told]:
    """Yield what happened to the object, and what happened to others for its sake."""
    header = log.header
    me = header.objects.index(name)
    column = {key: place for place, key in enumerate(header.columns)}
    kind_at, object_at, cause_at = column["kind"], column["object"], column.get("cause")
    phase, position = "", 0
    for row in log.rows:
        kind = header.kinds[row[kind_at]]
        if kind == "STEP":
            phase, position = header.phases[row[object_at]], row[column["bytes"]]
            continue
        cause = row[cause_at] if cause_at is not None else -1
        if me not in (row[object_at], cause) or kind not in WORDS:
            continue
        mine = row[object_at] == me
        place = _places(header.memories, row, column)
        what = WORDS[kind].format(**place)
        other = cause if mine else row[object_at]
        reason = "" if kind == "LAND" else header.reasons[row[column["reason"]]]
        yield Told(
            time_ps=row[column["time_ps"]],
            step=row[column["step"]],
            phase=phase,
            position=position,
            what=what if mine else f"for its sake, `{header.objects[other]}` {what}",
            reason=reason,
            because=REASONS.get(reason, ""),
            other=header.objects[other] if other >= 0 else "",
            kind=kind if mine else "",
            target=place["t"],
        )


def _places(memories: Sequence[str], row: Sequence[int], column: dict[str, int]) -> dict[str, str]:
    def named(key: str) -> str:
        number = row[column[key]]
        return memories[number] if number >= 0 else "nowhere"

    return {"s": named("source"), "t": named("target"), "bytes": size_text(row[column["bytes"]])}


def _acted(happenings: Sequence[Happening], question: Asked) -> list[Told]:
    """Return what stages did to the object, or for its sake, and what was observed at the step."""
    found = []
    name = question.object
    for each in happenings:
        observed = each.what == "observed" and each.step == question.step
        if observed or name in (each.object, each.for_whom, *each.covers):
            whom = each.object if each.for_whom == name else each.for_whom
            found.append(
                Told(
                    time_ps=each.time_ps,
                    step=each.step,
                    phase="",
                    position=0,
                    what=_deed(each, name),
                    because=each.detail,
                    by=each.actor,
                    other=whom if whom != name else "",
                )
            )
    return found


def _deed(each: Happening, name: str) -> str:
    """Return what a stage did: of a claim, which; of what it did for the named one, to whom."""
    said = " ".join(part for part in (each.what, each.outcome) if part)
    if each.actor == ClaimStage.name:
        said = f"claim `{each.outcome}` {each.what}"
    if name == each.for_whom and each.object not in ("", name):
        return f"for its sake, of `{each.object}`: {said}"
    return said


def _merged(events: list[Told], acted: list[Told]) -> Iterator[Told]:
    """Put what stages did before a step before the events of that step."""
    waiting = list(acted)
    for event in events:
        while waiting and (waiting[0].step, waiting[0].time_ps) <= (event.step, event.time_ps):
            yield waiting.pop(0)
        yield event
    yield from waiting


def _state(told: Sequence[Told], near: str) -> tuple[str, Told | None]:
    """Return where the object is after what was told, and what brought it there."""
    where, since, home = _AWAY, None, ""
    for each in told:
        after = _STATES.get(each.kind, where)
        if each.kind == "WRITE_BACK":
            home = each.target
        if each.kind == "LAND" and where == _COMING and each.target == near:
            after = _NEAR
        if each.kind == "LAND" and where == _GOING and each.target == home:
            after = _AWAY
        if after != where:
            where, since = after, each
    return where, since


def as_text(stories: Sequence[Story]) -> str:
    """Return the stories as lines, one paragraph each."""
    return "\n".join("".join(f"{line}\n" for line in _lines(each)) for each in stories)


def _lines(found: Story) -> Iterator[str]:
    yield f"`{found.object}` on {found.machine} under {found.policy}"
    if found.at_step is not None:
        since = found.since
        why = f", since step {since.step}: it {_said(since)}" if since else ""
        yield f"  when step {found.at_step} began it was {found.before}{why}"
    lines = [f"  {_when(each)}: {_said(each)}" for each in found.told]
    if len(lines) > MOST_TOLD:
        half = MOST_TOLD // 2
        left = len(lines) - 2 * half
        lines[half:-half] = [f"  ... and {left:,} more; `--output-format json` tells all"]
    yield from lines or ["  nothing happened to it"]


def _when(each: Told) -> str:
    where = f" ({each.phase}, its step {each.position})" if each.phase else ""
    return f"step {each.step}{where}, {time_text(each.time_ps)}"


def _said(each: Told) -> str:
    text = each.what if each.by == "controller" else f"{each.by}: {each.what}"
    if each.other and f"`{each.other}`" not in text:
        text = f"{text}, for `{each.other}`"
    return (
        f"{text}, because {each.because}" if each.reason else f"{text}; {each.because}".rstrip("; ")
    )


def as_object(stories: Sequence[Story]) -> dict[str, Any]:
    """Return the same as plain data: times in picoseconds, all of every story."""
    return {
        "name": "mirc",
        "schema": "urn:mirc:schema:why:1",
        "format_version": "1.0",
        "stories": [attrs.asdict(each) for each in stories],
    }
