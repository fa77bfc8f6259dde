"""What decides a run into one hash: the same on every machine, another for any other run."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import attrs

from mirc.controller.own import is_own
from mirc.machine import Machine

FORM = "mirc-configuration 1"
"""Changes when equal inputs are to be told apart from before: what was stored is then stale."""


def identity(
    source: str,
    machines: Iterable[Machine],
    options: Mapping[str, Any],
    policies: Iterable[str],
) -> str:
    """Return ``sha256:`` and 64 hex digits over all that decides a run's figures.

    ``source`` is the text of the file, ``machines`` count by content and not by the path that they
    came from, ``options`` may hold whatever JSON can say, enums, tuples and attrs classes. Of
    ``policies`` the user's own (``FILE.py:CLASS``) count by their class and the content of their
    file. Neither paths nor times nor the host take part. Raises TypeError for a value of any other
    kind.
    """
    parts = {
        "form": FORM,
        "source": hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest(),
        "machines": list(machines),
        "options": dict(options),
        "policies": list(map(_told, policies)),
    }
    text = json.dumps(_plain(parts), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def digest(rows: Iterable[Any]) -> str:
    """Return a hash of attrs instances of plain values, such as the requests of a trace."""
    found = hashlib.sha256()
    for row in rows:
        found.update(repr(attrs.astuple(row, recurse=False)).encode())
    return found.hexdigest()


def _told(policy: str) -> str:
    if not is_own(policy):
        return policy
    path, _, name = policy.rpartition(":")
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError):
        return policy  # it cannot be imported either: who does says so
    return f"{hashlib.sha256(content).hexdigest()}:{name}"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; a float as the shortest text that gives it back."""
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | str():
            return value
        case float():
            return repr(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    if attrs.has(type(value)):
        return {each.name: _plain(getattr(value, each.name)) for each in attrs.fields(type(value))}
    raise TypeError(f"no part of a configuration: {value!r}")
