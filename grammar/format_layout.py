"""The items of a text onto the lines of the canonical form."""

from collections.abc import Iterable

from mirc.grammar.alignment import WIDTH, starts_of, with_tails
from mirc.grammar.format_items import Item, Kind, Wrapped

INDENT = "  "
_AFTER_BLANK = frozenset({Kind.CLOSE, Kind.HEADER})


def laid_out(items: Iterable[Item]) -> str:
    """Return the canonical text: every line of it, ended by a line break."""
    layout = _Layout()
    layout.add(items)
    return "\n".join(layout.lines) + "\n" if layout.lines else ""


class _Layout:
    """The lines so far, and the fields of each open block, aligned when it closes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.open: list[list[tuple[int, Item]]] = []

    def add(self, items: Iterable[Item]) -> None:
        """Add items in their order."""
        lines, before, blank, indent = self.lines, Kind.OPEN, False, ""
        for item in items:
            kind = item.kind
            if kind is Kind.BLANK:
                blank = True
                continue
            if kind is Kind.CLOSE:
                self._align(indent)
                indent = indent[:-2]
            elif before is not Kind.OPEN and (blank or self._parts(before, kind)):
                lines.append("")
            for comment in item.above:
                lines.append(indent + comment)
            if kind is Kind.FIELD and self.open:
                self.open[-1].append((len(lines), item))
                lines.append("")
            else:
                lines.append(indent + item.text + _tail(item.tail))
            if kind is Kind.OPEN:
                self.open.append([])
                indent += INDENT
            before, blank = kind, False

    def _parts(self, before: Kind, kind: Kind) -> bool:
        """Say whether a blank line parts two items on top, whatever the author wrote."""
        if self.open:
            return False
        return before in _AFTER_BLANK or (before is Kind.EXTERN and kind is Kind.OPEN)

    def _align(self, indent: str) -> None:
        fields = self.open.pop()
        starts = starts_of([item.key for _, item in fields], indent)
        texts = [
            start + item.text if item.wrapped is None else _broken(start, item, indent)
            for start, (_, item) in zip(starts, fields, strict=True)
        ]
        if any(item.tail for _, item in fields):
            texts = with_tails(texts, [item.tail for _, item in fields])
        for text, (index, _) in zip(texts, fields, strict=True):
            self.lines[index] = text


def _tail(comment: str) -> str:
    return f"  {comment}" if comment else ""


def _broken(start: str, item: Item, indent: str) -> str:
    """Return a field whose list the author broke: on one line if it fits there."""
    wrapped = item.wrapped
    fits = len(start) + len(item.text) <= WIDTH
    if wrapped is None or (fits and not wrapped.commented):
        return start + item.text
    inner = indent + INDENT
    inside = _one_a_line(wrapped, inner) if wrapped.commented else _filled(wrapped, inner)
    return "\n".join([start + wrapped.opening, *inside, indent + wrapped.closing])


def _one_a_line(wrapped: Wrapped, indent: str) -> list[str]:
    lines = []
    for element in wrapped.elements:
        lines += [indent + comment for comment in element.above]
        lines.append(f"{indent}{element.text},{_tail(element.tail)}")
    return [*lines, *(indent + comment for comment in wrapped.last)]


def _filled(wrapped: Wrapped, indent: str) -> list[str]:
    """Return as many elements on each line as fit, each with its comma."""
    lines: list[str] = []
    line = ""
    for element in wrapped.elements:
        if line and len(indent) + len(line) + len(element.text) + 2 > WIDTH:
            lines.append(indent + line)
            line = ""
        line += f" {element.text}," if line else f"{element.text},"
    return [*lines, indent + line] if line else lines
