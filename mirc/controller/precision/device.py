"""Units, their forms and the rooms that hold them: transitions in, audit rows out."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import attrs

from mirc.claims.admission import Pool, admit
from mirc.controller.precision.states import NEAR, Means, State, edge
from mirc.controller.precision.units import Form, Place, Unit
from mirc.controller.precision.veto import Ruling, Veto, rule, rule_flight


class Act(StrEnum):
    """What was asked for."""

    MOVE = "MOVE"
    """To take another form in place."""
    DEPART = "DEPART"
    """To begin a transfer to another form."""
    LAND = "LAND"
    """To end a transfer where it leads to."""
    RECALL = "RECALL"
    """To end a transfer where it came from."""


class Outcome(StrEnum):
    """What came of it."""

    DONE = "DONE"
    STARTED = "STARTED"
    VETOED = "VETOED"
    NO_ROOM = "NO_ROOM"


@attrs.frozen(kw_only=True)
class Row:
    """One line of the audit log: what was asked, for what predicted gain and cost, and what came.

    ``gain_ps`` is the time that the scorer expects, ``freed_bytes`` what near memory gains (less
    than none: what it gives), ``doubt`` the unit's sensitivity times the rungs below the present
    one: the predicted cost in quality, a probability's scale and never a measurement.
    """

    number: int
    act: Act
    unit: str
    begin: Form
    end: Form
    outcome: Outcome
    means: Means | None = None
    veto: Veto | None = None
    why: str = ""
    gain_ps: float = 0.0
    freed_bytes: int = 0
    doubt: float = 0.0


@attrs.define
class _Held:
    unit: Unit
    form: Form
    coming: Form | None = None
    origin: Form | None = None


class Device:
    """All units of one controller; every attempt is a row, also one that was refused.

    Units begin at their home, in full precision, or as nothing that is made when needed. Masters
    stay in the ledger of their place for good. A transfer holds what departs and what it reserves
    until it lands or is recalled.
    """

    def __init__(self, rooms: Mapping[Place, int], units: Sequence[Unit]) -> None:
        """Take rooms in bytes; raises ValueError if the masters do not fit below."""
        self.rooms = dict(rooms)
        self.used = dict.fromkeys(Place, 0)
        self.regenerated_ps = 0
        self.log: list[Row] = []
        self._held: dict[str, _Held] = {}
        for unit in units:
            start = State.S6 if unit.home is None else unit.home
            if unit.name in self._held:
                raise ValueError(f"{unit.name} is there twice")
            self._held[unit.name] = _Held(unit, Form(start))
            self._take(unit.master())
        if any(self.used[place] > self.rooms.get(place, 0) for place in Place):
            raise ValueError("the masters do not fit into the memories below")

    def form(self, name: str) -> Form:
        """Return the form of a unit; S5 while it is on its way."""
        return self._held[name].form

    def coming(self, name: str) -> Form | None:
        """Return the form that is on its way, or None."""
        return self._held[name].coming

    def read(self, name: str) -> int:
        """Return the bytes that a use reads of near memory; raises LookupError if it is not near.

        What is on its way is not readable, wherever it comes from.
        """
        held = self._held[name]
        if held.form.state not in NEAR:
            raise LookupError(f"{name} is in {held.form}: it is not read there")
        return held.unit.bytes_of(held.form)

    def move(self, name: str, wanted: Form, gain_ps: float = 0.0) -> Row:
        """Change a form in place: narrow, compress, expand, drop, regenerate or release."""
        held = self._held[name]
        ruling = rule(held.unit, held.form, wanted)
        if ruling.veto is None and State.S5 in (held.form.state, wanted.state):
            ruling = Ruling(Veto.ILLEGAL, "a transfer is begun and ended as such")
        means = edge(held.form.state, wanted.state).means
        if ruling.veto is not None:
            return self._refused(Act.MOVE, held, wanted, ruling, gain_ps)
        before, after = held.unit.stored(held.form), held.unit.stored(wanted)
        grows = means in (Means.EXPAND, Means.REGENERATE)
        if grows and not self._fits(after):
            return self._no_room(Act.MOVE, held, wanted, gain_ps)
        row = self._row(Act.MOVE, held, wanted, Outcome.DONE, means=means, gain_ps=gain_ps)
        self._take(after)
        self._give(before)
        if means is Means.REGENERATE:
            self.regenerated_ps += held.unit.recompute_ps or 0
        held.form = wanted
        return row

    def depart(self, name: str, coming: Form, gain_ps: float = 0.0) -> Row:
        """Begin a transfer: its destination is reserved at once, or it is refused."""
        held = self._held[name]
        ruling = rule_flight(held.unit, held.form, coming)
        if ruling.veto is not None:
            return self._refused(Act.DEPART, held, coming, ruling, gain_ps)
        if not self._fits(held.unit.stored(coming)):
            return self._no_room(Act.DEPART, held, coming, gain_ps)
        row = self._row(
            Act.DEPART, held, coming, Outcome.STARTED, means=Means.DEPART, gain_ps=gain_ps
        )
        self._take(held.unit.stored(coming))
        held.origin, held.coming, held.form = held.form, coming, Form(State.S5)
        return row

    def land(self, name: str) -> Row:
        """End a transfer at its destination: from now on its bytes may be read."""
        return self._end(Act.LAND, name)

    def recall(self, name: str) -> Row:
        """End a transfer where it came from; its reservation is given back."""
        return self._end(Act.RECALL, name)

    def _end(self, act: Act, name: str) -> Row:
        held = self._held[name]
        origin, coming = held.origin, held.coming
        if origin is None or coming is None:
            nothing = Ruling(Veto.ILLEGAL, "it is not on its way")
            return self._refused(act, held, held.form, nothing, 0.0)
        end, left = (coming, origin) if act is Act.LAND else (origin, coming)
        row = self._row(act, held, end, Outcome.DONE, means=Means.ARRIVE)
        self._give(held.unit.stored(left))
        held.form, held.origin, held.coming = end, None, None
        return row

    def state_hash(self) -> str:
        """Return a digest of all that the rows have made of it."""
        lines = [f"{place} {used}" for place, used in sorted(self.used.items())]
        lines += [
            f"{name} {held.form} {held.origin} {held.coming}"
            for name, held in sorted(self._held.items())
        ]
        lines.append(f"{self.regenerated_ps} {len(self.log)}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _fits(self, need: Mapping[Place, int]) -> bool:
        return all(
            admit(
                size,
                Pool(
                    capacity=self.rooms.get(place, 0),
                    must_hold=self.used[place],
                    free=max(0, self.rooms.get(place, 0) - self.used[place]),
                ),
            ).admitted
            for place, size in need.items()
        )

    def _take(self, sizes: Mapping[Place, int]) -> None:
        for place, size in sizes.items():
            self.used[place] += size

    def _give(self, sizes: Mapping[Place, int]) -> None:
        for place, size in sizes.items():
            self.used[place] -= size

    def _refused(self, act: Act, held: _Held, wanted: Form, ruling: Ruling, gain_ps: float) -> Row:
        return self._row(
            act,
            held,
            wanted,
            Outcome.VETOED,
            veto=ruling.veto,
            why=ruling.why,
            gain_ps=gain_ps,
        )

    def _no_room(self, act: Act, held: _Held, wanted: Form, gain_ps: float) -> Row:
        why = "its destination has no room for it"
        return self._row(act, held, wanted, Outcome.NO_ROOM, why=why, gain_ps=gain_ps)

    def _row(
        self,
        act: Act,
        held: _Held,
        end: Form,
        outcome: Outcome,
        *,
        means: Means | None = None,
        veto: Veto | None = None,
        why: str = "",
        gain_ps: float = 0.0,
    ) -> Row:
        present = held.form if held.origin is None else held.origin
        known = end.rung < len(held.unit.rungs) and (
            end.state is not State.S2 or held.unit.compressed_bytes is not None
        )
        after = held.unit.near_bytes(end) if known else 0
        row = Row(
            number=len(self.log),
            act=act,
            unit=held.unit.name,
            begin=held.form,
            end=end,
            outcome=outcome,
            means=means,
            veto=veto,
            why=why,
            gain_ps=gain_ps,
            freed_bytes=held.unit.near_bytes(present) - after,
            doubt=held.unit.sensitivity * max(0, end.rung - present.rung),
        )
        self.log.append(row)
        return row


def replay(rooms: Mapping[Place, int], units: Sequence[Unit], rows: Iterable[Row]) -> Device:
    """Do again what a log says; raises ValueError at the first row that does not come out alike."""
    device = Device(rooms, units)
    for row in rows:
        if row.act is Act.MOVE:
            again = device.move(row.unit, row.end, row.gain_ps)
        elif row.act is Act.DEPART:
            again = device.depart(row.unit, row.end, row.gain_ps)
        elif row.act is Act.LAND:
            again = device.land(row.unit)
        else:
            again = device.recall(row.unit)
        if again != row:
            raise ValueError(f"row {row.number} does not replay: {again} instead of {row}")
    return device
