"""The facts that nobody establishes: what the caller asked for."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import attrs

from mirc.ir import Value
from mirc.ir.enums import DType, ObjectClass
from mirc.machine import Machine

if TYPE_CHECKING:
    from mirc.traces.routing import RoutingTrace


@attrs.frozen
class Machines:
    """The machines to plan for; none is fine, the intent is portable.

    ``spelled`` says by what text a machine was asked for, where that is not its name: a file.
    """

    machines: tuple[Machine, ...] = ()
    spelled: Mapping[str, str] = attrs.field(factory=dict)

    def spelling(self, machine: Machine) -> str:
        """Return the text that loads the machine again."""
        return self.spelled.get(machine.name, machine.name)


@attrs.frozen
class Schedule:
    """The order of phases as the caller wrote it; None leaves it to the phase annotator."""

    written: tuple[Value, ...] | None = None


@attrs.frozen(eq=False)
class Observed:
    """What was seen of the model as it ran: which experts its tokens chose, or nothing."""

    routing: "RoutingTrace | None" = None


@attrs.frozen(kw_only=True)
class Options:
    """What the caller may choose.

    A default schedule decodes ``decode_runs`` times and trains for ``training_runs`` iterations,
    with a checkpoint after every ``checkpoint_every`` of them.
    ``floors`` declare precision floors by name pattern (``*`` and ``?``); the first that matches
    holds. ``classes`` are those that a file gives its objects already, by storage.
    """

    block_tokens: int = 16
    decode_runs: int = 128
    training_runs: int = 16
    checkpoint_every: int = 8
    floors: tuple[tuple[str, DType], ...] = ()
    wire: bool = False
    classes: Mapping[str, ObjectClass] = attrs.field(factory=dict)

    def floor_of(self, name: str) -> DType | None:
        """Return the declared precision floor of a storage, or None."""
        return next((dtype for pattern, dtype in self.floors if fnmatchcase(name, pattern)), None)
