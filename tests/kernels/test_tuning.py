"""What machine code is told of how it runs changes no result, and costs plain Python nothing."""

from typing import NamedTuple

import numpy as np
import pytest

from mirc.kernels import build
from mirc.kernels.build import compiled, source_hash
from mirc.kernels.tuning import hint, inlined, soon
from mirc.kernels.world import Table


class Both(NamedTuple):
    """A table to be told of, and one that shows what ran."""

    told: Table
    ran: Table


@hint
def _tell(both: Both, at: int) -> None:
    soon(both.told, 0, at)
    both.ran[0] += 1  # no hint should: it shows where it ran


@inlined
def _add(both: Both, at: int) -> None:
    both.told[0, at] += at


def _walk(both: Both, count: int) -> None:
    for at in range(count):
        _tell(both, at)
        _add(both, at)


def _one(both: Both, count: int) -> None:
    _add(both, count)


for _each in (_tell, _add, _walk, _one):
    _each.__module__ = build.__name__  # only functions of the package are compiled into its kernels


def tables() -> Both:
    return Both(np.zeros((1, 5), dtype=np.int64), np.zeros(1, dtype=np.int64))


def test_a_hint_runs_in_machine_code_alone(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "FOLDERS", [tmp_path])
    plain, fast = tables(), tables()
    _walk(plain, 5)
    compiled(_walk, fast)(fast, 5)
    assert plain.told.tolist() == fast.told.tolist() == [[0, 1, 2, 3, 4]]
    assert (plain.ran[0], fast.ran[0]) == (0, 5)


def test_whether_a_function_is_inlined_decides_which_code_it_is() -> None:
    was = source_hash(_one)
    del _add.__inlined__  # type: ignore[attr-defined]
    try:
        assert source_hash(_one) != was
    finally:
        inlined(_add)
    assert source_hash(_one) == was
