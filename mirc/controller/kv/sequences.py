"""A request for tokens into a sequence: its blocks, how far it is, and what it holds."""

from collections import deque
from enum import StrEnum

import attrs
from attrs import validators as v


class Phase(StrEnum):
    """Where one sequence stands; others stand elsewhere in the same step."""

    QUEUED = "QUEUED"
    """It wants its room; it uses no page."""
    PREFILL = "PREFILL"
    """It computes the tokens that it was given."""
    DECODE = "DECODE"
    """It makes a token a step."""
    ENDED = "ENDED"


@attrs.frozen(kw_only=True)
class Request:
    """What a sequence brings: its prompt by the names of its blocks, and how much it will make.

    Equal names after equal names are equal tokens. ``tokens`` is the prompt's length; the last
    block may be partly filled. ``generated`` names the blocks that its new tokens fill, so that a
    later prompt can find them; without names they are its own and end with it. ``session`` is the
    conversation that it belongs to, itself if it names none.
    """

    name: str
    tenant: str
    blocks: tuple[str | int, ...]
    tokens: int = attrs.field(validator=v.ge(0))
    new_tokens: int = attrs.field(default=0, validator=v.ge(0))
    generated: tuple[str | int, ...] = ()
    session: str = ""


@attrs.define(kw_only=True)
class Sequence:
    """A sequence in flight.

    ``keys`` and ``fill`` give its blocks so far: the key in the prefix tree, and the tokens. Those
    in ``own`` nobody else can name. The first ``sealed`` of them are as the prompt brought them,
    and are never written again. All tokens of the first ``done`` blocks are computed, and ``part``
    of the next; ``todo`` are still to be computed before it can go on decoding, ``left`` it will
    still make. ``held`` are its pages by group, with their blocks, in order. ``promised`` is the
    room that admission still owes it.
    """

    request: Request
    number: int
    domain: str
    phase: Phase = Phase.QUEUED
    keys: list[int] = attrs.field(factory=list)
    fill: list[int] = attrs.field(factory=list)
    own: dict[int, None] = attrs.field(factory=dict)
    sealed: int = 0
    done: int = 0
    part: int = 0
    todo: int = 0
    left: int = 0
    held: list[deque[tuple[int, int]]] = attrs.field(factory=list)
    promised: int = 0
    opened: bool = False  # whether the pages of block ``done`` are held
    drafting: bool = False  # whether a replay window is open over it
    loading: bool = False  # whether pages that it was given are still on their way
    resumed: bool = False  # whether it has lost its place before
    live: bool | None = None  # what signals said of its blocks
    dead_from: int | None = None  # blocks from here on will not be used again
    waits_for: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The request's name."""
        return self.request.name

    @property
    def session(self) -> str:
        """The conversation that it belongs to."""
        return self.request.session or self.request.name

    @property
    def tokens(self) -> int:
        """All tokens of its blocks, computed or not."""
        return sum(self.fill)

    def hint(self, block: int) -> bool | None:
        """Return what signals said of a block: whether it will be used again."""
        return False if self.dead_from is not None and block >= self.dead_from else self.live

    def grows(self, block: int, block_tokens: int) -> bool:
        """Say whether decoding may still append to a block."""
        return block >= self.sealed and self.fill[block] < block_tokens
