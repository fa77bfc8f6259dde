"""What a kernel is called with into words, and into a key of the types that it has."""

import struct
from array import array
from typing import Any

import numpy as np


def words(values: tuple[Any, ...]) -> "array[int]":
    """Return arguments as numba lays them out, eight bytes each."""
    found: array[int] = array("q")
    _lay(values, found)
    return found


def key(value: Any) -> str:
    """Return a text that is the same for what one compilation serves.

    Raises TypeError for what a kernel cannot be called with.
    """
    if isinstance(value, np.ndarray):
        access = "" if value.flags.writeable else "r"
        return f"{value.dtype.str}{value.ndim}{order(value)}{access}"
    if isinstance(value, tuple):
        return f"{type(value).__qualname__}({','.join(map(key, value))})"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, int | np.integer):
        return "int"
    if isinstance(value, float | np.floating):
        return "float"
    raise TypeError(f"a kernel cannot be called with {type(value).__name__}")


def order(value: np.ndarray[Any, Any]) -> str:
    """Return which neighbours of an array lie side by side: C, F, or A for neither.

    One that could be called either is what its strides say, not what its shape happens to allow;
    one without entries is C, whatever its strides, so that it is no kind of its own.
    """
    steps = value.strides
    if not value.size:
        return "C"
    if value.flags.c_contiguous and (not steps or steps[-1] == value.itemsize):
        return "C"
    return "F" if value.flags.f_contiguous else "A"


def numba_type(value: Any) -> Any:
    """Return the type that numba compiles for."""
    import numba  # noqa: PLC0415 - only to compile
    from numba.np.numpy_support import from_dtype  # noqa: PLC0415

    types: Any = numba.types

    if isinstance(value, np.ndarray):
        kept = not value.flags.writeable
        return types.Array(from_dtype(value.dtype), value.ndim, order(value), readonly=kept)
    if isinstance(value, tuple):
        parts = [numba_type(part) for part in value]
        kind = type(value)
        return types.BaseTuple.from_types(parts, None if kind is tuple else kind)
    return {"bool": types.boolean, "int": types.int64, "float": types.float64}[key(value)]


def _lay(values: tuple[Any, ...], found: "array[int]") -> None:
    for value in values:
        if isinstance(value, np.ndarray):
            address = value.__array_interface__["data"][0]
            found.extend((0, 0, value.size, value.itemsize, address))
            found.extend(value.shape)
            found.extend(value.strides)
        elif isinstance(value, tuple):
            _lay(value, found)
        elif isinstance(value, float):
            found.frombytes(struct.pack("=d", value))
        else:
            found.append(int(value))
