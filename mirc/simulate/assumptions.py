"""What had to be assumed to make a workload, as sentences for the report."""

from collections.abc import Sequence

from mirc.ir import Module
from mirc.ir.resolve import read
from mirc.machine import Machine, Sharing
from mirc.simulate.census import Census
from mirc.simulate.instances import Cached
from mirc.simulate.tables import PhaseTable


def assumed(
    module: Module,
    tables: Sequence[PhaseTable],
    census: Census,
    cached: Cached,
    followed: str | None = None,
) -> tuple[str, ...]:
    """Return the sentences, in a fixed order; none where the file says everything.

    ``followed`` says what chose experts, where they were not drawn.
    """
    return tuple(
        sentence
        for sentence in (
            _steps(module, tables),
            _context(cached),
            _routing(tables) if followed is None else followed,
            _rows(census),
            _extern(module, census),
            _conditions(module),
        )
        if sentence
    )


def assumed_of(machine: Machine) -> tuple[str, ...]:
    """Return what is assumed of a machine's links; nothing if they are as its file says."""
    fair = [f"`{link.name}`" for link in machine.links if link.sharing is Sharing.FAIR]
    if not fair:
        return ()
    return (f"transfers take turns on {', '.join(fair)}, which the machine says they share evenly",)


def _steps(module: Module, tables: Sequence[PhaseTable]) -> str:
    bare = [f"`{table.name}`" for table in tables if not module.phases[table.name].steps]
    if not bare:
        return ""
    return (
        f"{', '.join(bare)} has no steps: one is assumed, which reads every object that the phase "
        "overrides and every object of scope SESSION"
    )


def _context(cached: Cached) -> str:
    if not cached.preloaded:
        return ""
    return (
        "no phase of the schedule makes the context that the first one needs: it comes into being "
        "near, dirty and free of charge, at its first use"
    )


def _routing(tables: Sequence[PhaseTable]) -> str:
    routes = [route for table in tables for route in table.routes]
    if not routes:
        return ""
    even = all((route.probabilities == route.probabilities[0]).all() for route in routes)
    how = "uniformly (every route_probability is the same)" if even else "by route_probability"
    return f"experts are drawn {how}, independently for every token and run"


def _rows(census: Census) -> str:
    if not any(name.endswith(")") for name in census.names):
        return ""
    return "objects that are only touched stay below: each run fetches the rows that it gathers"


def _extern(module: Module, census: Census) -> str:
    names = [name for name in census.names if name in module.objects]
    if not any(module.objects[name].extern for name in names):
        return ""
    return "extern objects are simulated from what this file says about them"


def _conditions(module: Module) -> str:
    """Name the claims whose predicate is not looked at."""
    known = {name: read(claim, "materialized") for name, claim in module.claims.items()}
    named = [f"`{name}`" for name, each in known.items() if each is not None and not each.until]
    if not named:
        return ""
    whose = "the claim" if len(named) == 1 else "the claims"
    return (
        f"`materialized = WHILE_...` of {whose} {', '.join(named)} is not followed: what is "
        "granted binds until it ends otherwise"
    )
