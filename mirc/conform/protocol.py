"""What a controller must let itself be asked, so that the contract of claims can be held to it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import attrs

from mirc.claims import Answer, Event, Key, Terms


@attrs.frozen(kw_only=True)
class Setting:
    """A pool of ``capacity`` blocks and a lower tier of ``lower``.

    ``min_active`` is the least that active work needs, ``quotas`` the most that the hard claims of
    a tenant may cover.
    """

    capacity: int
    min_active: int = 0
    lower: int = 0
    quotas: Mapping[str, int] = attrs.field(factory=dict)


class Adapter(Protocol):
    """One pool of one controller. Every block is of size 1.

    The keys of a claim or a request stand in token order, from the first: a block stands on the one
    before it, and two that begin alike share what they have in common.
    A request is active from ``active`` to ``finish``: its blocks are in use, and can be read from
    ``finish`` on, when they are kept as long as the controller likes. ``events`` is the telemetry
    since ``open``; an event of a block that goes stands there when ``resident`` no longer has it.
    What a controller does not offer it answers with UNSUPPORTED: that breaks no clause, and needs
    no event.
    """

    @property
    def name(self) -> str:
        """What a report calls it."""

    def open(self, setting: Setting) -> None:
        """Begin anew, with an empty pool, at time 0."""

    def claim(self, batch: Sequence[Terms]) -> Mapping[str, Answer]:
        """Decide claims that are asked for at once."""

    def release(self, name: str, holder: str) -> Answer:
        """Take a claim back from its holder."""

    def fail(self, name: str, why: str) -> Answer:
        """Hear that the blocks of a claim cannot be made."""

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        """Take in a request that uses these blocks, and makes those that are not there, or not."""

    def finish(self, name: str) -> None:
        """Let a request end: its blocks are made."""

    def advance(self, now: int) -> None:
        """Hear what time it is."""

    def signal(self, event: str) -> None:
        """Hear of an event that ends or binds claims."""

    def resident(self) -> Collection[Key]:
        """Return the blocks of the pool that can be read."""

    def events(self) -> Sequence[Event]:
        """Return what was said since ``open``."""
