"""One managed unit: the forms that it may take, and the bytes of each in each memory."""

from enum import StrEnum

import attrs
from attrs import validators as v

from mirc.controller.precision.states import NEAR, STORED, State


class Place(StrEnum):
    """A kind of room whose bytes are counted."""

    NEAR = "near"
    WARM = "warm"
    COLD = "cold"


_PLACE = {State.S3: Place.WARM, State.S4: Place.COLD}


@attrs.frozen(order=True)
class Form:
    """A state and the rung of the ladder at which the bytes are: 0 is full precision."""

    state: State
    rung: int = attrs.field(default=0, validator=v.ge(0))

    def __attrs_post_init__(self) -> None:
        if self.state is State.S1 and self.rung == 0:
            raise ValueError("S1 is narrower than full precision: its rung is 1 or more")
        if self.state in (State.S0, State.S2, State.S6) and self.rung:
            raise ValueError(f"{self.state.name} is in full precision: its rung is 0")

    def __str__(self) -> str:
        return f"{self.state.name}/{self.rung}" if self.rung else self.state.name


def _falling(_: object, __: object, rungs: tuple[int, ...]) -> None:
    if not rungs or min(rungs) <= 0 or list(rungs) != sorted(rungs, reverse=True):
        raise ValueError("rungs are sizes in bytes, the widest first")


@attrs.frozen(kw_only=True)
class Unit:
    """A weight, a tile of one or an expert's weight: what is moved and narrowed as a whole.

    ``rungs`` are its bytes at each element type of its ladder, ``floor`` the last rung that it may
    ever be held at; ``sensitivity`` is the declared probability that one rung down visibly changes
    the output. ``home`` keeps its master in full precision, or is None for what has none;
    ``compressed_bytes`` is None for what is not compressed without loss. What has no master can be
    made again in ``recompute_ps``.
    """

    name: str
    rungs: tuple[int, ...] = attrs.field(validator=_falling)
    floor: int = attrs.field(default=0, validator=v.ge(0))
    sensitivity: float = attrs.field(default=0.0, validator=[v.ge(0), v.le(1)])
    home: State | None = State.S3
    compressed_bytes: int | None = None
    recompute_ps: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.home not in (None, *STORED):
            raise ValueError(f"{self.name}: a master is stored, in S3 or S4")
        if (self.home is None) == (self.recompute_ps is None):
            raise ValueError(f"{self.name} needs a master or a way to make it, and not both")

    @property
    def size_bytes(self) -> int:
        """Its bytes in full precision."""
        return self.rungs[0]

    @property
    def lowest(self) -> int:
        """The last rung that floor and ladder allow."""
        return min(self.floor, len(self.rungs) - 1)

    def bytes_of(self, form: Form) -> int:
        """Return the bytes that a form takes where it is; S6 takes none."""
        if form.state is State.S6:
            return 0
        if form.state is State.S2:
            if self.compressed_bytes is None:
                raise ValueError(f"{self.name} is not compressed")
            return self.compressed_bytes
        return self.rungs[form.rung]

    def near_bytes(self, form: Form) -> int:
        """Return what a form takes of near memory."""
        return self.bytes_of(form) if form.state in NEAR else 0

    def stored(self, form: Form) -> dict[Place, int]:
        """Return what a form takes beside the master: a copy of it, in the place of its state.

        What lies at its home in full precision is the master itself and takes nothing more.
        """
        if form.state in NEAR:
            return {Place.NEAR: self.bytes_of(form)}
        if form.state in STORED and (form.rung or form.state is not self.home):
            return {_PLACE[form.state]: self.bytes_of(form)}
        return {}

    def master(self) -> dict[Place, int]:
        """Return what the master takes at its home."""
        return {} if self.home is None else {_PLACE[self.home]: self.size_bytes}

    def forms(self) -> tuple[Form, ...]:
        """Return all forms that ladder and abilities allow, floor or not; S5 is on the way to one.

        Full precision and near memory come first: of equally good forms the first is taken.
        """
        found = [Form(State.S0), *(Form(State.S1, rung) for rung in range(1, len(self.rungs)))]
        if self.compressed_bytes is not None:
            found.append(Form(State.S2))
        if self.home is not State.S3:
            found.append(Form(State.S3))  # spilled, or staged above a cold master
        if self.home is not None:
            found += [Form(self.home, rung) for rung in range(len(self.rungs))]
        else:
            found.append(Form(State.S6))
        return tuple(found)
