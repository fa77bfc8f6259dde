"""Results on disk: whole or not there, and a damaged one is no result."""

import json
from pathlib import Path

import pytest

from mirc.diagnostics import CouldNotRun
from mirc.sweep.store import LARGEST_FILE_BYTES, Store


def test_what_was_put_is_there_for_the_next_sweep_too(tmp_path: Path) -> None:
    said = json.dumps({"key": "a", "figures": {"total_ps": 3}})
    store = Store(str(tmp_path / "deep" / "er"))
    assert store.get("a") is None
    store.put("a", said)
    assert store.get("a") == Store(str(tmp_path / "deep" / "er")).get("a") == json.loads(said)


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b'{"key": "a", "figures": {"total_ps": 3',
        b"\xff",
        b"[]",
        b'{"key": "b", "figures": {"total_ps": 3}}',
        b'{"key": "a", "figures": {"total_ps": "3"}}',
        b'{"key": "a"}',
        b'{"key": "a", "error": "e", "x": "' + b"y" * LARGEST_FILE_BYTES + b'"}',
        b"[" * 50_000,
    ],
)
def test_what_is_damaged_or_of_another_point_counts_as_not_there(
    tmp_path: Path, found: bytes
) -> None:
    (tmp_path / "a.json").write_bytes(found)
    assert Store(str(tmp_path)).get("a") is None


def test_half_written_files_of_a_killed_sweep_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".a.77.tmp").write_text('{"key": "a", "figures": {}}')
    assert Store(str(tmp_path)).get("a") is None


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CouldNotRun, match="cannot keep results in"):
        Store(str(tmp_path / "file" / "folder"))
