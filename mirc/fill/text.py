"""A text and what it lacks into the text that has it: characters are only ever inserted."""

from collections.abc import Iterable, Sequence

from mirc.diagnostics import Source
from mirc.diagnostics.apply import applied
from mirc.diagnostics.model import Edit, Fix, Span
from mirc.fill.additions import Addition, Additions
from mirc.grammar import SourcePlaces, print_declaration
from mirc.grammar.format import formatted
from mirc.grammar.literals import print_value
from mirc.grammar.printer import Printer
from mirc.ir import Block, Coalition, Declaration, Field, Module, Override

_INDENT = "  "


def filled(source: Source, module: Module, lacking: Additions) -> str:
    """Return the text of ``source`` with all additions; ``module`` is what it was read as.

    What stands there stays, character by character, comments and all; a text in canonical layout
    is then laid out again, so that it stays canonical.
    """
    writer = _Writer(source)
    for addition in lacking.inside:
        writer.add(addition)
    writer.declare(module, lacking.new)
    if not writer.inserted:
        return source.text
    text = applied(source.text, [Fix("fill what is absent", writer.edits())])
    if formatted(source) == source.text:
        return formatted(Source(source.name, text))
    return text


class _Writer:
    """Gathers what is inserted where; two insertions at one place follow one another."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        self.places = SourcePlaces(source.text)
        self.inserted: dict[int, list[str]] = {}

    def edits(self) -> tuple[Edit, ...]:
        return tuple(
            Edit(Span(at, at), "".join(parts)) for at, parts in sorted(self.inserted.items())
        )

    def add(self, addition: Addition) -> None:
        """Insert fields behind the block's own, inner blocks before its closing brace."""
        if addition.fields:
            self._fields(addition.block, addition.fields)
        if addition.blocks:
            self._blocks(addition.block, addition.blocks)

    def declare(self, module: Module, new: Sequence[Declaration]) -> None:
        """Insert coalitions behind the last of the data, everything else at the end."""
        groups = [each for each in new if isinstance(each, Coalition)]
        rest = [each for each in new if not isinstance(each, Coalition)]
        data = [block for block in module.data.values() if block.extent is not None]
        if groups and data:
            last = max(block.extent.end for block in data if block.extent is not None)
            at = self._end_of_line(last)
            self._insert(at, "".join("\n\n" + print_declaration(g).rstrip("\n") for g in groups))
        if rest:
            start = "" if self.text.endswith("\n") else "\n"
            self._insert(
                len(self.text), start + "".join("\n" + print_declaration(each) for each in rest)
            )

    def _insert(self, at: int, text: str) -> None:
        self.inserted.setdefault(at, []).append(text)

    def _fields(self, block: Block, fields: Sequence[Field]) -> None:
        place = self.places.block(block)
        assert place is not None  # noqa: S101 - the block was read from this text
        if not place.fields:
            self._first_fields(self.text.index("{", place.name.end) + 1, block, fields)
            return
        last = place.fields[-1][1].span
        begin = self.text.rfind("\n", 0, last.start) + 1
        indent = self.text[begin : last.start]
        if indent.strip():  # other things stand on the line
            self._insert(last.end, "".join(f"  {line}" for line in _inline(fields)))
        else:
            equals = self.text.index("=", place.fields[-1][1].key.end)
            lines = _lines(fields, indent, equals - last.start)
            self._insert(self._end_of_line(last.end), "".join(f"\n{line}" for line in lines))

    def _first_fields(self, at: int, block: Block, fields: Sequence[Field]) -> None:
        """Insert fields into a block that has none, on lines of their own if the brace ends one."""
        end = self._end_of_line(at)
        if end == at and self.text[at : at + 1] not in ("\n", "\r"):
            self._insert(at, " " + "  ".join(_inline(fields)) + " ")
            return
        start = block.extent.start if block.extent is not None else at
        begin = self.text.rfind("\n", 0, start) + 1
        indent = self.text[begin:start] + _INDENT
        self._insert(end, "".join(f"\n{line}" for line in _lines(fields, indent)))

    def _blocks(self, parent: Block, blocks: Iterable[Block]) -> None:
        extent = parent.extent
        assert extent is not None  # noqa: S101 - the block was read from this text
        brace = extent.end - 1
        begin = self.text.rfind("\n", 0, brace) + 1
        before = self.text[begin:brace]
        alone = not before.strip()
        indent = before if alone else ""
        printer = Printer()
        for block in blocks:
            keyword = "override" if isinstance(block, Override) else "phase"
            printer.block(keyword, block, indent + _INDENT)
        text = "".join(f"{line}\n" for line in printer.lines)
        self._insert(begin if alone else brace, text if alone else f"\n{text}")

    def _end_of_line(self, at: int) -> int:
        """Return where the line ends, if nothing but a comment follows there; else the place."""
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        rest = self.text[at:end].strip()
        if rest and not rest.startswith("//"):
            return at
        return end - 1 if self.text[at:end].endswith("\r") else end


def _lines(fields: Sequence[Field], indent: str, column: int = 0) -> list[str]:
    """Return a line a field, ``=`` in one column: at least ``column`` behind the indent."""
    width = max(column, *(len(field.key) + 1 for field in fields))
    return [f"{indent}{field.key:<{width}}= {_value(field)}" for field in fields]


def _inline(fields: Sequence[Field]) -> list[str]:
    return [f"{field.key} = {_value(field)}" for field in fields]


def _value(field: Field) -> str:
    text = print_value(field.value)
    return text if field.confidence is None else f"{text} @ {print_value(field.confidence)}"
