"""Phases' tables into tables that begin and end what one phase makes for another."""

from collections.abc import Mapping

import attrs
import numpy as np

from mirc.ir.enums import ObjectClass
from mirc.simulate.census import CLASS_ORDER, Census, Life
from mirc.simulate.model import CREATE, WRITE, Flags, Ints
from mirc.simulate.tables import PhaseTable, first_places

FRAGMENT = CLASS_ORDER.index(ObjectClass.CHECKPOINT_FRAGMENT)


def handed_on(tables: Mapping[str, PhaseTable], census: Census) -> dict[str, PhaseTable]:
    """Return all phases, in the file's order, with the lives of what is handed on.

    An object of an update window comes into being with each run of the first phase that uses it, if
    that phase begins by writing it, and ends with its last use in the last phase that uses it; one
    that only a single phase uses stays. A checkpoint fragment that a phase writes first comes into
    being too: its former content, below, is not fetched to be overwritten. The phases of the file
    decide, not the schedule: what ends must not tell what is still to run.
    """
    count = len(census.names)
    windows = np.array([life is Life.WINDOW for life in census.lives], dtype=np.bool_)
    fragments = np.array(census.classes, dtype=np.int64) == FRAGMENT
    first = np.full(count, -1, dtype=np.int64)
    last = np.full(count, -1, dtype=np.int64)
    for place, table in enumerate(tables.values()):
        used = np.unique(table.fixed.object)
        first[used] = np.where(first[used] < 0, place, first[used])
        last[used] = place
    begins = (windows & (first >= 0)) | fragments
    ends = windows & (first < last)
    return {
        name: _lived(
            table,
            begins & (fragments | (first == place)),
            ends & (last == place),
        )
        for place, (name, table) in enumerate(tables.items())
    }


def _lived(table: PhaseTable, begin: Flags, end: Flags) -> PhaseTable:
    """Let objects begin with their first access, where that is a write, and end with their last."""
    fixed, count = table.fixed, len(begin)
    places = first_places(fixed.object, count)
    begun = places[begin & (places < len(fixed))]
    kind = fixed.kind.copy()
    kind[begun[kind[begun] == WRITE]] = CREATE
    last = len(fixed) - 1 - first_places(fixed.object[::-1], count)
    ending = np.flatnonzero(end & (last >= 0))
    return attrs.evolve(
        table,
        fixed=attrs.evolve(fixed, kind=kind),
        ends=_sorted(
            np.concatenate((table.ends[0], fixed.step[last[ending]])),
            np.concatenate((table.ends[1], ending)),
        ),
    )


def _sorted(steps: Ints, objects: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((objects, steps))
    return steps[order], objects[order]
