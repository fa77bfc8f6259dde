"""A name, or ``module:attribute``, into the adapter of a controller."""

import difflib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from mirc.conform.orchestrated import Orchestrated
from mirc.conform.protocol import Adapter
from mirc.conform.recency import RecencyWithPriorities, WriteNoAdmit
from mirc.conform.reference import Forgetful, Reference
from mirc.diagnostics import CouldNotRun

ADAPTERS: tuple[Callable[[], Adapter], ...] = (
    Orchestrated,
    Reference,
    RecencyWithPriorities,
    WriteNoAdmit,
    Forgetful,
)
NAMES = tuple(make().name for make in ADAPTERS)
ASKED = ("open", "claim", "release", "fail", "active", "finish", "advance", "signal", "resident")


def adapter_named(name: str) -> Adapter:
    """Return an adapter of ours, or one of the user's: ``module:attribute``, which is imported.

    The attribute is an adapter, or makes one when it is called with nothing. Raises
    ``CouldNotRun``.
    """
    if name in NAMES:
        return ADAPTERS[NAMES.index(name)]()
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        near = difflib.get_close_matches(name, NAMES, n=1)
        advice = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(NAMES)}"
        raise CouldNotRun(f"there is no adapter `{name}`", f"{advice}; or name MODULE:ATTRIBUTE")
    made = _imported(module, attribute)
    missing = [each for each in (*ASKED, "events", "name") if not hasattr(made, each)]
    if missing:
        raise CouldNotRun(
            f"`{name}` is no adapter: it has no `{missing[0]}`",
            "see the protocol in `mirc.conform.protocol`",
        )
    adapter: Adapter = made
    return adapter


def _imported(module: str, attribute: str) -> Adapter:
    # As `python -m` does: a module that stands in the current folder can be named.
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), attribute)
        made: Adapter = found() if callable(found) else found
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise CouldNotRun(
            f"cannot import the adapter `{module}:{attribute}`: {text}",
            "name a module that Python can import, and an attribute of it",
        ) from error
    finally:
        sys.path.pop(0)
    return made
