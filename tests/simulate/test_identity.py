"""The hash of a configuration: equal for equal runs, another for any other."""

from pathlib import Path

import attrs
import pytest

from mirc.machine.load import load
from mirc.simulate.admission import Scope
from mirc.simulate.identity import identity
from mirc.simulate.study import Options

MACHINE = load("h100-sxm")


def named(source: str = "mir 1.0\n", **more: object) -> str:
    return identity(source, [MACHINE], more, ["lru", "intent"])


def test_the_hash_does_not_depend_on_the_order_in_which_options_are_given() -> None:
    assert named(steps=3, seed=0) == named(seed=0, steps=3)


def test_whatever_decides_a_run_changes_the_hash() -> None:
    other = attrs.evolve(MACHINE, summary="another")
    found = [
        named(),
        named("mir 1.0\n\n"),
        named(seed=1),
        named(seed=1.0),
        named(seed="1"),
        named(scope=Scope.NEAR),
        named(options=Options()),
        identity("mir 1.0\n", [other], {}, ["lru", "intent"]),
        identity("mir 1.0\n", [MACHINE], {}, ["intent", "lru"]),
        identity("mir 1.0\n", [], {}, []),
    ]
    assert len(set(found)) == len(found)


def test_the_hash_of_a_configuration_is_the_same_everywhere() -> None:
    # Computed once and written down: whoever compares two reports relies on it.
    assert identity("mir 1.0\n", [], {"seed": 0}, ["lru"]) == (
        "sha256:6bf9f7b13a3a5aeddbe6961a74304207975095e2b14c5ffd5d24d8628f531929"
    )


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError, match="no part of a configuration"):
        named(what=object())


def test_a_policy_of_ones_own_counts_by_its_content_and_not_by_its_path(tmp_path: Path) -> None:
    def hashed(path: Path) -> str:
        return identity("", [], {}, ["lru", f"{path}:Mine"])

    first, second = tmp_path / "mine.py", tmp_path / "copy.py"
    first.write_text("class Mine: pass\n", "utf-8")
    second.write_text("class Mine: pass\n", "utf-8")
    before = hashed(first)
    assert hashed(second) == before
    first.write_text("class Mine: seen = 1\n", "utf-8")
    assert hashed(first) != before
    assert identity("", [], {}, ["lru", f"{second}:Other"]) != before
    assert hashed(tmp_path / "gone.py") not in (before, hashed(tmp_path / "lost.py"))
