"""A mirc.toml or pyproject.toml into Settings, or one sentence on what is wrong with it."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun, Severity
from mirc.diagnostics.excerpt import safe
from mirc.ir.suggest import closest
from mirc.lint.selection import explain_unknown, is_known, only_syntax
from mirc.lint.settings import FILE, SHARED_FILE, Settings
from mirc.machine.load import source

LARGEST_FILE_BYTES = 1 << 20
_OURS = re.compile(r"tool[\"' \t]*\.[\"' \t]*mirc")  # somebody meant to write settings
_TOML_PLACE = re.compile(r" \(at line ([0-9]+), column [0-9]+\)$")


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
        shown = _shown(self.path)
        written = rf"""["']?{re.escape(key)}["']?"""
        # A key of ours may also be one of another tool's: ours stand below our table.
        table = re.search(r"^\s*\[\s*tool\s*\.\s*mirc\b", self.text, re.MULTILINE)
        found = re.compile(rf"(?:^|[\s.{{,\[]){written}(?=[\s=.,\]}}]|$)", re.MULTILINE).search(
            self.text, table.end() if table and key != "tool" else 0
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
    try:
        table = _parsed(path, text)
    except CouldNotRun as error:
        if not shared or _OURS.search(text):
            raise
        # It may be that nothing in it was for us.
        sys.stderr.write(f"note: passed over: {safe(error.message)}\n")
        return None
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
        line = _TOML_PLACE.search(message)
        place = f"{_shown(path)}:{line[1]}" if line else _shown(path)
        message = _TOML_PLACE.sub("", message)
        raise CouldNotRun(
            f"`{place}` is not TOML: {message[:1].lower()}{message[1:]}", "put it right"
        ) from error


def _shown(path: str) -> str:
    shown = os.path.relpath(path)
    return path if shown.startswith("..") else shown


def _settings(file: _File, table: Any) -> Settings:
    if not isinstance(table, dict):
        raise file.refuse(
            "mirc", "`tool.mirc` must be a table", "write `[tool.mirc]` and keys below"
        )
    values: dict[str, Any] = {"root": file.root}
    for key, value in table.items():
        if key == "tool" and Path(file.path).name == FILE:
            raise file.refuse(
                key,
                f"in {FILE} settings stand at the top, not under `[tool.mirc]`",
                "remove the line `[tool.mirc]` and leave the keys",
            )
        if key not in KEYS:
            near = closest(key, KEYS)
            advice = f"did you mean `{near}`?" if near else f"choose from {', '.join(KEYS)}"
            raise file.refuse(key, f"there is no setting `{key}`", advice)
        name, convert = KEYS[key]
        values[name] = convert(file, key, value)
    return Settings(**values)


def _words(file: _File, key: str, value: Any, example: str = '["MIR401"]') -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        written = key if key in KEYS else f'"{key}"'
        problem = f"`{key}` must be a list of words in quotes"
        raise file.refuse(key, problem, f"write `{written} = {example}`")
    return tuple(value)


def _rules(file: _File, key: str, value: Any) -> tuple[str, ...]:
    words = _words(file, key, value)
    for word in words:
        if not is_known(word):
            problem = f"`{key}` names `{word}`: there is no such rule"
            raise file.refuse(word, problem, explain_unknown(word))
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
        raise file.refuse(key, f"`{key}` must be a table", f"write `[{key}]` and {example}")
    return tuple((pattern, _ignored(file, pattern, words)) for pattern, words in value.items())


def _level(file: _File, key: str, value: Any) -> Severity:
    levels = [severity.value for severity in Severity]
    if value not in levels:
        raise file.refuse(
            key, f"`{key}` must be one of {', '.join(levels)}", f'write `{key} = "error"`'
        )
    return Severity(value)


def _machines(file: _File, key: str, value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else _words(file, key, value, '["h100-sxm"]')
    for word in words:
        if not _is_path(word):
            try:
                source(word)
            except CouldNotRun as error:
                raise file.refuse(word, error.message, error.hint) from error
    return tuple(str(Path(file.root, word)) if _is_path(word) else word for word in words)


def _is_path(word: str) -> bool:
    return word.endswith(".toml") or "/" in word


def _path(file: _File, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise file.refuse(
            key, f"`{key}` must be a path in quotes", f'write `{key} = "baseline.json"`'
        )
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
