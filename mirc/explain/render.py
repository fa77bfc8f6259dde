"""Explanations into text for a terminal, Markdown for an editor, and plain data for JSON."""

import textwrap
from collections.abc import Iterator
from typing import Any

from mirc.diagnostics.excerpt import safe
from mirc.diagnostics.markup import block, code
from mirc.explain.model import Explanation, Meaning, Subject, Table

WIDTH = 96
_INDENT = "  "
_GLUE = "\x1f"  # no white space to textwrap


def as_text(explanation: Explanation) -> str:
    """Return the explanation for a terminal, lines of at most 100 columns where words allow it."""
    blocks = ["\n".join(_meaning(meaning)) for meaning in explanation.meanings]
    if explanation.also:
        blocks.append(f"see also: {', '.join(explanation.also)}")
    return "\n\n".join(blocks) + "\n"


def as_markdown(explanation: Explanation) -> str:
    """Return the explanation as Markdown, for hovers and web pages."""
    return "\n\n---\n\n".join("\n\n".join(_parts(m)) for m in explanation.meanings) + "\n"


def as_object(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as plain data."""
    return {
        "word": explanation.word,
        "meanings": [
            {
                "subject": str(meaning.subject),
                "name": str(meaning.name),
                "noun": meaning.noun or _article(meaning.subject),
                "summary": meaning.summary,
                "facts": [{"label": label, "text": text} for label, text in meaning.facts],
                "tables": [_plain(table) for table in meaning.tables],
                "examples": [{"title": e.title, "text": e.text} for e in meaning.examples],
            }
            for meaning in explanation.meanings
        ],
        "also": list(explanation.also),
    }


def _plain(table: Table) -> dict[str, Any]:
    rows = [list(map(str, row)) for row in table.rows]
    return {"title": table.title, "head": list(table.head), "rows": rows}


def list_text(words: dict[Subject, tuple[str, ...]]) -> str:
    """Return all words by subject."""
    blocks = []
    for subject, names in words.items():
        body = textwrap.fill(
            "  ".join(_paired(names) if subject is Subject.RULE else names),
            WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_on_hyphens=False,
            break_long_words=False,
        )
        blocks.append(f"{subject}:\n{body}".replace(_GLUE, " "))
    return "\n\n".join(blocks) + "\n\nmirc explain WORD says more of each.\n"


def _paired(names: tuple[str, ...]) -> list[str]:
    """Keep a rule's code and its name on one line."""
    return [f"{code}{_GLUE}{name}" for code, name in zip(names[::2], names[1::2], strict=True)]


def _meaning(meaning: Meaning) -> Iterator[str]:
    yield f"{meaning.name}: {meaning.noun or _article(meaning.subject)}"
    yield ""
    for paragraph in meaning.summary.split("\n\n"):
        yield from _filled(" ".join(paragraph.split()), _INDENT, _INDENT)
    if meaning.facts:
        yield ""
        width = max(len(label) for label, _ in meaning.facts)
        for label, text in meaning.facts:
            head = f"{_INDENT}{label:<{width}}  "
            yield from _filled(safe(text), head, " " * len(head))
    for table in meaning.tables:
        yield ""
        yield from _table(table)
    for example in meaning.examples:
        yield ""
        yield f"{_INDENT}{example.title}:"
        yield from (f"{_INDENT * 2}{safe(line)}".rstrip() for line in example.text.splitlines())


def _article(subject: Subject) -> str:
    return f"{'an' if subject[0] in 'aeio' else 'a'} {subject}"


def _filled(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def _table(table: Table) -> Iterator[str]:
    yield f"{_INDENT}{table.title}:"
    *widths, _ = (max(len(row[i]) for row in table.rows) for i in range(len(table.head)))
    for row in table.rows:
        head = _INDENT * 2 + "".join(f"{cell:<{w}}  " for cell, w in zip(row, widths, strict=False))
        yield from _filled(row[-1], head, " " * len(head)) if row[-1] else [head.rstrip()]


def _parts(meaning: Meaning) -> Iterator[str]:
    yield f"**{code(meaning.name)}**: {meaning.noun or _article(meaning.subject)}"
    yield meaning.summary
    if meaning.facts:
        yield "\n".join(f"- {label}: {text}" for label, text in meaning.facts)
    for table in meaning.tables:
        lines = [_row(table.head), "|" + "---|" * len(table.head), *map(_row, table.rows)]
        yield f"{table.title}:\n\n" + "\n".join(lines)
    for example in meaning.examples:
        yield f"{example.title}:\n\n{block(example.text)}"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
