"""The resolved view of an object into text for a terminal, and plain data for JSON."""

from collections.abc import Iterator
from typing import Any

from mirc.diagnostics.excerpt import safe
from mirc.explain.objects import ObjectView, Row, Said
from mirc.ir.fields import SUBJECTS
from mirc.ir.resolve import Layer

FORMAT_VERSION = "1.0"
_WIDEST = 44  # columns of the values; a longer one pushes what follows to the right


def as_text(view: ObjectView) -> str:
    """Return the view as a table by subject: what holds, who said so, what that took the place of.

    Keys for which nothing holds are named at the end.
    """
    rows = [row for row in view.rows if row.holds.text is not None]
    keys = max((len(row.spec.key) for row in rows), default=0)
    values = min(_WIDEST, max((len(text) for row in rows for text in _values(row)), default=0))
    lines = [_head(view)]
    for title, specs in SUBJECTS:
        group = [row for row in rows if row.spec in specs]
        if group:
            lines += ["", title.lower()]
            for row in group:
                lines += _row(row, view, keys, values)
    empty = dict.fromkeys(row.spec.key for row in view.rows if row.holds.text is None)
    unset = [key for key in empty if key not in {row.spec.key for row in rows}]
    if unset:
        lines += ["", "nothing holds for", *_wrapped(unset)]
    if view.elsewhere:
        lines += ["", "overridden elsewhere"]
        lines += [f"  {safe(where)}: {', '.join(keys)}" for where, keys in view.elsewhere]
    return "\n".join(lines) + "\n"


def as_object(view: ObjectView) -> dict[str, Any]:
    """Return the view as plain data; every key of the class is there, also where nothing holds."""
    query = view.query
    return {
        "name": "mirc",
        "format_version": FORMAT_VERSION,
        "file": view.source,
        "object": query.name,
        "kind": view.kind,
        "line": view.line,
        "phase": query.phase,
        "signal": query.signal,
        "plan": query.plan,
        "parts": list(view.parts),
        "fields": [_row_object(row) for row in view.rows],
        "elsewhere": [{"where": where, "keys": list(keys)} for where, keys in view.elsewhere],
    }


def _row_object(row: Row) -> dict[str, Any]:
    return {
        "key": row.spec.key,
        "strength": row.spec.strength.value,
        **_said_object(row.holds),
        "replaced": [_said_object(said) for said in row.replaced],
        "parts": list(row.parts),
    }


def _said_object(said: Said) -> dict[str, Any]:
    return {
        "value": said.text,
        "confidence": said.confidence,
        "origin": said.layer.value,
        "by": said.by or None,
        "line": said.line,
    }


def _head(view: ObjectView) -> str:
    query = view.query
    place = f" at {safe(view.source)}:{view.line}" if view.line is not None else ""
    asked = (("phase", query.phase), ("signal", query.signal), ("plan", query.plan))
    when = "".join(f", {kind} `{safe(name)}`" for kind, name in asked if name is not None)
    parts = f" of {len(view.parts):,} parts" if view.parts else ""
    return f"{view.kind} `{safe(query.name)}`{parts}{place}{when}"


def _row(row: Row, view: ObjectView, keys: int, values: int) -> Iterator[str]:
    holds, *replaced = _values(row)
    yield f"  {row.spec.key:<{keys}}  {holds:<{values}}  {_origin(row, view)}"
    for said, text in zip(row.replaced, replaced, strict=True):
        yield f"  {'':<{keys}}  {text:<{values}}  {_by(said, view)}"


def _values(row: Row) -> tuple[str, ...]:
    return (_value(row.holds), *(f"instead of {_value(said)}" for said in row.replaced))


def _value(said: Said) -> str:
    confidence = "" if said.confidence is None else f" @ {said.confidence:g}"
    return safe(f"{said.text}{confidence}")


def _origin(row: Row, view: ObjectView) -> str:
    text = _by(row.holds, view)
    if row.parts and len(row.parts) < len(view.parts):
        return f"{text} ({len(row.parts):,} of the parts, {safe(row.parts[0])} first)"
    return text


def _by(said: Said, view: ObjectView) -> str:
    if said.layer is Layer.DEFAULT:
        return f"default of {said.by}" if said.by else "default"
    place = f" {safe(view.source)}:{said.line}" if said.line is not None else ""
    if said.layer is Layer.PLAN_PHASE:
        return f"plan `{safe(said.by)}` for the phase{place}"
    return f"{said.layer}{f' `{safe(said.by)}`' if said.by else ''}{place}"


def _wrapped(words: list[str]) -> Iterator[str]:
    line = " "
    for word in words:
        if len(line) + len(word) > 96:
            yield line
            line = " "
        line += f" {word}"
    yield line
