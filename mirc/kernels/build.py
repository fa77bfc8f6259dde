"""Plain functions into machine code: the same source at both speeds."""

import hashlib
import inspect
from collections.abc import Callable
from contextlib import suppress
from dis import get_instructions
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeGuard

from mirc.kernels.layout import key, numba_type
from mirc.kernels.native import Code, machine_code, platform, store, stored
from mirc.kernels.tuning import is_inlined, soon

_ROOT = __name__.partition(".")[0]
_BUILT: dict[Callable[..., Any], "Kernel"] = {}

FOLDERS: list[Path] = [Path(__file__).parent / "__pycache__", Path.home() / ".cache" / "mirc"]
"""Where machine code is kept: in the first of them that takes it."""


def compiled(function: Callable[..., Any], *examples: tuple[Any, ...]) -> "Kernel":
    """Return ``function`` compiled, with all functions of this package that it calls.

    ``examples`` are named tuples of arrays such as it will be called with: they fix the types that
    parameters annotated with their classes have. Compiled once in a process for each kind of
    arguments, by numba and LLVM, and kept on disk under a name that holds a hash of all that
    decides what the code does: neither is needed to load it again.
    """
    if function not in _BUILT:
        _BUILT[function] = Kernel(function, examples)
    return _BUILT[function]


class Kernel:
    """A function in machine code, one for each kind of arguments that it is called with."""

    def __init__(
        self, function: Callable[..., Any], examples: tuple[tuple[Any, ...], ...] = ()
    ) -> None:
        """Take what is compiled when it is first called; raise TypeError if it is not plain."""
        self._function, self._examples = _plain(function), examples
        self._known: dict[str, Code] = {}

    def __call__(self, *values: Any) -> Any:
        """Call the function; raise TypeError for arguments that none can be compiled for."""
        kind = key(values)
        if kind not in self._known:
            self._known[kind] = self._code(kind, values)
        return self._known[kind](*values)

    def _code(self, kind: str, values: tuple[Any, ...]) -> Code:
        decides = f"{source_hash(self._function)} {kind} {key(self._examples)} {platform()}"
        digest = hashlib.sha256(decides.encode()).hexdigest()[:16]
        name = f"{self._function.__module__}.{self._function.__name__}-{digest}.mcode"
        with suppress(ValueError):
            return Code(stored(FOLDERS, name) or b"")
        chain = _Chain((*self._examples, *values))
        content = chain.machine_code(self._function, values)
        store(FOLDERS, name, content)
        return Code(content)


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

    def __init__(self, examples: tuple[Any, ...]) -> None:
        import numba  # noqa: PLC0415 - half a second, paid only where something is compiled

        self.jit: Any = numba.njit
        self.types: dict[type, Any] = {type(example): numba_type(example) for example in examples}
        self.types[int] = numba.int64
        self.done: dict[FunctionType, Any] = {_plain(soon): _prefetch(numba)}

    def machine_code(self, function: FunctionType, values: tuple[Any, ...]) -> bytes:
        """Compile a function for arguments like ``values``."""
        kinds = tuple(map(numba_type, values))
        found = self.build(function, kinds).overloads[kinds]
        name, result = found.fndesc.llvm_func_name, str(found.signature.return_type)
        return machine_code(found.library.get_llvm_str(), name, result)

    def build(self, function: FunctionType, kinds: tuple[Any, ...] | None = None) -> Any:
        """Compile one function after those that it calls, for some types if they are known."""
        if function not in self.done:
            scope = dict(function.__globals__)
            for name, callee in _callees(function):
                scope[name] = self.build(callee)
            twin = FunctionType(function.__code__, scope, function.__name__)
            twin.__module__ = function.__module__
            self.done[function] = self._jit(function, kinds)(twin)
        return self.done[function]

    def _jit(self, function: FunctionType, kinds: tuple[Any, ...] | None) -> Any:
        """Return the decorator.

        Kernels allocate nothing, and nothing of Python's calls them: they need no reference counts
        and no wrappers. A signature known beforehand saves one compilation for each constant that
        an argument is called with.
        """
        options = {
            "_nrt": False,
            "forceinline": is_inlined(function),
            "error_model": "numpy",
            "no_cfunc_wrapper": True,
            "no_cpython_wrapper": True,
        }
        if kinds is None:
            kinds = tuple(self.types.get(each.annotation) for each in _parameters(function))
        return self.jit(**options) if None in kinds else self.jit(kinds, **options)


def _prefetch(numba: Any) -> Any:
    """Return what ``soon`` is in machine code: an instruction of the processor."""
    from llvmlite import ir  # noqa: PLC0415 - only to compile
    from numba.core import cgutils  # noqa: PLC0415

    tools: Any = cgutils

    def typed(_: Any, table: Any, row: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = signature.args[0]
            array = context.make_array(kind)(context, builder, values[0])
            at = tools.get_item_pointer(context, builder, kind, array, values[1:])
            byte, word = ir.PointerType(ir.IntType(8)), ir.IntType(32)
            made = ir.FunctionType(ir.VoidType(), (byte, word, word, word))
            fetch = tools.get_or_insert_function(builder.module, made, "llvm.prefetch.p0")
            to_read, to_stay, data = word(0), word(3), word(1)
            builder.call(fetch, (builder.bitcast(at, byte), to_read, to_stay, data))
            return context.get_dummy_value()

        return numba.types.none(table, row, column), generate

    return numba.extending.intrinsic(typed)


@cache
def _parameters(function: FunctionType) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _callees(function: FunctionType) -> list[tuple[str, FunctionType]]:
    # What plain Python skips is called by machine code.
    called = ((name, inspect.unwrap(value)) for name, value in _globals(function) if _ours(value))
    return [(name, _plain(value)) for name, value in called]


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
    known = _value(function), is_inlined(function), code.co_code, body, code.co_names
    return repr((known, signature, scope))


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
