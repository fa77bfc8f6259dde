"""A part of a declaration into the span where it stands; built modules have none."""

import attrs

from mirc.diagnostics import Span
from mirc.ir.module import Block

NOWHERE = Span(0, 0)
Path = tuple[int, ...]  # indices into nested lists and calls


@attrs.frozen(slots=True)
class Mark:
    """A place in a module: a block's name, or one of its fields, or an element of the value."""

    block: Block
    key: str | None = None
    path: Path | None = None


def subject_of(mark: Mark) -> str:
    """Return what a mark speaks of in words that stay when lines move: ``object w.size_bytes``."""
    kind = "module" if type(mark.block) is Block else type(mark.block).__name__.lower()
    return f"{kind} {mark.block.name}" + (f".{mark.key}" if mark.key is not None else "")


class Places:
    """Where things stand. Blocks know their extent, fields nothing: equal lines share one node.

    This one knows nothing; the one of a text reads the block again, since only findings ask.
    ``nth`` counts fields of one key in one block from 0.
    """

    def name(self, block: Block) -> Span:
        """Return the span of the block's name."""
        return block.extent or NOWHERE

    def field(self, block: Block, key: str, nth: int = 0) -> Span:
        """Return the span of ``key = value @ confidence``."""
        del key, nth
        return self.name(block)

    def key(self, block: Block, key: str, nth: int = 0) -> Span:
        """Return the span of the key."""
        return self.field(block, key, nth)

    def value(self, block: Block, key: str, path: Path = ()) -> Span:
        """Return the span of the value, or of the element that ``path`` leads to."""
        del path
        return self.field(block, key)

    def confidence(self, block: Block, key: str) -> Span:
        """Return the span of the confidence, without the ``@``."""
        return self.field(block, key)

    def of(self, mark: Mark) -> Span:
        """Return the span of a mark."""
        if mark.key is None:
            return self.name(mark.block)
        if mark.path is None:
            return self.field(mark.block, mark.key)
        return self.value(mark.block, mark.key, mark.path)
