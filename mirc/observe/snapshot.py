"""A snapshot of CUDA's memory, as PyTorch dumps it, into the blocks that were taken and freed."""

import io
import pickle
import pickletools
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NoReturn, TypeVar

from mirc.diagnostics import CouldNotRun
from mirc.traces.observations import ObservationHeader, Part

SNAPSHOT = "snapshot"
_T = TypeVar("_T")
_HINT = "write it with `torch.cuda.memory._dump_snapshot`"
_SHORTER = "record less: `_record_memory_history(max_entries=...)`"
_PS_PER_US = 1_000_000
_MOST_HELD = 4 << 30
"""Bytes that a pickle may take as Python holds it: packed, a thousandth of them can ask for it."""
_MOST_EVENTS = 20_000_000
"""And blocks: what is written once can be referred to a million times."""
_LIMIT = 1 << 63
_SEEN = ("alloc", "free_completed")  # tuples: a stranger's value need not have a hash
_TAKEN = ("active_allocated", "active_awaiting_free", "active_pending_free")
# What a dump of plain data needs: no global is ever looked up, nothing is called.
_PLAIN = (
    "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT "
    "BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM "
    "SETITEMS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET "
    "MEMOIZE POP POP_MARK DUP"
)
_ALLOWED = frozenset(_PLAIN.split())
_COST = {  # bytes of one, with where it is kept; of anything else ``_LEAST``
    **dict.fromkeys(("EMPTY_DICT", "DICT"), 240),
    **dict.fromkeys(("EMPTY_LIST", "LIST"), 96),
    **dict.fromkeys((word for word in _ALLOWED if "TUPLE" in word), 64),
    **dict.fromkeys((word for word in _ALLOWED if "STRING" in word or "UNI" in word), 64),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), 48),
    **dict.fromkeys(("INT", "BININT", "BININT2", "LONG", "LONG1", "LONG4"), 40),
    **dict.fromkeys(("FLOAT", "BINFLOAT"), 32),
}
_LEAST = 20
_MEMO = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})


class _Plain(pickle.Unpickler):
    """Builds plain data and nothing else."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names `{module}.{name}`")

    def persistent_load(self, pid: object) -> NoReturn:
        raise pickle.UnpicklingError(f"it refers to `{pid}` outside")


def observed(data: bytes, name: str) -> Iterator[tuple[int, Part]]:
    """Yield a header, what was taken when recording began, then what was taken and freed.

    Only the first device with a history is read; without one, what is taken at the end. Raises
    CouldNotRun for a pickle of anything but plain data, and for one that is no snapshot.
    """
    snapshot = _plain(data, name)
    if not isinstance(snapshot, dict) or not isinstance(snapshot.get("segments"), list):
        raise CouldNotRun(f"`{name}` is no snapshot of CUDA's memory", _HINT)
    yield 1, ObservationHeader(source=SNAPSHOT, machine="cuda", policy="pytorch", uses=False)
    traces = snapshot.get("device_traces") or []
    if not isinstance(traces, list):
        raise CouldNotRun(f"`{name}` has a history that is no list of events", _HINT)
    trace = next((each for each in traces if isinstance(each, list) and each), [])
    rows = list(_rows(trace, name))
    taken = list(_taken(snapshot["segments"], name))
    before = _before(taken, rows)
    for row in chain((("alloc", 0, size) for size in before), rows):
        yield 1, row


def _few(found: Iterable[_T], name: str) -> Iterator[_T]:
    for count, each in enumerate(found):
        if count == _MOST_EVENTS:
            raise CouldNotRun(f"`{name}` has more than {_MOST_EVENTS:_} blocks or events", _SHORTER)
        yield each


def _before(taken: list[int], rows: list[tuple[str, int, int]]) -> list[int]:
    """Return the blocks that were there when recording began: taken in the end, less the net."""
    left: dict[int, int] = {}
    for size in taken:
        left[size] = left.get(size, 0) + 1
    for word, _, size in rows:
        left[size] = left.get(size, 0) + (1 if word == "free" else -1)
    return [size for size, count in sorted(left.items()) for _ in range(count)]


def _rows(trace: list[Any], name: str) -> Iterator[tuple[str, int, int]]:
    begin: int | None = None
    now = 0
    for entry in _few(trace, name):
        if not isinstance(entry, dict):
            raise CouldNotRun(f"`{name}` has a history that is no list of events", _HINT)
        action, size, time = entry.get("action"), entry.get("size"), entry.get("time_us", 0)
        if action not in _SEEN:
            continue
        if type(size) is not int or type(time) is not int or not 0 <= size < _LIMIT:
            raise CouldNotRun(f"`{name}` has an event without whole `size` and `time_us`", _HINT)
        begin = time if begin is None else begin
        now = max(now, min((time - begin) * _PS_PER_US, _LIMIT - 1))  # several threads write them
        yield ("alloc" if action == "alloc" else "free"), now, size


def _taken(segments: list[Any], name: str) -> Iterator[int]:
    """Yield the sizes of the blocks that were taken in the end."""
    for block in _few((block for each in segments for block in _blocks(each, name)), name):
        if not isinstance(block, dict):
            raise CouldNotRun(f"`{name}` has a block that is no dictionary", _HINT)
        if block.get("state") in _TAKEN:
            size = block.get("requested_size", block.get("size"))
            if type(size) is not int or not 0 <= size < _LIMIT:
                raise CouldNotRun(f"`{name}` has a block without a whole size", _HINT)
            yield size


def _blocks(segment: Any, name: str) -> list[Any]:
    blocks = segment.get("blocks") if isinstance(segment, dict) else None
    if not isinstance(blocks, list):
        raise CouldNotRun(f"`{name}` has a segment without its blocks", _HINT)
    return blocks


def _plain(data: bytes, name: str) -> Any:
    """Build what a pickle holds, if every opcode is one of plain data and memory is enough."""
    try:
        other, held = _looked(data)
        if other is None and held <= _MOST_HELD:
            return _Plain(io.BytesIO(data)).load()
    except Exception as error:
        raise CouldNotRun(f"`{name}` is a broken pickle", _HINT) from error
    if other is None:
        raise CouldNotRun(f"`{name}` takes more than {_MOST_HELD >> 30} GiB to read", _SHORTER)
    raise CouldNotRun(f"`{name}` is a pickle that does more than hold data ({other})", _HINT)


def _looked(data: bytes) -> tuple[str | None, int]:
    """Return the first opcode that plain data does not need, or None, and the bytes that all take.

    An index into the memo that is larger than what was written so far is none that a pickler
    writes: room for all below it would be made.
    """
    held = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if name not in _ALLOWED or (name in _MEMO and int(argument or 0) > count):
            return name, held
        held += _COST.get(name, _LEAST)
        if isinstance(argument, str | bytes):
            held += len(argument)
        if held > _MOST_HELD:
            break
    return None, held
