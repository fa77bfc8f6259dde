"""A .mir text as it was read: every declaration with spans and comments, right or wrong."""

import attrs

from mirc.diagnostics import Diagnostic, Source, Span
from mirc.ir.module import Block, Trivia


@attrs.frozen
class Document:
    """What was written, in order; fields may be unknown, ill-typed or repeated.

    A plain ``Block`` is the ``module`` block. Spellings stay in ``text``, which is the source's,
    or as long with what was broken blanked. ``lost`` are the words of parts that could not be read:
    what they declared may be missing here.
    """

    source: Source
    blocks: tuple[Block, ...] = ()
    version: tuple[int, int] | None = None
    version_span: Span | None = None
    header: Trivia | None = None
    trailing: Trivia | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    lost: frozenset[str] = frozenset()
    mended: str | None = None

    @property
    def text(self) -> str:
        """The text that the declarations were read from."""
        return self.source.text if self.mended is None else self.mended
