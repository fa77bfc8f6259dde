"""What acts on the world between two steps, and each of its actions as a row that says why."""

from collections.abc import Iterator
from typing import Protocol

import attrs

from mirc.kernels.world import World


@attrs.frozen(kw_only=True)
class Happening:
    """One row of a stage's audit: at ``time_ps``, before ``step``, ``actor`` did ``what``.

    ``object`` is whom it was done to and ``for_whom`` the object, tenant or claim for whose sake
    ("" where nothing applies); ``outcome`` is one word, ``detail`` a clause that gives the figures.
    ``covers`` names the objects that it concerns where they are several.
    """

    time_ps: int
    step: int
    actor: str
    what: str
    object: str = ""
    outcome: str = ""
    for_whom: str = ""
    detail: str = ""
    covers: tuple[str, ...] = ()


class Stage(Protocol):
    """A part of the controller that is too dear, rare or verbose for the compiled loop.

    The engine plays the steps up to the nearest ``due`` of its stages, lets those that are due act
    in the order in which they were given, and goes on. Nothing of the future is shown to them but
    that a step begins.
    """

    @property
    def name(self) -> str:
        """What a report calls it."""

    def due(self, step: int) -> int:
        """Return the next step, ``step`` or later, before which it acts; NEVER if there is none."""

    def act(self, w: World, step: int) -> Iterator[Happening]:
        """Act on the world before ``step`` begins; yield what was done, in order."""
