"""The caches of one model that live and die differently into the point at which all can resume.

Full attention reads every token before it, sliding-window attention the last ones, a recurrent
layer one state. So each keeps other blocks of the same tokens, and a prefix can be used only up to
the last block boundary at which every group finds what it needs.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import attrs
from attrs import validators as v

Resident = Callable[[int, int], bool]  # (group, block) of one chain -> it can be used


class GroupKind(StrEnum):
    """How a group's state grows with the tokens, and what a later token needs of it."""

    FULL = "FULL"
    """Every block since the first: attention, MLA latents, the cache of a draft model."""
    WINDOW = "WINDOW"
    """The blocks of the last tokens."""
    RECURRENT = "RECURRENT"
    """The newest state; older ones are kept as checkpoints."""


@attrs.frozen(kw_only=True)
class Group:
    """One cache group: ``size`` units of the pool for each block of tokens that it keeps.

    ``window_blocks`` are the blocks before the next token that a WINDOW reads; a RECURRENT group
    keeps a checkpoint every ``every_blocks`` and at the end of a prompt.
    """

    name: str
    kind: GroupKind = GroupKind.FULL
    size: int = attrs.field(default=1, validator=v.gt(0))
    window_blocks: int = attrs.field(default=0, validator=v.ge(0))
    every_blocks: int = attrs.field(default=1, validator=v.gt(0))

    @property
    def contiguous(self) -> bool:
        """Whether a block is of use only with every block before it."""
        return self.kind is GroupKind.FULL

    def makes(self, block: int, blocks: int) -> bool:
        """Say whether computing a block, of a prompt of ``blocks``, leaves a page behind."""
        if self.kind is not GroupKind.RECURRENT:
            return True
        return (block + 1) % self.every_blocks == 0 or block + 1 >= blocks

    def needs(self, done: int) -> int:
        """Return the first block that a sequence with ``done`` blocks still reads.

        A recurrent layer reads the newest page before ``done``, wherever that is.
        """
        if self.kind is GroupKind.WINDOW:
            return max(0, done - self.window_blocks)
        return 0


def window_blocks(window_tokens: int, block_tokens: int) -> int:
    """Return the whole blocks before a boundary that the next token's window reaches into.

    The token itself is one of the window, so ``window_tokens - 1`` lie before it.
    """
    return -(-(window_tokens - 1) // block_tokens)


def usable(groups: Sequence[Group], blocks: int, resident: Resident) -> int:
    """Return the largest prefix, in blocks, at which every group can resume: O(groups x blocks).

    A FULL group resumes after n blocks if it has them all; a WINDOW, if it has the last
    ``window_blocks`` of them; a RECURRENT one, if it has the state after the n-th. Every group
    resumes at 0, with nothing. The lookup stops at the first hole of a FULL group.
    """
    end = blocks
    for number, group in enumerate(groups):
        if group.contiguous:
            end = next((at for at in range(end) if not resident(number, at)), end)
    partial = [(n, group) for n, group in enumerate(groups) if not group.contiguous]
    if not partial:
        return end
    runs = [0] * len(partial)  # blocks in a row that are there, up to the boundary
    best = 0
    for at in range(end):
        resumes = True
        for place, (number, group) in enumerate(partial):
            runs[place] = runs[place] + 1 if resident(number, at) else 0
            least = 1 if group.kind is GroupKind.RECURRENT else min(at + 1, group.window_blocks)
            resumes = resumes and runs[place] >= least
        if resumes:
            best = at + 1
    return best
