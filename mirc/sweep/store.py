"""Results into a folder, one file each, and back: a kill at any moment loses none that stands."""

import json
import os
from pathlib import Path
from typing import Any

from mirc.diagnostics import CouldNotRun

LARGEST_FILE_BYTES = 1 << 16


class Store:
    """A folder of results by key. A file has its name when it is whole, and never changes."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            there = {path.name for path in self._folder.iterdir()}
        except (OSError, ValueError) as error:
            raise _refusal(folder, error) from error
        self._there = {name.removesuffix(".json") for name in there if name.endswith(".json")}

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the result of a point; None if there is none, or what is there is damaged."""
        if key not in self._there:
            return None
        try:
            with (self._folder / f"{key}.json").open("rb") as file:
                found = json.loads(file.read(LARGEST_FILE_BYTES + 1))
        except (OSError, ValueError, RecursionError):
            return None
        return found if _sound(found, key) else None

    def put(self, key: str, answer: str) -> None:
        """Keep a result; raise CouldNotRun where the folder cannot take it."""
        temporary = self._folder / f".{key}.{os.getpid()}.tmp"
        try:
            temporary.write_text(answer + "\n", encoding="utf-8")
            temporary.replace(self._folder / f"{key}.json")
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _refusal(str(self._folder), error) from error
        self._there.add(key)


def _sound(found: Any, key: str) -> bool:
    if not isinstance(found, dict) or found.get("key") != key:
        return False
    figures, error = found.get("figures"), found.get("error")
    if isinstance(error, str):
        return True
    return isinstance(figures, dict) and all(
        isinstance(value, int | float) for value in figures.values()
    )


def _refusal(folder: str, error: OSError | ValueError) -> CouldNotRun:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return CouldNotRun(f"cannot keep results in `{folder}`: {reason}", "choose another `--results`")
