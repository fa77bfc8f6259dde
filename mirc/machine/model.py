"""A machine: memory instances, the links between them, compute and SRAM geometry."""

import attrs

from mirc.machine.parts import Compute, Link, Memory, Sram, TierKind
from mirc.machine.verify import InvalidMachineError, problems

__all__ = ["Compute", "Link", "Machine", "Memory", "Sram", "TierKind"]


@attrs.frozen(kw_only=True)
class Machine:
    """All of it; ``compute.memory`` is the near memory, where operands must be to be used.

    Raises ``InvalidMachineError`` (a ``ValueError``) when the parts do not fit together.
    """

    name: str
    summary: str
    memories: tuple[Memory, ...]
    links: tuple[Link, ...]
    compute: Compute
    sram: Sram | None = None

    def __attrs_post_init__(self) -> None:
        for problem in problems(self.memories, self.links, self.compute, self.sram):
            raise InvalidMachineError(problem)

    @property
    def near(self) -> Memory:
        """The memory that compute reads its operands from."""
        return self.memory(self.compute.memory)

    def memory(self, name: str) -> Memory:
        """Return the memory of that name; raises ``KeyError``."""
        for memory in self.memories:
            if memory.name == name:
                return memory
        raise KeyError(name)

    def tier(self, kind: TierKind | str) -> Memory | None:
        """Return the memory that a plan means by a tier's name, or ``None``.

        Of several of a kind it is the near one, else the first that compute's owner owns, else the
        first of the file.
        """
        of_kind = [memory for memory in self.memories if memory.kind == kind]
        of_kind.sort(key=self._distance)
        return of_kind[0] if of_kind else None

    def link(self, source: str, target: str) -> Link | None:
        """Return the first direct link between two memories, or ``None``."""
        for link in self.links:
            if (link.source, link.target) == (source, target):
                return link
        return None

    def _distance(self, memory: Memory) -> int:
        if memory.name == self.compute.memory:
            return 0
        return 1 if memory.owner == self.compute.owner else 2
