"""Every combination once, under a key of what it is and not of what its files are called."""

from pathlib import Path

import attrs
import pytest

from mirc.diagnostics import CouldNotRun
from mirc.sweep.points import Point, digest, points
from mirc.sweep.spec import load
from tests.sweep.grids import LARGE, laid


def _points(path: Path) -> tuple[Point, ...]:
    digest.cache_clear()
    return points(load(str(path)))


def test_a_sweep_is_the_product_of_its_axes_policies_innermost(tmp_path: Path) -> None:
    found = _points(laid(tmp_path, LARGE))
    assert len(found) == len({point.key for point in found}) == 200
    assert [point.policy for point in found[:4]] == ["static", "lru", "mru", "intent"]
    assert [point.hints_wrong for point in found[:20:4]] == [0.0, 0.1, 0.2, 0.5, 1.0]


def test_a_point_survives_its_task() -> None:
    values = {field.name: None for field in attrs.fields(Point)}
    point = Point(**{**values, "key": "k", "capacity_gb": 0.1, "seed": 1 << 60})  # type: ignore[arg-type]
    assert Point.of_task(point.as_task()) == point


def test_a_key_is_of_contents_not_of_names(tmp_path: Path) -> None:
    path = laid(tmp_path)
    before = [point.key for point in _points(path)]
    (tmp_path / "toy.mir").rename(tmp_path / "other.mir")
    path.write_text(path.read_text().replace("toy.mir", "other.mir"))
    assert [point.key for point in _points(path)] == before
    other = tmp_path / "other.mir"
    other.write_text(other.read_text() + "\n// a word\n")
    assert not {point.key for point in _points(path)} & set(before)


def test_without_machines_those_of_the_files_plans_are_swept(tmp_path: Path) -> None:
    path = laid(tmp_path)
    path.write_text(path.read_text().replace('machines = ["card-24g"]', ""))
    assert {point.machine for point in _points(path)} == {"card-24g"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("toy.mir", "none.mir", "there is no file"),
        ("card-24g", "h100-sx", "there is no machine"),
        ('"lru"', '"lur"', "there is no policy"),
    ],
)
def test_what_no_point_can_do_without_stops_the_sweep(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = laid(tmp_path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(CouldNotRun, match=said):
        _points(path)


def test_an_endless_grid_is_refused_before_it_fills_memory(tmp_path: Path) -> None:
    seeds = ", ".join(map(str, range(10_000)))
    caps = ", ".join(map(str, range(1, 10_000)))
    path = laid(tmp_path)
    # 10,000 seeds x 9,999 capacities x 2 policies x 2 shares
    path.write_text(
        path.read_text().replace(
            "capacities_gb = [3, 0.5]", f"seeds = [{seeds}]\ncapacities_gb = [{caps}]"
        )
    )
    with pytest.raises(CouldNotRun, match="has 399,960,000 points, and 1,000,000 are the most"):
        _points(path)
