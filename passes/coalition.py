"""Module paths into groups of objects that are used together."""

from collections.abc import Iterator
from enum import StrEnum

import attrs

from mirc.graph import Program, Role, Split, Storage
from mirc.passes.base import Facts, Pass
from mirc.passes.phase_annotator import Phases


class GroupKind(StrEnum):
    """Why a group's members are used together."""

    BLOCK = "block"
    """The weights of one repeated block: every run uses all of them, one after the other."""
    EXPERTS = "experts"
    """The matrices of one layer's experts: slice ``[i]`` of each is chosen with slice ``[i]`` of
    the others."""


@attrs.frozen(slots=True)
class Group:
    """``members`` are storages in the program's order; ``size_bytes`` is their sum."""

    name: str
    kind: GroupKind
    members: tuple[int, ...]
    size_bytes: int


@attrs.frozen
class Coalitions:
    """Groups in the program's order."""

    groups: tuple[Group, ...]

    def sentences(self) -> Iterator[str]:
        """Yield a line for each kind of group."""
        for kind in GroupKind:
            sizes = [group.size_bytes for group in self.groups if group.kind is kind]
            if sizes:
                yield f"{len(sizes)} {kind.value} groups of {min(sizes):_} to {max(sizes):_} bytes"
        if not self.groups:
            yield "no group of two or more"


class CoalitionDetect(Pass[Coalitions]):
    """Group the storages that a module's structure uses together.

    A block is a module whose path ends in a number (``model.layers.17``): its weights form one
    group. Stacked expert tensors of one module form another: the group names the families, not
    the slices, and slices with the same suffix belong together (``gate_up_proj[17]`` with
    ``down_proj[17]``); a group for every expert would be 14,848 declarations that say the same.
    The keys and values of a layer are one storage already. A coalition is a hint (nearness, order
    of prefetch, common demotion), never a unit of transfer: raw co-access clustering returns whole
    layers, and fetching whole groups moves 4 to 49 times the bytes.

    reads:   Phases
    writes:  Coalitions, members by storage
    cost:    O(storages)
    source:  structure only; what is seen at run time may refine it
    """

    name = "coalition"
    reads = (Phases,)
    writes = Coalitions

    def run(self, program: Program, facts: Facts) -> Coalitions:
        """Establish Coalitions."""
        used = frozenset().union(*(phase.table.used_in for phase in facts[Phases].phases))
        groups: dict[tuple[GroupKind, str], list[Storage]] = {}
        for storage in program.storages:
            if storage.role is not Role.PARAMETER or storage.index not in used:
                continue
            if storage.split is Split.EXPERTS:
                groups.setdefault((GroupKind.EXPERTS, storage.module), []).append(storage)
            elif block := block_of(storage.module):
                groups.setdefault((GroupKind.BLOCK, block), []).append(storage)
        return Coalitions(
            tuple(
                Group(
                    name=f"{kind.value}.{path}" if path else kind.value,
                    kind=kind,
                    members=tuple(storage.index for storage in members),
                    size_bytes=sum(storage.size_bytes for storage in members),
                )
                for (kind, path), members in groups.items()
                if len(members) > 1
            )
        )


def block_of(module: str) -> str:
    """Return the path up to and with its first number, or nothing: the repeated block."""
    parts = module.split(".")
    for place, part in enumerate(parts):
        if part.isdigit():
            return ".".join(parts[: place + 1])
    return ""
