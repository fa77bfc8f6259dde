"""A packed file into the essay's records, with which objects lose which field by it."""

from collections.abc import Mapping
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.ir import FIELD_BY_KEY, Field, Level, probability_of
from mirc.ir.resolve import Written
from mirc.packed.essay import MAX_OBJECTS, PARTS, dumps
from mirc.packed.model import Packed
from mirc.packed.tables import Kind
from mirc.packed.view import PackedView

_BY_KEY = {part.key: part for part in PARTS}
_COALITION, _DOMAIN, _ROUTE = "coalition_hints", "security_domain", "route_probability"
_MOST_CONFIDENCE = 7


@attrs.frozen(kw_only=True)
class Loss:
    """A field of some objects that a record says otherwise, or not at all."""

    key: str
    kept: bool
    """Whether the record has the field: then it is rounded, cut or one of several."""
    names: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Essay:
    """The records of a file, and what they lose of it.

    ``others`` are declarations that have no records at all: how many of each kind.
    """

    data: bytes
    records: int
    losses: tuple[Loss, ...]
    others: tuple[tuple[str, int], ...]


@attrs.frozen
class _Made:
    codes: dict[str, int]
    lost: tuple[str, ...]


def essay(packed: Packed) -> Essay:
    """Return what 141 bits an object can say: its own declaration with the defaults of its class.

    Raises CouldNotRun for more objects than 16-bit ids tell apart. O(objects).
    """
    if len(packed.data) > MAX_OBJECTS:
        raise CouldNotRun(
            f"the file has {len(packed.data):_} objects, and 16-bit ids tell {MAX_OBJECTS:_} apart",
            "pack it in rows: `mirc pack` without `--form essay`",
        )
    maker = _Maker(packed)
    known: dict[int, _Made] = {}
    records: list[Mapping[str, int]] = []
    lost: dict[str, list[str]] = {}
    for number, name in enumerate(packed.data):
        written = packed.written(name)
        if id(written) not in known:
            known[id(written)] = maker.record(name, written)
        made = known[id(written)]
        records.append({**made.codes, "id": number})
        for key in made.lost:
            lost.setdefault(key, []).append(name)
    losses = (
        Loss(key=key, kept=key in _BY_KEY or key == "confidence", names=tuple(names))
        for key, names in sorted(lost.items())
    )
    return Essay(
        data=dumps(records), records=len(records), losses=tuple(losses), others=_others(packed)
    )


class _Maker:
    """Makes records; knows the numbers of coalitions and domains."""

    def __init__(self, packed: Packed) -> None:
        self.view = PackedView(packed)
        self.coalitions = {name: place for place, name in enumerate(packed.coalitions, 1)}
        self.domains: dict[str, int] = {}

    def record(self, name: str, written: Written) -> _Made:
        """Return the codes of an object but its id, and the fields that they lose."""
        codes = {"valid": 1, "confidence": _confidence(written)}
        lost = [key for key in written if key not in _BY_KEY]
        for key, part in _BY_KEY.items():
            value = self._value(name, key)
            if key in (_COALITION, _DOMAIN):
                place, right = self._place(value)
                codes[key] = part.code(place)
                right = right and codes[key] == place
            else:
                codes[key] = part.code(value)
                right = value is None or part.value(codes[key]) == value
            if not right:
                lost.append(key)
        said = {field.confidence for field in written.values() if field.confidence is not None}
        if said - {codes["confidence"] / _MOST_CONFIDENCE}:
            lost.append("confidence")
        return _Made(codes, tuple(lost))

    def _value(self, name: str, key: str) -> Any:
        """Return what holds, a level that stands for a probability as that; None for others."""
        classes = FIELD_BY_KEY[key].classes
        if classes and self.view.class_of(name) not in classes:
            return None
        value = self.view.value(name, key)
        known = key == _ROUTE and isinstance(value, Level)
        return probability_of(key, value) if known else value

    def _place(self, value: tuple[str, ...] | str | None) -> tuple[int, bool]:
        """Return the number of the first name, and whether it was the only one."""
        if not value:
            return 0, True
        if isinstance(value, str):
            return self.domains.setdefault(value, len(self.domains) + 1), True
        return self.coalitions[value[0]], len(value) == 1


def _confidence(written: Mapping[str, Field]) -> int:
    """Return the least confidence in sevenths; seven without any."""
    said = (field.confidence for field in written.values() if field.confidence is not None)
    return round(min(said, default=1.0) * _MOST_CONFIDENCE)


_WORDS = {
    Kind.TENANT: "tenants",
    Kind.COALITION: "coalitions",
    Kind.CLAIM: "claims",
    Kind.PHASE: "phases",
    Kind.SIGNAL: "signals",
    Kind.PLAN: "plans",
    Kind.PLAN_PHASE: "phases of plans",
    Kind.OVERRIDE: "overrides of phases, signals and plans",
}


def _others(packed: Packed) -> tuple[tuple[str, int], ...]:
    kinds = packed.tables.blocks["kind"]
    counts = ((words, int((kinds == kind).sum())) for kind, words in _WORDS.items())
    names = len(packed.data)
    return (("names", names), *((words, count) for words, count in counts if count))
