"""Event logs of simulated runs into observations."""

from collections.abc import Iterable, Iterator
from itertools import chain

from mirc.diagnostics import CouldNotRun
from mirc.traces.events import EventHeader, EventLog
from mirc.traces.events import Row as Event
from mirc.traces.observations import ObservationHeader, Part, dump

_COLUMNS = ("time_ps", "kind", "object", "bytes")
_KINDS = ("STEP", "READ", "WRITE", "CREATE", "RETIRE")
_COMING = ("ISSUE", "LAND")
_HINT = "write it with `mirc simulate --events`"

SIMULATION = "simulation"


def observed(parts: Iterable[EventHeader | Event], name: str) -> Iterator[tuple[int, Part]]:
    """Yield (line, part) of what the logs show: steps, uses and lives; moves are left out.

    Raises CouldNotRun for a log of other columns or kinds, and for rows that its header does not
    explain.
    """
    log: _Log | None = None
    for number, part in enumerate(parts, 1):
        if isinstance(part, EventHeader):
            log = _Log(part)
            yield (
                number,
                ObservationHeader(
                    source=SIMULATION,
                    machine=part.machine,
                    policy=part.policy,
                    uses=True,
                    waits=log.issue is not None and log.land is not None,
                ),
            )
            yield from ((number, ("phase", phase)) for phase in part.phases)
            yield from ((number, ("object", each, None)) for each in part.objects)
        elif log is not None:
            kind = part[log.kind_at]
            if not 0 <= kind < log.kinds:
                raise CouldNotRun(
                    f"line {number} of `{name}` has a kind that its header does not name", _HINT
                )
            word = log.words.get(kind)
            if kind == log.issue:
                log.landed[part[log.object_at]] = 0
            elif kind == log.land and part[log.object_at] in log.landed:
                log.landed[part[log.object_at]] = part[log.time_at]
            elif word == "step":
                log.begin = part[log.time_at]
                yield number, (word, part[log.time_at], part[log.object_at], part[log.bytes_at])
            elif word is not None:
                waited = log.landed.pop(part[log.object_at], 0) - log.begin
                if waited > 0 and word in ("read", "write"):
                    yield number, ("wait", part[log.time_at], part[log.object_at], waited)
                yield number, (word, part[log.time_at], part[log.object_at])


def seen_in(logs: Iterable[EventLog]) -> Iterator[tuple[int, Part]]:
    """Yield the parts of an observation of each run that was logged, as ``observed`` does."""
    for log in logs:
        yield from observed(chain((log.header,), log.rows), "the log")


def recorded(header: EventHeader, rows: Iterable[Event]) -> Iterator[str]:
    """Yield the lines of the observation of a run that was logged, one after the other."""
    return dump(part for _, part in observed(chain((header,), rows), "the log"))


class _Log:
    """Where a log's columns and kinds stand."""

    def __init__(self, header: EventHeader) -> None:
        self.time_at, self.kind_at, self.object_at, self.bytes_at = (
            _place(header.columns, name, "column") for name in _COLUMNS
        )
        self.words = {_place(header.kinds, k, "kind of event"): k.lower() for k in _KINDS}
        self.kinds = len(header.kinds)
        self.issue, self.land = (
            header.kinds.index(kind) if kind in header.kinds else None for kind in _COMING
        )
        self.landed: dict[int, int] = {}  # what was sent for near memory: when it last arrived
        self.begin = 0  # of the step that runs


def _place(words: tuple[str, ...], word: str, noun: str) -> int:
    if word not in words:
        raise CouldNotRun(f"the log has no {noun} `{word}`", _HINT)
    return words.index(word)
