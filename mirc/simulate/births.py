"""A workload into the accesses with which what a run makes comes into being."""

import numpy as np

from mirc.simulate.model import CREATE, Flags, Ints, Workload
from mirc.simulate.tables import first_places


def births(workload: Workload, steps: Ints) -> Flags:
    """Tell of every access, in ``steps``, whether its object comes into being there.

    What is made begins with CREATE; but also where it is read while it is nowhere: for the first
    time, or after it was retired (a gradient of which another run of the schedule is left out). A
    CREATE of what is there is none. O(accesses), and sorting those of what several phases share.
    """
    born: Flags = (workload.access_kind == CREATE) & workload.made[workload.access_object]
    places = np.flatnonzero(_shared(workload, steps)[workload.access_object])
    if not len(places):
        return born
    thing, step = workload.access_object[places].astype(np.int64), steps[places]
    order = np.argsort(thing, kind="stable")
    place, thing, step = places[order], thing[order], step[order]
    begins = np.ones(len(place), dtype=np.bool_)
    begins[1:] = thing[1:] != thing[:-1]
    # An object's steps as one number: retired between two uses is between two numbers.
    ends = np.repeat(np.arange(workload.step_count), np.diff(workload.retire_ptr))
    retired = np.sort(workload.retire_object.astype(np.int64) * workload.step_count + ends)
    passed = np.searchsorted(retired, thing * workload.step_count + step)
    begins[1:] |= passed[1:] > passed[:-1]
    born[place] = begins
    return born


def _shared(workload: Workload, steps: Ints) -> Flags:
    """Tell of every object whether it is made, and its lives may begin with other than CREATE."""
    count, objects = workload.object_count, workload.access_object
    phase = workload.step_phase[steps]
    used_in = np.zeros((int(phase.max(initial=0)) + 1, count), dtype=np.bool_)
    used_in[phase, objects] = True
    first = first_places(objects.astype(np.int64), count)
    used = np.flatnonzero(first < len(objects))
    shared: Flags = used_in.sum(axis=0) > 1
    shared[used] |= workload.access_kind[first[used]] != CREATE
    shared &= workload.made
    return shared
