"""What a compiled kernel is kept under, and that it does what its source does."""

from typing import Any

import numpy as np
import pytest

from mirc.kernels.build import compiled, source_hash
from mirc.kernels.ranks import add_rank, lowest_from, no_ranks


def test_a_plain_function_gives_the_same_compiled() -> None:
    fast, plain = no_ranks(5000), no_ranks(5000)
    quick_add, quick_lowest = compiled(add_rank), compiled(lowest_from)
    for rank in (4999, 77, 1024):
        quick_add(fast, rank)
        add_rank(plain, rank)
        assert quick_lowest(fast, 0) == lowest_from(plain, 0)
        assert quick_lowest(fast, rank + 1) == lowest_from(plain, rank + 1)
    assert np.array_equal(fast, plain)


def test_a_function_is_compiled_once() -> None:
    assert compiled(add_rank) is compiled(add_rank)


def test_an_edit_that_compiles_to_the_same_is_not_compiled_again() -> None:
    base = hash_of(KERNEL)
    assert hash_of(KERNEL.replace("return", "# why\n    return")) == base
    assert hash_of(KERNEL.replace("What.", "What else.")) == base
    assert len(base) == 12


def test_an_edit_of_a_callee_a_constant_a_default_or_a_field_changes_the_hash() -> None:
    edits = (
        ("+ ROW", "- ROW"),
        ("ROW = 1", "ROW = 2"),
        ("by: int = 1", "by: int = 2"),
        ("a: int", "b: int"),
    )
    sources = [KERNEL, *(KERNEL.replace(*edit) for edit in edits)]
    found = [hash_of(source) for source in sources]
    assert len(set(found)) == len(found)


KERNEL = '''
from typing import NamedTuple

ROW = 1

class Pair(NamedTuple):
    a: int

def callee(x: int) -> int:
    """What."""
    return x + ROW

def kernel(x: int, by: int = 1) -> Pair:
    return Pair(callee(x) * by)
'''


def hash_of(source: str) -> str:
    """Return the hash of the kernel in a module of this package's that holds ``source``."""
    scope: dict[str, Any] = {"__name__": "mirc.kernels.written"}
    exec(source, scope)  # noqa: S102 - what is written above
    return source_hash(scope["kernel"])


def test_only_plain_functions_are_compiled() -> None:
    with pytest.raises(TypeError, match="not a plain function"):
        compiled(max)
