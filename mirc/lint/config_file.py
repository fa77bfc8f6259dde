"""A mirc.toml or pyproject.toml into Settings, or one sentence on what is wrong with it."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun, Severity
from mirc.ir.suggest import closest
from mirc.lint.selection import explain_unknown, is_known, only_syntax
from mirc.lint.settings import SHARED_FILE, Settings

LARGEST_FILE_BYTES = 1 << 20


@attrs.frozen
class _File:
    """A settings file that is being read, for its messages."""

    path: str
    text: str

    @property
    def root(self) -> str:
        return str(Path(self.path).parent)

    def refuse(self, key: str, problem: str, hint: str | None) -> CouldNotRun:
        """Return the error about a key (``ignore``, or an entry below it) or a word."""
        return CouldNotRun(f"{self._place(key)}: {problem}", hint)

    def _place(self, key: str) -> str:
        shown = os.path.relpath(self.path)
        shown = self.path if shown.startswith("..") else shown
        written = rf"""["']?{re.escape(key)}["']?"""
        # A key of ours may also be one of another tool's: ours stand below our table.
        table = re.search(r"^\s*\[\s*tool\s*\.\s*mirc\b", self.text, re.MULTILINE)
        found = re.compile(rf"(?:^|[\s.{{,\[]){written}(?=[\s=.,\]}}]|$)", re.MULTILINE).search(
            self.text, table.end() if table else 0
        )
        if found is None:
            return f"`{shown}`"
        return f"`{shown}:{self.text.count(chr(10), 0, found.end()) + 1}`"


def read(path: str) -> Settings | None:
    """Return the settings in a file; None for a ``pyproject.toml`` without ``[tool.mirc]``.

    Raises ``CouldNotRun`` for what is not TOML, and for keys and values that mean nothing.
    """
    text = _text(path)
    shared = Path(path).name == SHARED_FILE
    if shared and "mirc" not in text:  # another tool's: not ours to judge, or to wait for
        return None
    table = _parsed(path, text)
    if shared:
        tool = table.get("tool")
        found = tool.get("mirc") if isinstance(tool, dict) else None
        if found is None:
            return None
        table = found
    return _settings(_File(path, text), table)


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise CouldNotRun(f"`{path}` is larger than 1 MiB", "settings take a few lines")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CouldNotRun(f"`{path}` is not UTF-8 text", "save it as UTF-8") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CouldNotRun(f"cannot read `{path}`: {reason}", "give leave to read it") from error


def _parsed(path: str, text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most folders have no settings, and every command starts here

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise CouldNotRun(f"`{path}` nests too deeply", "flatten it") from error
    except ValueError as error:
        message = str(error)
        raise CouldNotRun(
            f"`{path}` is not TOML: {message[:1].lower()}{message[1:]}", "put it right"
        ) from error


def _settings(file: _File, table: Any) -> Settings:
    if not isinstance(table, dict):
        raise file.refuse("mirc", "`tool.mirc` is no table", "write `[tool.mirc]` and keys below")
    values: dict[str, Any] = {"root": file.root}
    for key, value in table.items():
        if key not in KEYS:
            near = closest(key, KEYS)
            advice = f"did you mean `{near}`?" if near else f"choose from {', '.join(KEYS)}"
            raise file.refuse(key, f"there is no setting `{key}`", advice)
        name, convert = KEYS[key]
        values[name] = convert(file, key, value)
    return Settings(**values)


def _words(file: _File, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise file.refuse(key, f"`{key}` is no list of words", f'write `{key} = ["MIR401"]`')
    return tuple(value)


def _rules(file: _File, key: str, value: Any) -> tuple[str, ...]:
    words = _words(file, key, value)
    for word in words:
        if not is_known(word):
            raise file.refuse(word, f"`{key}` names `{word}`: no rule", explain_unknown(word))
    return words


def _ignored(file: _File, key: str, value: Any) -> tuple[str, ...]:
    words = _rules(file, key, value)
    for word in words:
        if only_syntax(word):
            raise file.refuse(
                word, f"`{key}` names `{word}`: syntax errors cannot be ignored", "remove it"
            )
    return words


def _by_pattern(file: _File, key: str, value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        example = '`"generated/*.mir" = ["MIR901"]` below it'
        raise file.refuse(key, f"`{key}` is no table", f"write `[{key}]` and {example}")
    return tuple((pattern, _ignored(file, pattern, words)) for pattern, words in value.items())


def _level(file: _File, key: str, value: Any) -> Severity:
    levels = [severity.value for severity in Severity]
    if value not in levels:
        raise file.refuse(
            key, f"`{key}` is none of {', '.join(levels)}", f'write `{key} = "error"`'
        )
    return Severity(value)


def _machines(file: _File, key: str, value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else _words(file, key, value)
    return tuple(
        str(Path(file.root, word)) if word.endswith(".toml") or "/" in word else word
        for word in words
    )


def _path(file: _File, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise file.refuse(key, f"`{key}` is no path", f'write `{key} = "baseline.json"`')
    return str(Path(file.root, value))


# What may stand in the table: the field of Settings, and who reads the value.
KEYS: dict[str, tuple[str, Callable[[_File, str, Any], Any]]] = {
    "select": ("select", _rules),
    "extend-select": ("extend_select", _rules),
    "ignore": ("ignore", _ignored),
    "per-file-ignores": ("per_file_ignores", _by_pattern),
    "fail-level": ("fail_level", _level),
    "machine": ("machines", _machines),
    "baseline": ("baseline", _path),
}
