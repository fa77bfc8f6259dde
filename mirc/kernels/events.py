"""What happened into rows of the event log, each with the reason for it."""

from enum import IntEnum

import numpy as np

from mirc.kernels.world import CAUSE, FAULT, LOG_FULL, LOGGED, NOW, RECORDING, STEP, World


class Kind(IntEnum):
    """What happened to the object."""

    HOME = 0
    """A master or backing copy takes its place in ``target``."""
    STEP = 1
    """A step begins; ``object`` is the phase, ``bytes`` the position in it."""
    ISSUE = 2
    """Near room is taken for an object that is to come from ``source``."""
    START = 3
    """It begins to cross the link from ``source`` to ``target``; staged there if not the last."""
    LAND = 4
    """Its last byte arrives in ``target``; in near memory it may be read from now on."""
    CREATE = 5
    """It comes into being in near memory."""
    DROP = 6
    """Its near copy, a clean one, is forgotten."""
    WRITE_BACK = 7
    """Its near copy is to be written to ``target``; its room is free when that has landed."""
    KEEP = 8
    """A copy that was leaving is wanted again and stays; its write-back to ``target`` goes on, or
    is taken back where ``target`` is near memory itself."""
    RETIRE = 9
    """Its life ends: no copy of it remains, or only the master of what was there before."""
    CANCEL = 10
    """A prefetch that had not begun, or came damaged too often, is taken back, and its room."""
    PROMOTE = 11
    """A step waits for what was being prefetched."""
    READ = 12
    """A step reads it in near memory."""
    WRITE = 13
    """A step changes it in near memory."""
    REFUSE = 14
    """A prefetch is not made."""
    ROOM = 15
    """The step's own working space of ``bytes`` is taken (or, negative, given back)."""
    END = 16
    """The step has computed."""
    FORGET = 17
    """Its near copy, of which there is no other, is dropped: it is to be made again."""
    REMAKE = 18
    """Near room is taken, and compute begins to make it again as soon as it is free."""
    REMADE = 19
    """It has been made again, and may be read."""
    COPY = 20
    """It begins to be copied to ``target`` and stays: once that has landed it can be dropped."""

    FAIL = 21
    """Its bytes arrive in ``target`` damaged, and are sent from ``source`` again."""
    RESIZE = 22
    """It is held in ``bytes`` from now on: near, if ``source`` says so, and in a copy in ``target``
    beside its master, for which the room is taken; or wide again, and then without that copy."""


class Reason(IntEnum):
    """Why."""

    NEEDED = 0
    """The running step uses it."""
    PLANNED = 1
    """The plan says that it is used next."""
    PRESSURE = 2
    """A step needs the room."""
    FARTHER = 3
    """Something that is used sooner needs the room."""
    STREAMED = 4
    """The placement does not keep it."""
    ENDED = 5
    """Its life ends."""
    NO_ROOM = 6
    """Nothing that may leave would make room for it."""
    TOO_EARLY = 7
    """Its use is beyond the horizon."""
    ENOUGH_AHEAD = 8
    """As much as allowed lies ready unused."""
    PLACED = 9
    """It lay there when the run began."""
    CHEAPER = 10
    """Making it again costs less time than moving it."""
    CHANGED = 11
    """What it was fetched for does not come, or not now."""
    TOGETHER = 12
    """Another member of its coalition was asked for."""
    GUESSED = 13
    """It is less likely than not to be used, and a link had nothing else to do."""
    IDLE = 14
    """It will have to leave, and the way out had room before that was urgent."""
    DAMAGED = 15
    """What arrived is not what was sent."""
    QUOTA = 16
    """Its tenant may not hold more in near memory."""


EVENT = np.dtype(
    [
        ("time_ps", "i8"),
        ("kind", "i8"),
        ("object", "i8"),
        ("source", "i8"),
        ("target", "i8"),
        ("bytes", "i8"),
        ("step", "i8"),
        ("reason", "i8"),
        ("cause", "i8"),
    ]
)
"""One row of a log: memories are numbered, near memory first; -1 where nothing applies.

``cause`` is the object for whose sake it was done.
"""

# The enum's members as plain integers: what compiled code reads.
HOME_EVENT, STEP_EVENT, ISSUE, START, LAND, CREATE, DROP = 0, 1, 2, 3, 4, 5, 6
WRITE_BACK, KEEP_EVENT, RETIRE, CANCEL, PROMOTE, READ, WRITE = 7, 8, 9, 10, 11, 12, 13
REFUSE, ROOM, END = 14, 15, 16
FORGET, REMAKE, REMADE, COPY, FAIL, RESIZE = 17, 18, 19, 20, 21, 22
NEEDED, PLANNED, PRESSURE, FARTHER, STREAMED, ENDED = 0, 1, 2, 3, 4, 5
NO_ROOM, TOO_EARLY, ENOUGH_AHEAD, PLACED = 6, 7, 8, 9
CHEAPER, CHANGED, TOGETHER, GUESSED, IDLE = 10, 11, 12, 13, 14
DAMAGED, QUOTA = 15, 16


def record(  # noqa: PLR0917 - compiled code takes no keywords
    w: World, kind: int, o: int, source: int, target: int, size: int, reason: int
) -> None:
    """Append an event at the present time, if the run is recorded."""
    if w.run[RECORDING] == 0:
        return
    row = w.run[LOGGED]
    if row >= len(w.log):
        w.run[FAULT] = LOG_FULL
        return
    w.log[row, 0] = w.run[NOW]
    w.log[row, 1] = kind
    w.log[row, 2] = o
    w.log[row, 3] = source
    w.log[row, 4] = target
    w.log[row, 5] = size
    w.log[row, 6] = w.run[STEP]
    w.log[row, 7] = reason
    w.log[row, 8] = w.run[CAUSE]
    w.run[LOGGED] = row + 1
