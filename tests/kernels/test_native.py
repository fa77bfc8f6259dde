"""Machine code on disk: what it is called with, what it gives back, and when it is made again."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mirc.kernels import build
from mirc.kernels.build import Kernel
from mirc.kernels.layout import key, words
from mirc.kernels.native import Code, machine_code, store
from mirc.kernels.world import Table

YES, NO = True, False


class Pair(NamedTuple):
    whole: Table
    part: Table


def weigh(pair: Pair, factor: float, more: Any) -> Any:
    if more:
        return factor * pair.whole[1, 2] + pair.part[-1]
    return 0.5


def pair(order: Any = "C") -> Pair:
    whole = np.arange(12, dtype=np.int64).reshape(3, 4)
    return Pair(np.asarray(whole, order=order), np.arange(20, dtype=np.int64)[::3])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "FOLDERS", [tmp_path])
    return tmp_path


def test_tuples_of_arrays_of_any_order_floats_and_flags_arrive_as_they_are(folder: Path) -> None:
    fast = Kernel(weigh)
    for order in ("C", "F"):
        assert fast(pair(order), 1.5, YES) == weigh(pair(order), 1.5, YES) == 1.5 * 6 + 18
    assert fast(pair(), 1.5, NO) == 0.5
    assert len(list(folder.iterdir())) == 2  # one for each order in memory


def test_code_on_disk_is_loaded_and_what_is_damaged_is_made_again(folder: Path) -> None:
    Kernel(weigh)(pair(), 2.0, YES)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    assert Code(whole)(pair(), 2.0, YES) == weigh(pair(), 2.0, YES)
    file.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="not the code that was stored"):
        Code(file.read_bytes())
    assert Kernel(weigh)(pair(), 2.0, YES) == weigh(pair(), 2.0, YES)
    assert file.read_bytes()[-9:] == whole[-9:]


def test_few_former_sources_of_a_kernel_stay_on_disk(folder: Path) -> None:
    for number in range(12):
        store([folder], f"kernel-{number:016}.mcode", b"code")
    assert len(list(folder.glob("kernel-*"))) == 8


def test_a_kernel_takes_no_lists_and_gives_back_no_arrays() -> None:
    with pytest.raises(TypeError, match="cannot be called with list"):
        Kernel(weigh)([1, 2], 1.0, YES)
    with pytest.raises(TypeError, match="a kernel returns int64"):
        machine_code("", "kernel", "array(int64, 1d, C)")


def test_arguments_that_differ_in_kind_have_keys_of_their_own() -> None:
    kinds = [1, 1.0, True, (1,), np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2), order="F")]
    fixed = np.zeros(2)
    fixed.flags.writeable = False
    assert len({key(each) for each in (*kinds, fixed, pair())}) == len(kinds) + 2
    assert key(np.zeros((3, 1), order="F")) != key(np.zeros((3, 1)))
    assert len(words((pair(), 1))) == (5 + 4) + (5 + 2) + 1
