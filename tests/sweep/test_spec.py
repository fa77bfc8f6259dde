"""What a SWEEP.toml asks for, and what is said of one that means nothing."""

from pathlib import Path

import pytest

from mirc.diagnostics import CouldNotRun
from mirc.sweep.spec import LARGEST_FILE_BYTES, load, parse

WRONG = [
    ("[[run]", "is not TOML"),
    ("", "has nothing to run"),
    ("run = 3", "has nothing to run"),
    ("run = [1]", "has nothing to run"),
    ("[[run]]\nsteps = 3", "`run[0].file` is missing"),
    ('[[run]]\ntrace = "a"', "`run[0].capacities` is missing"),
    ('[[run]]\ntrace = "a"\ncapacities = [1]\ncapacities_gb = [1]', "counts what is given in GB"),
    ('[[run]]\ntrace = "a"\ncapacities = [1]\nsteps = 3', "`run[0].steps` is about a file"),
    ('[[run]]\nfile = "a"\ncapacities = [1]', "`run[0].capacities` is about accesses"),
    ('[[run]]\nfile = "a"\npolicy = ["lru"]', "`run[0].policy` is not a key of a sweep"),
    ('polices = ["lru"]\n[[run]]\nfile = "a"', "`polices` is not a key of a sweep"),
    ('[[run]]\nfile = "a"\nseeds = 3', "`run[0].seeds` is not a list"),
    ('[[run]]\nfile = "a"\nseeds = []', "`run[0].seeds` is not a list"),
    ('[[run]]\nfile = "a"\nseeds = [-1]', "`run[0].seeds[0]` is -1"),
    ('[[run]]\nfile = "a"\nseeds = [true]', "`run[0].seeds[0]` is True"),
    ('[[run]]\nfile = "a"\nseeds = [99999999999999999999]', "`run[0].seeds[0]` is 9999"),
    ('[[run]]\nfile = "a"\nsteps = 0', "`run[0].steps` is 0"),
    ('[[run]]\nfile = "a"\nhints_wrong = [0.1, 1.5]', "`run[0].hints_wrong[1]` is 1.5"),
    ('[[run]]\nfile = "a"\ncapacities_gb = [nan]', "`run[0].capacities_gb[0]` is nan"),
    ('[[run]]\nfile = "a"\nmachines = [""]', "`run[0].machines[0]` is no text of one line"),
    ('[[run]]\nfile = "a"\npolicies = ["evil.py:X"]', "runs no code that its file names"),
    ('[[run]]\nfile = "a"\nspeedup = 0', "`run[0].speedup` is 0"),
    ('[[run]]\nfile = "a"\ntrace = "t"\nhints_wrong = [0.5]', "about the hints of a schedule"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_means_nothing_is_named_by_its_place(text: str, said: str) -> None:
    with pytest.raises(CouldNotRun) as refusal:
        parse("s.toml", text)
    assert said in refusal.value.message
    assert "`s.toml" in refusal.value.message
    assert refusal.value.hint


def test_what_stands_above_the_runs_holds_for_each_that_does_not_say_otherwise() -> None:
    text = (
        'seeds = [1, 2]\npolicies = ["lru"]\n[[run]]\nfile = "a"\n[[run]]\nfile = "b"\nseeds = [3]'
    )
    first, second = parse("s.toml", text).runs
    assert (first.seeds, second.seeds) == ((1, 2), (3,))
    assert first.policies == second.policies == ("lru",)


def test_paths_are_relative_to_the_sweep_and_presets_are_no_paths() -> None:
    text = '[[run]]\nfile = "a.mir"\ntrace = "/t.jsonl"\nmachines = ["gh200", "my.toml"]'
    run = parse("in/s.toml", text).runs[0]
    assert (run.file, run.trace) == ("in/a.mir", "/t.jsonl")
    assert run.machines == ("gh200", "in/my.toml")


def test_a_value_given_twice_is_swept_once() -> None:
    assert parse("s.toml", '[[run]]\nfile = "a"\nseeds = [4, 4, 2]').runs[0].seeds == (4, 2)


def test_a_file_that_is_not_there_not_text_or_too_large_is_one_sentence(tmp_path: Path) -> None:
    binary, large = tmp_path / "b.toml", tmp_path / "l.toml"
    binary.write_bytes(b"\xff\xfe")
    large.write_bytes(b"#" * (LARGEST_FILE_BYTES + 1))
    for path, said in ((binary, "not UTF-8"), (large, "larger than 1 MiB"), (tmp_path, "cannot")):
        with pytest.raises(CouldNotRun, match=said):
            load(str(path))
    with pytest.raises(CouldNotRun, match="there is no file"):
        load(str(tmp_path / "none.toml"))
