"""An exception into one line that names it and the user's own line that it came from."""

import contextlib
import os
import traceback
from pathlib import Path

import torch

from mirc.diagnostics.errors import CouldNotRun

LONGEST = 200
LIBRARIES = tuple(
    f"{Path(source).parent}{os.sep}" for source in (torch.__file__, contextlib.__file__, __file__)
)
PACKAGE = Path(__file__).parents[1]
ON_BEHALF = frozenset({"wrappers.py", "lean.py", "lazy.py", "results.py"})
"""Files whose frames stand for the user's model, or for torch."""


def blame(error: BaseException, where: str) -> str:
    """Name an exception: its type, its message, the last line of the user's that it came from."""
    if isinstance(error, CouldNotRun):
        return error.message
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0][:LONGEST]}" if lines else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({error.filename}:{error.lineno})"
    frames = [one for one in traceback.extract_tb(error.__traceback__) if _users(one.filename)]
    own = [frame for frame in frames if where and frame.filename.endswith(Path(where).name)]
    found = own or frames
    return f"{text} ({found[-1].filename}:{found[-1].lineno})" if found else text


def own_fault(error: BaseException) -> bool:
    """Say whether an exception began in mirc's own code: not torch's, not the user's.

    A refusal is none, nor is recursion without end, which ends anywhere. Wrappers call the user's
    model by names that it may not have, and modes call torch in the user's place.
    """
    if isinstance(error, CouldNotRun | RecursionError | RuntimeError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    place = Path(frames[-1].filename) if frames else None
    return place is not None and place.is_relative_to(PACKAGE) and place.name not in ON_BEHALF


def _users(filename: str) -> bool:
    return not filename.startswith(("<", *LIBRARIES))
