"""Module paths, and observed routing, into groups of objects that are used together."""

from collections.abc import Iterator
from enum import StrEnum

import attrs

from mirc.bounds.communities import FALSE_GROUPS
from mirc.graph import Program, Role, Split, Storage
from mirc.passes.base import Facts, Pass
from mirc.passes.chosen_together import Together, after, together
from mirc.passes.expert_routing import Routing
from mirc.passes.phase_annotator import Phases


class GroupKind(StrEnum):
    """Why a group's members are used together."""

    BLOCK = "block"
    """The weights of one repeated block: every run uses all of them, one after the other."""
    EXPERTS = "experts"
    """The matrices of one layer's experts: slice ``[i]`` of each is chosen with slice ``[i]`` of
    the others."""
    CHOSEN = "chosen"
    """Experts of one layer that its router was seen to choose for the same tokens."""
    AFTER = "after"
    """An expert, and the one of the next routed layer that was seen to follow it."""


@attrs.frozen(slots=True)
class Group:
    """``members`` are storages in the program's order; ``size_bytes`` is their sum.

    Of expert slices, ``members`` are the families and ``parts`` says which slice of each is meant,
    place by place; a slice stands for the same slice of its module's other families.
    ``confidence`` is the chance that a run that uses one member uses another, None where the
    structure says so.
    """

    name: str
    kind: GroupKind
    members: tuple[int, ...]
    size_bytes: int
    parts: tuple[int, ...] = ()
    confidence: float | None = None


@attrs.frozen
class Coalitions:
    """Groups: structural ones in the program's order, then observed ones."""

    groups: tuple[Group, ...]

    def sentences(self) -> Iterator[str]:
        """Yield a line for each kind of group."""
        for kind in GroupKind:
            found = [group for group in self.groups if group.kind is kind]
            sizes = [group.size_bytes for group in found]
            if not sizes:
                continue
            line = f"{len(sizes)} {kind.value} groups of {min(sizes):_} to {max(sizes):_} bytes"
            sure = [group.confidence for group in found if group.confidence is not None]
            if sure:
                line += f", one member used with another at {min(sure):.2f} to {max(sure):.2f}"
            yield line
        if not self.groups:
            yield "no group of two or more"


class CoalitionDetect(Pass[Coalitions]):
    """Group the storages that a module's structure uses together, and experts seen together.

    A block is a module whose path ends in a number (``model.layers.17``): its weights form one
    group. Stacked expert tensors of one module form another: the group names the families, not
    the slices, and slices with the same suffix belong together (``gate_up_proj[17]`` with
    ``down_proj[17]``); a group for every expert would be 14,848 declarations that say the same.
    The keys and values of a layer are one storage already. With a routing trace, experts of one
    layer form a group where tokens chose them together more often than independent choices explain
    (a likelihood ratio for each pair, average linkage, a test of each group); an expert and its
    likeliest successor in the next routed layer form one where the order of layers is known to
    help. A slice opens at most one group of each of the two, so the file grows with the experts and
    not with their pairs. The confidence is P(b|a), the chance that a token that chose one member
    chose another. A coalition is a hint (nearness, order of prefetch, common demotion), never a
    unit of transfer: raw co-access clustering returns whole layers, and fetching whole groups moves
    4 to 49 times the bytes.

    reads:   Phases, Routing
    writes:  Coalitions, members by storage
    cost:    O(storages); with a trace O(layers x (tokens x k^2 + experts^3))
    source:  structure; Karrer, Newman, Physical Review E 83, 2011: the degree-corrected block model
             as the test of independence
    """

    name = "coalition"
    reads = (Phases, Routing)
    writes = Coalitions

    def run(self, program: Program, facts: Facts) -> Coalitions:
        """Establish Coalitions."""
        used = frozenset().union(*(phase.table.used_in for phase in facts[Phases].phases))
        routing = facts[Routing]
        chosen = [_group(program, GroupKind.CHOSEN, each) for each in together(program, routing)]
        next_ = [_group(program, GroupKind.AFTER, each) for each in after(routing)]
        return Coalitions((*_structural(program, used), *chosen, *next_))

    def unbounded(self, facts: Facts) -> str:
        """Return what is known of false groups: nothing bounds those that were missed."""
        if not facts[Routing].observed:
            return "groups are those of the modules' structure: nothing is searched for"
        return (
            f"of independent choices {FALSE_GROUPS:g} groups a router would be found (Markov's "
            "inequality); how many true ones were missed is not bounded"
        )


def _structural(program: Program, used: frozenset[int]) -> Iterator[Group]:
    groups: dict[tuple[GroupKind, str], list[Storage]] = {}
    for storage in program.storages:
        if storage.role is not Role.PARAMETER or storage.index not in used:
            continue
        if storage.split is Split.EXPERTS:
            groups.setdefault((GroupKind.EXPERTS, storage.module), []).append(storage)
        elif block := block_of(storage.module):
            groups.setdefault((GroupKind.BLOCK, block), []).append(storage)
    for (kind, path), members in groups.items():
        if len(members) > 1:
            yield Group(
                name=f"{kind.value}.{path}" if path else kind.value,
                kind=kind,
                members=tuple(storage.index for storage in members),
                size_bytes=sum(storage.size_bytes for storage in members),
            )


def _group(program: Program, kind: GroupKind, found: Together) -> Group:
    sizes = (
        program.storages[storage].parts[part].size_bytes
        for families, part in found.members
        for storage in families
    )
    return Group(
        name=f"{kind.value}.{found.module}.{found.members[0][1]}",
        kind=kind,
        members=tuple(families[0] for families, _ in found.members),
        size_bytes=sum(sizes),
        parts=tuple(part for _, part in found.members),
        confidence=found.chance,
    )


def block_of(module: str) -> str:
    """Return the path up to and with its first number, or nothing: the repeated block."""
    parts = module.split(".")
    for place, part in enumerate(parts):
        if part.isdigit():
            return ".".join(parts[: place + 1])
    return ""
