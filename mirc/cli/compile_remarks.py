"""What a person should know of a compilation before trusting its figures, line by line."""

from collections.abc import Iterator, Sequence

import click

from mirc.graph import Graph, Level, Program, Scale
from mirc.machine import Machine
from mirc.passes.arbiter import Wirings
from mirc.passes.base import Facts
from mirc.passes.remat import trains


def warn(program: Program) -> None:
    """Say on standard error what is known less well than it looks, a warning each."""
    for line in _warnings(program):
        click.echo(f"warning: {line}", err=True)


def note_wiring(facts: Facts, machines: Sequence[Machine]) -> None:
    """Say on standard error why nothing is wired, where wiring was asked for."""
    if not machines:
        click.echo("note: nothing is wired: no machine was named; give `-M`", err=True)
    for machine in machines:
        why = _unwired(facts, machine)
        if why:
            click.echo(f"note: nothing is wired on {machine.name}: {why}", err=True)


def of_data(graph: Graph) -> int:
    """Count the operations of a phase whose sizes depend on data."""
    return sum(node.flops_scale is Scale.DATA for node in graph.nodes)


def of_data_sentence(count: int) -> str:
    """Say what it means for figures that ``count`` operations have sizes that depend on data."""
    whose = "operation has sizes" if count == 1 else "operations have sizes"
    return (
        f"{count:_} {whose} that depend on data: FLOPs and bytes are not known, and counted at the "
        "most that they can be (as one row where nothing bounds them)"
    )


def _warnings(program: Program) -> Iterator[str]:
    if not trains(program):  # no export records a backward
        for capture in program.captures:
            if capture.level is not Level.EXPORT and capture.reason:
                yield f"phase `{capture.phase}` is known by {capture.level} only: {capture.reason}"
    for graph in program.graphs:
        count = of_data(graph)
        if count:
            yield f"phase `{graph.phase}`: {of_data_sentence(count)}"


def _unwired(facts: Facts, machine: Machine) -> str:
    wiring = facts[Wirings].by_machine.get(machine.name)
    if wiring is None:
        return "it has no on-chip memory that can be wired"
    if wiring.chosen:
        return ""
    if wiring.candidates:
        return f"{wiring.budget_bytes:_} bytes hold none of {wiring.candidates} candidates"
    return "no weight that is only read stays in its near memory throughout and is read whole"
