"""Event logs written by hand: what happened, one word and a few numbers a row."""

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module
from mirc.observe.compare import Compared, compare
from mirc.traces.events import EventHeader, EventLog, dump

KINDS = ("STEP", "READ", "WRITE", "CREATE", "RETIRE")
MOVES = ("ISSUE", "LAND")  # known to a log only if it has some
US = 1_000_000  # picoseconds

Event = tuple[int, str, str, int]  # microseconds, kind, phase or object, position


def module_of(text: str) -> Module:
    return load(Source("toy.mir", f"mir 1.0\n{text}"))


def lines(*events: Event, phases: tuple[str, ...] = ("decode",), machine: str = "toy") -> list[str]:
    """Write a log whose objects are those that its events name, in that order."""
    objects = tuple(dict.fromkeys(what for _, kind, what, _ in events if kind != "STEP"))
    kinds = (*KINDS, *MOVES) if any(kind in MOVES for _, kind, *_ in events) else KINDS
    header = EventHeader(
        machine=machine,
        policy="lru",
        columns=("time_ps", "kind", "object", "bytes"),
        kinds=kinds,
        reasons=(),
        memories=(),
        phases=phases,
        objects=objects,
    )
    rows = [
        (
            time * US,
            kinds.index(kind),
            phases.index(what) if kind == "STEP" else objects.index(what),
            number,
        )
        for time, kind, what, number in events
    ]
    return "".join(dump([EventLog(header, rows)])).splitlines(keepends=True)


def compared(text: str, *events: Event, phases: tuple[str, ...] = ("decode",)) -> Compared:
    (log,) = compare(module_of(text), lines(*events, phases=phases), "log").logs
    return log


def runs(*read: tuple[str, ...], phase: str = "decode") -> list[Event]:
    """Return one run of a one-step phase for each tuple of names that it read, 10 us apart."""
    events: list[Event] = []
    for number, names in enumerate(read):
        events.append((10 * number, "STEP", phase, 0))
        events += [(10 * number, "READ", name, 0) for name in names]
    return events
