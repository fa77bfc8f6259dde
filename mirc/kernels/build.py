"""Plain functions into machine code: the same source at both speeds."""

import hashlib
import inspect
import sys
from collections.abc import Callable
from dis import get_instructions
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeGuard

_ROOT = __name__.partition(".")[0]
_BUILT: dict[Callable[..., Any], Callable[..., Any]] = {}


def compiled(function: Callable[..., Any], *examples: tuple[Any, ...]) -> Callable[..., Any]:
    """Return ``function`` compiled by numba, with all functions of this package that it calls.

    ``examples`` are named tuples of arrays such as it will be called with: they fix the types that
    parameters annotated with their classes have. Compiled once in a process, and kept on disk
    beside the source (or in numba's own cache folder) under a name that holds a hash of every
    module that took part: numba itself does not see an edit in another file.
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
    """Return a hash of all modules that a function, and what it calls, take anything from."""
    found = {__name__: sys.modules[__name__]}  # how it is compiled counts too
    _modules(_plain(function), found, set())
    text = hashlib.sha256()
    for name in sorted(found):
        text.update(Path(str(found[name].__file__)).read_bytes())
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
        parameters = inspect.signature(function).parameters.values()
        known = [self.types.get(parameter.annotation) for parameter in parameters]
        if outermost:
            known = [None]  # called from Python: its types are those of the call
        return self.jit(**options) if None in known else self.jit(tuple(known), **options)


def _callees(function: FunctionType) -> list[tuple[str, FunctionType]]:
    return [(name, value) for name, value in _globals(function) if _ours(value)]


def _classes(function: FunctionType) -> list[type]:
    """Return the classes of this package that a function makes: named tuples."""
    found = [value for _, value in _globals(function) if isinstance(value, type)]
    return [value for value in found if value.__module__.partition(".")[0] == _ROOT]


def _globals(function: FunctionType) -> list[tuple[str, object]]:
    # Names that are loaded as globals: ``co_names`` would list attributes too.
    loaded = [i.argval for i in get_instructions(function) if i.opname == "LOAD_GLOBAL"]
    return [(name, function.__globals__.get(name)) for name in dict.fromkeys(loaded)]


def _ours(value: object) -> TypeGuard[FunctionType]:
    return isinstance(value, FunctionType) and value.__module__.partition(".")[0] == _ROOT


def _modules(function: FunctionType, found: dict[str, ModuleType], seen: set[FunctionType]) -> None:
    """Collect the modules of a function, of all it calls and makes, and of their constants."""
    if function in seen:
        return
    seen.add(function)
    found[function.__module__] = sys.modules[function.__module__]
    found |= {
        name: module
        for name, module in list(sys.modules.items())
        if name.startswith(f"{_ROOT}.kernels.")
    }
    found |= {value.__module__: sys.modules[value.__module__] for value in _classes(function)}
    for _, callee in _callees(function):
        _modules(callee, found, seen)


def _plain(function: Callable[..., Any]) -> FunctionType:
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not a plain function")
    return function
