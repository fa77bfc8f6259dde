"""A function and what stands in for others into a twin that calls those in their place."""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

_ROOT = __name__.partition(".")[0]


def rebound(
    function: Callable[..., Any], stead: Mapping[Callable[..., Any], Callable[..., Any]]
) -> Callable[..., Any]:
    """Return a twin of a plain function of this package, in which all it reaches calls ``stead``.

    The functions themselves stay as they are; it runs in plain Python.
    """
    done: dict[Callable[..., Any], Callable[..., Any]] = dict(stead)

    def twin(original: FunctionType) -> Callable[..., Any]:
        if original in done:
            return done[original]
        scope = dict(original.__globals__)
        copy = FunctionType(
            original.__code__,
            scope,
            original.__name__,
            original.__defaults__,
            original.__closure__,
        )
        done[original] = copy
        for name in original.__code__.co_names:
            value = scope.get(name)
            if isinstance(value, FunctionType) and value.__module__.partition(".")[0] == _ROOT:
                scope[name] = twin(value)
        return copy

    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not a plain function")
    return twin(function)
