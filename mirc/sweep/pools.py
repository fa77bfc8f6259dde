"""Tasks into answers, here, in several processes, or on a cluster: one interface for all."""

import os
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from mirc.diagnostics import CouldNotRun
from mirc.sweep.local import in_processes, in_turn

Work = Callable[[str], str]
Lost = Callable[[str, str], str]
"""A task and what became of the process that ran it, into its answer."""

Pool = Callable[[Work, Lost, Iterable[str]], Iterator[str]]
"""Run the work for each task; answers come as they are ready, each exactly once."""


class Place(StrEnum):
    """Where tasks run."""

    LOCAL = "local"
    """In processes of this machine."""
    RAY = "ray"
    """On a Ray cluster, or one of its own on this machine."""
    DASK = "dask"
    """On a Dask scheduler, or one of its own on this machine."""


def pool_of(place: Place, jobs: int | None, address: str | None) -> Pool:
    """Return the pool; ``jobs`` workers of a cluster that is not at an ``address`` already.

    Raises CouldNotRun where its package is not installed or nothing answers at the address.
    """
    count = jobs or os.cpu_count() or 1
    if address is not None and place is Place.LOCAL:
        raise CouldNotRun("`--address` names a cluster", "add `--on ray` or `--on dask`")
    if place is Place.RAY:
        from mirc.sweep.on_ray import on_ray  # noqa: PLC0415 - seconds, where it is asked for

        return on_ray(count, address)
    if place is Place.DASK:
        from mirc.sweep.on_dask import on_dask  # noqa: PLC0415

        return on_dask(count, address)
    return in_turn if count == 1 else in_processes(count)
