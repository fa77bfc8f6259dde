"""Producers and prices into what it costs to make bytes again instead of fetching them."""

from collections.abc import Iterator, Mapping

import attrs

from mirc.graph import Graph, Node, Program, Role, Storage
from mirc.ir.enums import Recompute
from mirc.passes.base import Facts, Pass
from mirc.passes.liveness import Live, PhaseLife
from mirc.passes.phase_annotator import PhaseFact, Phases
from mirc.passes.reuse import Reuse
from mirc.passes.seeds import Machines
from mirc.passes.slack import Slack
from mirc.passes.steps import MADE
from mirc.passes.yardstick import Yardstick

MODERATE_UP_TO = 4.0
"""Times the price of spilling and fetching back; dearer than this is EXPENSIVE."""


@attrs.frozen(kw_only=True)
class Recomputed:
    """One storage: ``portable`` is its class anywhere, ``on`` (class, microseconds) by machine.

    ``flops`` and ``near_bytes`` price the minimal cone; None where it was not walked to its end
    because it was already EXPENSIVE everywhere, or where there is none. For a cache they and the
    microseconds are per token, of a pass over all the phase's tokens.
    """

    portable: Recompute
    on: Mapping[str, tuple[Recompute, float | None]] = attrs.field(factory=dict)
    flops: int | None = None
    near_bytes: int | None = None


_NEVER = Recomputed(portable=Recompute.IMPOSSIBLE)


@attrs.frozen
class Recomputation:
    """Classes by storage; whatever is not listed cannot be made again."""

    classes: dict[int, Recomputed]
    total: int

    def of(self, storage: int) -> Recomputed:
        """Return what is known about a storage."""
        return self.classes.get(storage, _NEVER)

    def sentences(self) -> Iterator[str]:
        """Yield the number of storages in each class, portably and by machine."""
        counts = dict.fromkeys(Recompute, 0)
        by_machine: dict[str, dict[Recompute, int]] = {}
        for each in self.classes.values():
            counts[each.portable] += 1
            for machine, (word, _) in each.on.items():
                table = by_machine.setdefault(machine, dict.fromkeys(Recompute, 0))
                table[word] += 1
        rest = self.total - len(self.classes)
        counts[Recompute.IMPOSSIBLE] += rest
        yield "on any machine: " + _listed(counts)
        for machine, table in by_machine.items():
            table[Recompute.IMPOSSIBLE] += self.total - sum(table.values())
            yield f"on {machine}: " + _listed(table)


class RecomputeClassifier(Pass[Recomputation]):
    """Compare making bytes again with spilling them and fetching them back.

    The minimal cone of an activation is what must run again at its last use: the nodes that wrote
    it and, back from them, those that wrote inputs which are no longer live then. It costs the
    slower of its FLOPs and its bytes at peak; spilling costs one transfer out and one back over
    every link on the way, less the slack that hides them: on a machine the roofline time of the
    longest wait between two uses (of what backward needs, from its last use in forward to its first
    in backward). The portable class knows no clock and counts no slack; other traffic on the links
    is not known yet and not counted. No operand at all is FREE, up to the price of the transfers
    CHEAP, up to 4 times that MODERATE, beyond it EXPENSIVE. Weights, inputs, random draws, results
    of collectives, router choices (a tie broken otherwise sends tokens elsewhere) and what depends
    on state since overwritten are IMPOSSIBLE. What forward saves for backward is wanted after
    forward's end, when of its operands only what is saved too is at hand. A cache is made again by
    a pass over its tokens, all of the phase's at once: its share (by bytes) of the pass's FLOPs and
    near traffic, weights included, against spilling and fetching those tokens' cache at once.
    Printed per token. The portable class uses a reference machine; each machine given adds its own.

    reads:   Phases, Live, Reuse, Machines
    writes:  Recomputation, classes with FLOPs, bytes and microseconds
    cost:    O(storages x cone), where a cone is left as soon as it is EXPENSIVE on every machine
    source:  Jain et al., Checkmate, MLSys 2020 (the two prices); XLA's memory-space assignment
             (copies that hide behind compute)
    """

    name = "recompute-classifier"
    reads = (Phases, Live, Reuse, Machines)
    writes = Recomputation

    def run(self, program: Program, facts: Facts) -> Recomputation:
        """Establish Recomputation."""
        yardsticks = [Yardstick(), *map(Yardstick, facts[Machines].machines)]
        dtype = facts[Reuse].dtype
        slack = Slack(facts[Phases].phases, facts[Reuse].clocks)
        classes: dict[int, Recomputed] = {}
        for phase in facts[Phases].phases:
            life = facts[Live].phases[phase.name]
            cones = _Cones(program, phase.graph, life, yardsticks, dtype=dtype, slack=slack)
            for index in life.lives:
                role = program.storages[index].role
                if role in MADE or (role is Role.SAVED and index in cones.writers):
                    classes[index] = cones.classify(index)
            near_bytes = sum(facts[Reuse].phases[phase.name].near_bytes)
            for index, share in _shares(program, phase):
                classes.setdefault(index, share.priced(phase, near_bytes, yardsticks, dtype))
        return Recomputation(classes, len(program.storages))

    def unbounded(self, facts: Facts) -> str:
        """Return that classes are comparisons."""
        del facts
        return (
            "a class is an exact comparison of two prices under the roofline and the links' "
            "curves: nothing is searched for"
        )


class _Cones:
    """The minimal cones of one phase."""

    def __init__(
        self,
        program: Program,
        graph: Graph,
        life: PhaseLife,
        yardsticks: list[Yardstick],
        *,
        dtype: str,
        slack: Slack,
    ) -> None:
        self.slack = slack
        self.phase = graph.phase
        self.program = program
        self.lives = life.lives
        self.after = len(graph.steps)
        self.yardsticks = yardsticks
        self.dtype = dtype
        self.roofs = [yardstick.roofs(dtype) for yardstick in yardsticks]
        self.writers: dict[int, list[Node]] = {}
        for node in graph.nodes:
            for use in node.writes:
                self.writers.setdefault(use.storage, []).append(node)

    def classify(self, index: int) -> Recomputed:
        storage = self.program.storages[index]
        saved = storage.role is Role.SAVED
        end = self.after if saved else self.lives[index].last
        spills = [
            each.exposed_seconds(
                storage.size_bytes, self.slack.seconds(each.name, self.phase, index)
            )
            for each in self.yardsticks
        ]
        dear = [MODERATE_UP_TO * seconds for seconds in spills]
        flops = near_bytes = 0
        operands = 0
        cone: dict[int, None] = {}
        todo = [index]
        asked = {index}
        while todo:
            for node in self.writers.get(todo.pop(), ()):
                if node.index in cone:
                    continue
                cone[node.index] = None
                if self._unrepeatable(node):
                    return _NEVER
                flops += node.flops
                near_bytes += sum(use.size_bytes for use in (*node.reads, *node.writes))
                operands += len(node.reads)
                for use in node.reads:
                    if use.storage not in asked and not self._at_hand(use.storage, end):
                        asked.add(use.storage)
                        todo.append(use.storage)
            if all(
                flops * flop > limit or near_bytes * byte > limit
                for (flop, byte), limit in zip(self.roofs, dear, strict=True)
            ):
                beyond = {y.name: (Recompute.EXPENSIVE, None) for y in self.yardsticks if y.name}
                return Recomputed(portable=Recompute.EXPENSIVE, on=beyond)
        if not cone:
            return _NEVER
        if not operands and not flops:
            free = {y.name: (Recompute.FREE, 0.0) for y in self.yardsticks if y.name}
            return Recomputed(portable=Recompute.FREE, on=free, flops=0, near_bytes=near_bytes)
        return _priced(flops, near_bytes, spills, self.yardsticks, self.dtype)

    def _unrepeatable(self, node: Node) -> bool:
        if node.random or node.collective or "topk" in node.op:
            return True
        # A cache only grows: what was read of it is still there. Other bytes that a phase changes
        # are gone; what only another one changes (weights, by the update) is as it was.
        storages = self.program.storages
        read = (storages[use.storage] for use in node.reads if use.storage in self.writers)
        return any(storage.mutated and storage.role is not Role.CACHE for storage in read)

    def _at_hand(self, index: int, step: int) -> bool:
        """Say whether a storage's bytes still exist when ``step`` needs them."""
        if self.program.storages[index].role not in MADE:
            return True
        life = self.lives.get(index)
        return life is not None and life.first <= step <= life.last


def _priced(
    flops: int, near_bytes: int, spills: list[float], yardsticks: list[Yardstick], dtype: str
) -> Recomputed:
    words: dict[str, tuple[Recompute, float | None]] = {}
    for yardstick, fetch in zip(yardsticks, spills, strict=True):
        flop, byte = yardstick.roofs(dtype)
        again = max(flops * flop, near_bytes * byte)
        words[yardstick.name] = (recompute_class(again, fetch), again * 1e6)
    portable, _ = words.pop("")
    return Recomputed(portable=portable, on=words, flops=flops, near_bytes=near_bytes)


def recompute_class(recompute_seconds: float, refetch_seconds: float) -> Recompute:
    """Return the class of a recomputation that has operands, by the ratio of both prices."""
    if recompute_seconds <= refetch_seconds:
        return Recompute.CHEAP
    if recompute_seconds <= MODERATE_UP_TO * refetch_seconds:
        return Recompute.MODERATE
    return Recompute.EXPENSIVE


@attrs.frozen(slots=True)
class _Share:
    """A cache's ``token_bytes`` among the ``all_bytes`` a token has in all caches of a phase."""

    token_bytes: int
    all_bytes: int

    def priced(
        self, phase: PhaseFact, near_bytes: int, yardsticks: list[Yardstick], dtype: str
    ) -> Recomputed:
        """Price the share of a pass that moves ``near_bytes``; the answer is per token."""
        tokens = phase.graph.batch * phase.graph.tokens
        flops = sum(phase.table.flops)
        whole = _priced(
            round(flops * self.token_bytes / self.all_bytes),
            round(near_bytes * self.token_bytes / self.all_bytes),
            [each.refetch_seconds(self.token_bytes * tokens) for each in yardsticks],
            yardsticks,
            dtype,
        )
        return Recomputed(
            portable=whole.portable,
            on={name: (word, us and us / tokens) for name, (word, us) in whole.on.items()},
            flops=round(flops / tokens * self.token_bytes / self.all_bytes),
            near_bytes=round(near_bytes / tokens * self.token_bytes / self.all_bytes),
        )


def _shares(program: Program, phase: PhaseFact) -> Iterator[tuple[int, _Share]]:
    """Yield each cache that the phase writes, with its share: one pass remakes all of them."""
    caches = [program.storages[i] for i in (*phase.filled, *phase.appended)]
    sizes = [_token_bytes(storage, phase) for storage in caches]
    for storage, size in zip(caches, sizes, strict=True):
        yield storage.index, _Share(size, sum(sizes))


def _token_bytes(storage: Storage, phase: PhaseFact) -> int:
    if storage.per_token_bytes:
        return storage.per_token_bytes
    return max(1, storage.size_bytes // max(1, phase.graph.past + phase.graph.tokens))


def _listed(counts: dict[Recompute, int]) -> str:
    return ", ".join(f"{count} {word.value}" for word, count in counts.items() if count)
