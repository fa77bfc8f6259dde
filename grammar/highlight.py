"""The grammar and the field table into a TextMate grammar; run it to bring the file up to date."""

import json
import sys
from pathlib import Path
from typing import Any

from mirc.grammar.vocabulary import BLOCKS, PROTECTION, calls, keys, terminal, words

PAGE = "editors/vscode/syntaxes/memory-intent.tmLanguage.json"
_LANGUAGE = "memory-intent"
SCOPE = f"source.{_LANGUAGE}"
_BEFORE = r"(?<![A-Za-z0-9_.])"  # a word is no part of a longer name
_AFTER = r"(?![A-Za-z0-9_.\[])"
_BLANK = r"[ \t]*"
_ESCAPE = r"\\(?:[\"\\nrt]|u[0-9A-Fa-f]{4})"


def textmate() -> dict[str, Any]:
    """Return the grammar for VS Code, Sublime, GitHub, Shiki and others.

    It works line by line: what a name refers to, and whether a word fits its key, is for the
    language server to say.
    """
    return {
        "name": "Memory Intent IR",
        "scopeName": SCOPE,
        "fileTypes": ["mir"],
        "firstLineMatch": r"^(?:\x{FEFF})?\s*mir[ \t]+1(?:\.[0-9]+)?\b",
        "patterns": [{"include": f"#{name}"} for name in _repository()],
        "repository": _repository(),
    }


def as_text() -> str:
    """Return the grammar as the file has it: ASCII, two blanks a level, a line break at the end."""
    return json.dumps(textmate(), indent=2) + "\n"


def _repository() -> dict[str, Any]:
    name = terminal("NAME")
    return {
        "comment": _rule("comment.line.double-slash", "//.*$"),
        "header": {
            "match": rf"^\s*(mir)[ \t]+([0-9]+\.[0-9]+){_AFTER}",
            "captures": _captures("keyword.control.version", "constant.numeric.version"),
        },
        "extern": {
            "match": rf"{_BEFORE}(extern){_AFTER}{_BLANK}(object){_AFTER}{_BLANK}({name})",
            "captures": _captures("storage.modifier", "storage.type", "entity.name.type"),
        },
        "reference": {
            "match": rf"{_BEFORE}(override){_AFTER}{_BLANK}({name})",
            "captures": _captures("storage.type", "variable.other.object"),
        },
        "declaration": {
            "match": rf"{_BEFORE}({_any(BLOCKS)}){_AFTER}{_BLANK}({name})?",
            "captures": _captures("storage.type", "entity.name.type"),
        },
        "key": {
            "match": rf"{_BEFORE}(?:({_any(keys())})|({name})){_BLANK}(=)",
            "captures": _captures(
                "support.type.property-name",
                "variable.other.property",
                "keyword.operator.assignment",
            ),
        },
        "call": {
            "match": rf"{_BEFORE}(?:({_any(calls())})|({name}))(?={_BLANK}\()",
            "captures": _captures("support.function", "entity.name.function"),
        },
        "boolean": _rule("constant.language.boolean", f"{_BEFORE}(?:true|false){_AFTER}"),
        "protection": _rule("support.constant.protection", f"{_BEFORE}{PROTECTION}{_AFTER}"),
        "word": _rule("support.constant", f"{_BEFORE}(?:{_any(words())}){_AFTER}"),
        "string": {
            "name": f"string.quoted.double.{_LANGUAGE}",
            "begin": '"',
            "end": '"|$',
            "patterns": [
                _rule("constant.character.escape", _ESCAPE),
                _rule("invalid.illegal.escape", r"\\."),
            ],
        },
        "name": _rule("variable.other", _BEFORE + name),
        "quantity": {
            "match": _with_unit("SIZE") + "|" + _with_unit("TIME"),
            "captures": _captures(
                "constant.numeric", "keyword.other.unit", "constant.numeric", "keyword.other.unit"
            ),
        },
        "number": _rule("constant.numeric", f"{terminal('FLOAT')}|{terminal('INT')}"),
        "confidence": _rule("keyword.operator.confidence", "@"),
        "braces": _rule("punctuation.section.block", r"[{}]"),
        "brackets": _rule("punctuation.section.brackets", r"[\[\]()]"),
        "separator": _rule("punctuation.separator", ","),
    }


def _rule(scope: str, match: str) -> dict[str, str]:
    return {"name": f"{scope}.{_LANGUAGE}", "match": match}


def _captures(*scopes: str) -> dict[str, dict[str, str]]:
    return {str(i): {"name": f"{scope}.{_LANGUAGE}"} for i, scope in enumerate(scopes, 1)}


def _any(choices: tuple[str, ...]) -> str:
    # The longest first: engines take the first that fits.
    return "|".join(sorted(choices, key=lambda word: (-len(word), word)))


def _with_unit(name: str) -> str:
    number, _, unit = terminal(name).rpartition("(?:")
    units, _, boundary = unit.partition(")")
    return f"({number})({units}){boundary}"


def main() -> None:
    """Rewrite the file given on the command line, or the one of the VS Code extension."""
    page = Path(sys.argv[1] if len(sys.argv) > 1 else PAGE)
    page.write_text(as_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
