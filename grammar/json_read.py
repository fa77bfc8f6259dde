"""A JSON text into an ir.Module and every finding, each with its path and its place."""

import json
import re
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun, Diagnostic, Related, Rule, Source, Span
from mirc.grammar import syntax_rules
from mirc.grammar.bind import Bound
from mirc.grammar.json_blocks import BlockReader, as_object
from mirc.grammar.json_places import JsonPlaces, Wanted, locate, said_path
from mirc.grammar.json_rules import NOT_JSON, NOT_THE_FORM
from mirc.grammar.json_values import (
    NestsTooDeeply,
    NotInForm,
    Path,
    read_constant,
    read_float,
    read_int,
)
from mirc.grammar.memory import collection_paused
from mirc.ir.module import Module
from mirc.ir.verify import Verified, verify

MOST_TEXT = 1 << 27  # characters; empty lists take 20 times their text in memory
_STRUCTURE = 400  # brackets within brackets; Python's own reader gives up near 1,000
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')
_VERSION = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)


def read(source: Source, machines: frozenset[str] | None = None) -> Bound:
    """Read the JSON form; what is wrong is left out of the module and has a finding.

    Findings stand at places of the JSON text; ``subject`` is the path. Raises ``CouldNotRun`` for
    a text longer than ``MOST_TEXT``.
    """
    if len(source.text) > MOST_TEXT:
        raise CouldNotRun(
            f"`{source.name}` is longer than {MOST_TEXT:_} characters", "split it, or write .mir"
        )
    with collection_paused():
        data = _parsed(source.text)
        if isinstance(data, Diagnostic):
            return Bound(Module(), (data,))
        reader = BlockReader()
        blocks = reader.blocks(data)
        version = _version(data, reader.faults)
        if reader.faults:
            return Bound(Module(), _faults(source.text, reader.faults))
        places = JsonPlaces(data, reader.paths, reader.keywords)
        verified = verify(blocks, machines=machines, places=places)
    found = _found(source.text, verified, places)
    module = attrs.evolve(_placeless(verified.module), version=version)
    return Bound(module, found)


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=as_object,
            parse_int=read_int,
            parse_float=read_float,
            parse_constant=read_constant,
        )
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return Diagnostic(NOT_JSON, Span(error.pos, error.pos + 1), message, NOT_JSON.hint)
    except RecursionError:
        return Diagnostic(
            syntax_rules.NESTED_TOO_DEEPLY,
            _deepest(text),
            "lists and objects nest too deeply",
            "flatten it",
        )


def _deepest(text: str) -> Span:
    """Return where nesting passes any that has a meaning."""
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > _STRUCTURE:
                return Span(match.start(), match.end())
        elif match[0] in "]}":
            depth -= 1
    return Span(0, 1)


def _version(data: Any, faults: list[NotInForm]) -> tuple[int, int]:
    written = data.get("mir", "1.0") if isinstance(data, dict) else "1.0"
    match = _VERSION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        faults.append(NotInForm(("mir",), 'expected a version such as "1.0"'))
    elif int(match[1]) != 1:
        message = f"version {written} is not known here"
        faults.append(UnknownVersion(("mir",), message, "use a newer mirc"))
    return (1, 0) if match is None else (int(match[1]), int(match[2]))


class UnknownVersion(NotInForm):
    """A major version that is not ours."""


_RULE_OF: dict[type[NotInForm], Rule] = {
    NotInForm: NOT_THE_FORM,
    NestsTooDeeply: syntax_rules.NESTED_TOO_DEEPLY,
    UnknownVersion: syntax_rules.UNKNOWN_VERSION,
}


def _faults(text: str, faults: list[NotInForm]) -> tuple[Diagnostic, ...]:
    wanted = [Wanted(fault.path) for fault in faults]
    spans = locate(text, wanted)
    found = [
        Diagnostic(
            _RULE_OF[type(fault)],
            spans.get(want, Span(0, 1)),
            _at(fault.message, fault.path),
            fault.hint,
            subject=said_path(fault.path),
        )
        for fault, want in zip(faults, wanted, strict=True)
    ]
    return tuple(sorted(found, key=_by_place))


def _found(text: str, verified: Verified, places: JsonPlaces) -> tuple[Diagnostic, ...]:
    """Return the findings with the numbers of their places turned into spans."""
    if not verified.diagnostics:
        return ()
    spans = locate(text, places.wanted)

    def placed(number: Span) -> Span:
        return spans.get(places.wanted[number.start], Span(0, 1))

    found = []
    for diagnostic in verified.diagnostics:
        path = places.wanted[diagnostic.span.start].path
        found.append(
            attrs.evolve(
                diagnostic,
                span=placed(diagnostic.span),
                message=_at(diagnostic.message, path),
                related=tuple(Related(placed(r.span), r.message) for r in diagnostic.related),
                fix=None,  # fixes are written in .mir
                subject=said_path(path),
            )
        )
    return tuple(sorted(found, key=_by_place))


def _at(message: str, path: Path) -> str:
    return f"{message} (at {said_path(path)})" if path else message


def _by_place(diagnostic: Diagnostic) -> tuple[Span, str, str]:
    return (diagnostic.span, diagnostic.rule.code, diagnostic.message)


def _placeless(module: Module) -> Module:
    """Return the module without the numbers that stood for its blocks' extents."""
    info = None if module.info is None else _without_extent(module.info)
    return attrs.evolve(
        module, declarations=tuple(map(_without_extent, module.declarations)), info=info
    )


def _without_extent(block: Any) -> Any:
    inner = {
        part: tuple(map(_without_extent, children))
        for part in ("steps", "overrides", "phases")
        if (children := getattr(block, part, None))
    }
    return attrs.evolve(block, extent=None, **inner)
