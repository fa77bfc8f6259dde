"""One version of a text into all that the features ask of it, each part made when it is asked."""

import re
from bisect import bisect_left
from functools import cached_property

import attrs

from mirc.diagnostics import Source, Span
from mirc.grammar.bind import Bound, bind
from mirc.grammar.document import Document
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.parse import parse
from mirc.ir.enums import ObjectClass
from mirc.ir.index import Index
from mirc.ir.module import Block, Module, Object, Phase, Plan, PlanPhase, Signal
from mirc.lsp.cursor import Cursor, Frame, cursor_at
from mirc.lsp.positions import Encoding, Lines

_FAR = 1 << 16  # characters before the cursor that are read without looking for a nearer start
_FARTHEST = 1 << 20  # characters that are looked at for one
_TOP = re.compile(
    r"^(?:module|object|extern|template|coalition|tenant|claim|phase|on|plan)\b", re.MULTILINE
)
_HEAD = re.compile(
    r'(?:extern(?:\s|//[^\n]*)+)?[a-z]+(?:\s|//[^\n]*)*("(?:[^"\\\r\n]|\\.)*"|[^\s{]+)'
)
_KEYWORDS = {"Block": "module", "PlanPhase": "phase", "Signal": "on"}


@attrs.frozen
class Analysis:
    """A text as one version of it was read; frozen, so it can be kept as long as the version is.

    A file with syntax errors has the blocks that could be read.
    """

    source: Source
    encoding: Encoding = Encoding.UTF16

    @cached_property
    def lines(self) -> Lines:
        """The text by lines, in the editor's columns."""
        return Lines(self.source.text, self.encoding)

    @cached_property
    def document(self) -> Document:
        """What could be read."""
        return parse(self.source)

    @cached_property
    def bound(self) -> Bound:
        """The module of what is right."""
        return bind(self.document)

    @property
    def module(self) -> Module:
        """What is right in the file."""
        return self.bound.module

    @cached_property
    def places(self) -> SourcePlaces:
        """Where the parts of the blocks stand."""
        return SourcePlaces(self.document.text)

    @cached_property
    def index(self) -> Index:
        """What the file declares, right or wrong."""
        return Index(self.document.blocks)

    def class_of(self, name: str) -> ObjectClass | None:
        """Return the class of an object, template or family."""
        return self.index.class_of(name)

    def cursor(self, offset: int) -> Cursor:
        """Return what stands at an offset."""
        start, frames = self._near(offset)
        if offset - start > _FAR:
            # Little could be read here: go by the lines that begin with a keyword, or by none.
            begin = max(start, offset - _FARTHEST)
            near = [found.start() for found in _TOP.finditer(self.source.text, begin, offset)]
            if near or begin > start:
                start, frames = near[-1] if near else begin, ()
        return cursor_at(self.source.text, offset, start, frames)

    def _near(self, offset: int) -> tuple[int, tuple[Frame, ...]]:
        """Return a place before the offset from which to read, and the blocks around it."""
        blocks = list(self.document.blocks)
        frames: tuple[Frame, ...] = ()
        start = 0
        while True:
            at = bisect_left(blocks, offset, key=lambda block: extent_of(block).start) - 1
            if at < 0:
                return start, frames
            block = blocks[at]
            if extent_of(block).end <= offset:
                return extent_of(block).end, frames
            blocks = self.children(block)
            if not blocks or extent_of(blocks[0]).start >= offset:
                return extent_of(block).start, frames
            frames = (*frames, Frame(keyword_of(block), block.name))

    def children(self, block: Block) -> list[Block]:
        """Return the blocks inside a block, in written order."""
        inner = self._children.get(id(block))
        if inner is None:
            inner = sorted(_inside(block), key=lambda each: extent_of(each).start)
            self._children[id(block)] = inner
        return inner

    @cached_property
    def _children(self) -> dict[int, list[Block]]:
        return {}

    def name_span(self, block: Block) -> Span:
        """Return where a block's name stands, quotes included; reads nothing but its head."""
        extent = extent_of(block)
        found = _HEAD.match(self.document.text, extent.start, extent.end)
        return Span(*found.span(1)) if found is not None else extent


def extent_of(block: Block) -> Span:
    """Return the span of a block that was read from a text."""
    return block.extent or Span(0, 0)


def keyword_of(block: Block) -> str:
    """Return the keyword that begins a block; ``object`` for extern ones too."""
    kind = "Block" if type(block) is Block else type(block).__name__
    return _KEYWORDS.get(kind, kind.lower())


def _inside(block: Block) -> tuple[Block, ...]:
    if isinstance(block, Phase):
        return (*block.steps, *block.overrides)
    if isinstance(block, Plan):
        return (*block.overrides, *block.phases)
    if isinstance(block, PlanPhase | Signal):
        return block.overrides
    return ()


def noun_of(block: Block) -> str:
    """Say what a block is: ``extern object``, ``step``, ``signal``."""
    if isinstance(block, Object) and block.extern:
        return "extern object"
    return "signal" if isinstance(block, Signal) else keyword_of(block)
