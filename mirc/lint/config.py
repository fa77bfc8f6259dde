"""A file's path into the settings that hold for it: those of the nearest settings file."""

import os
from functools import cache

from mirc.lint.settings import DEFAULT, FILE, SHARED_FILE, Overrides, Settings

__all__ = ["DEFAULT", "FILE", "SHARED_FILE", "Overrides", "Settings", "forget", "settings_for"]


def settings_for(name: str) -> Settings:
    """Return the settings that hold for a file, which need not exist.

    The nearest ``mirc.toml``, or ``pyproject.toml`` with a table ``[tool.mirc]``, upward from the
    file's folder wins, alone; in one folder ``mirc.toml`` does. Raises ``CouldNotRun``.
    """
    return _settings_of(os.path.dirname(os.path.abspath(name)))  # noqa: PTH100, PTH120 - start-up


def forget() -> None:
    """Read settings anew from now on: for those who watch files."""
    _settings_of.cache_clear()


@cache
def _settings_of(folder: str) -> Settings:
    below = ""
    while folder != below:
        for name in (FILE, SHARED_FILE):
            path = os.path.join(folder, name)  # noqa: PTH118 - one of these for each folder upward
            if os.path.isfile(path):  # noqa: PTH113
                # Start-up: TOML is read only where there is some.
                from mirc.lint.config_file import read  # noqa: PLC0415

                found = read(path)
                if found is not None:
                    return found
        below, folder = folder, os.path.dirname(folder)  # noqa: PTH120
    return DEFAULT
