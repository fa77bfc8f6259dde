"""Plain functions into machine code: the same source at both speeds."""

import hashlib
import inspect
from collections.abc import Callable
from dis import get_instructions
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeGuard

_ROOT = __name__.partition(".")[0]
_BUILT: dict[Callable[..., Any], Callable[..., Any]] = {}


def compiled(function: Callable[..., Any], *examples: tuple[Any, ...]) -> Callable[..., Any]:
    """Return ``function`` compiled by numba, with all functions of this package that it calls.

    ``examples`` are named tuples of arrays such as it will be called with: they fix the types that
    parameters annotated with their classes have. Compiled once in a process, and kept on disk
    beside the source (or in numba's own cache folder) under a name that holds a hash of all
    functions that took part: numba itself does not see an edit in another file.
    """
    if function not in _BUILT:
        # What is on disk needs none of the functions inside: they are not compiled before asked.
        lazy = _Chain(function, ())
        found = lazy.build(_plain(function), outermost=True)
        stored = Path(found.stats.cache_path).glob(f"*{lazy.hash}*.nbi")
        if next(stored, None) is None:
            found = _Chain(function, examples).build(_plain(function), outermost=True)
        _BUILT[function] = found
    return _BUILT[function]


def source_hash(function: Callable[..., Any]) -> str:
    """Return a hash of all that decides what a function does: its code and that of all it calls.

    Constants count by their values and named tuples by their fields, so that an edit elsewhere in
    a module that they come from costs no compilation, nor does one of a comment.
    """
    text = hashlib.sha256(Path(__file__).read_bytes())  # how it is compiled counts too
    reached: dict[FunctionType, None] = {}
    _reach(_plain(function), reached)
    for each in reached:
        text.update(_identity(each).encode())
    return text.hexdigest()[:12]


class _Chain:
    """One compilation: functions are compiled depth first, each once."""

    def __init__(self, function: Callable[..., Any], examples: tuple[tuple[Any, ...], ...]) -> None:
        import numba  # noqa: PLC0415 - a third of a second, paid only where compiled code is wanted

        typeof: Any = numba.typeof
        self.jit: Any = numba.njit
        self.types: dict[type, Any] = {type(example): typeof(example) for example in examples}
        if examples:
            self.types[int] = numba.int64
        self.hash = source_hash(function)
        self.done: dict[FunctionType, Any] = {}

    def build(self, function: FunctionType, *, outermost: bool = False) -> Any:
        """Compile one function after those that it calls."""
        if function not in self.done:
            scope = dict(function.__globals__)
            for name, callee in _callees(function):
                scope[name] = self.build(callee)
            twin = FunctionType(function.__code__, scope, function.__name__)
            twin.__module__ = function.__module__
            twin.__qualname__ = f"{function.__qualname__}_{self.hash}"
            self.done[function] = self._jit(function, outermost=outermost)(twin)
        return self.done[function]

    def _jit(self, function: FunctionType, *, outermost: bool) -> Any:
        """Return the decorator.

        Kernels allocate nothing: without numba's reference counts a call that is handed a dozen
        arrays costs a hundredth. What Python never calls needs no wrappers, and a signature known
        beforehand saves one compilation for each constant that an argument is called with.
        """
        options = {
            "_nrt": False,
            "error_model": "numpy",
            "no_cfunc_wrapper": True,
            "no_cpython_wrapper": not outermost,
            "cache": outermost,
        }
        known = [self.types.get(parameter.annotation) for parameter in _parameters(function)]
        if outermost:
            known = [None]  # called from Python: its types are those of the call
        return self.jit(**options) if None in known else self.jit(tuple(known), **options)


@cache
def _parameters(function: FunctionType) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _callees(function: FunctionType) -> list[tuple[str, FunctionType]]:
    return [(name, value) for name, value in _globals(function) if _ours(value)]


@cache
def _globals(function: FunctionType) -> list[tuple[str, object]]:
    # Names that are loaded as globals: ``co_names`` would list attributes too.
    loaded = [i.argval for i in get_instructions(function) if i.opname == "LOAD_GLOBAL"]
    return [(name, function.__globals__.get(name)) for name in dict.fromkeys(loaded)]


def _ours(value: object) -> TypeGuard[FunctionType]:
    return isinstance(value, FunctionType) and value.__module__.partition(".")[0] == _ROOT


def _reach(function: FunctionType, reached: dict[FunctionType, None]) -> None:
    """Collect a function and all of this package that it calls, in the order of their calls."""
    if function not in reached:
        reached[function] = None
        for _, callee in _callees(function):
            _reach(callee, reached)


def _identity(function: FunctionType) -> str:
    """Return all that a function is made of but the code of those that it calls."""
    code = function.__code__
    body = [constant for constant in code.co_consts if constant != function.__doc__]
    signature = [
        (each.name, _value(each.annotation), each.default) for each in _parameters(function)
    ]
    scope = [(name, _value(value)) for name, value in _globals(function)]
    return repr((_value(function), code.co_code, body, code.co_names, signature, scope))


def _value(value: object) -> object:
    """Return what of a global decides: a named tuple's fields, a module's text, a constant."""
    if isinstance(value, ModuleType) and value.__name__.partition(".")[0] == _ROOT:
        return value.__name__, Path(str(value.__file__)).read_bytes()
    if isinstance(value, type | FunctionType | ModuleType):
        fields = getattr(value, "_fields", ())
        return getattr(value, "__module__", ""), value.__name__, fields
    return value


def _plain(function: Callable[..., Any]) -> FunctionType:
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not a plain function")
    return function
