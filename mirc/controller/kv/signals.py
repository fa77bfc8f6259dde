"""Words of the runtime into what they say about blocks: will they be used again, or never."""

from enum import StrEnum


class Signal(StrEnum):
    """What a serving runtime knows and a cache is not told; each works alone and can be left out.

    They change what is believed of blocks, never a promise. Without them an orchestrator does the
    same work, and nobody knows what will be used again.
    """

    TOOL_WAIT = "tool_wait"
    """A sequence waits for a tool: its blocks will be used again, within about a known time."""
    RESUME = "resume"
    """The tool has answered: its blocks will be used as soon as there is room."""
    FORK = "fork"
    """A sequence goes on as several: they share what it has computed, down to its own blocks."""
    COMPACT = "compact"
    """The context after a point is replaced by a summary: those blocks will not be used again."""
    SUPERSEDED = "superseded"
    """All of it has been replaced: none of its own blocks will be used again."""
    SEQUENCE_END = "sequence_end"
    """The conversation is over."""


ALL = frozenset(Signal)
