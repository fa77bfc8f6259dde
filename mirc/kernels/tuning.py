"""What is known of how kernels run into what machine code is told; no result depends on it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from mirc.kernels.world import Table

Plain = TypeVar("Plain", bound=Callable[..., Any])

_INLINED = "__inlined__"


def inlined(function: Plain) -> Plain:
    """Mark a function that is compiled into all its callers: a call costs more than it does."""
    setattr(function, _INLINED, True)
    return function


def is_inlined(function: Callable[..., Any]) -> bool:
    """Tell whether a function is compiled into its callers."""
    return hasattr(function, _INLINED)


def hint(function: Callable[..., None]) -> Callable[..., None]:
    """Mark a function that does nothing but speed up machine code: plain Python skips it."""

    @wraps(function)
    def skipped(*_: Any) -> None:
        pass

    return skipped


def soon(table: Table, row: int, column: int) -> None:
    """Have the processor fetch an entry that will be read soon; for use in hints."""
