"""Old findings into a baseline, and what is new beside it."""

import json
import os
from pathlib import Path

import pytest

from mirc.diagnostics import CouldNotRun, FileFindings, Findings, Source
from mirc.lint.baseline import Baseline, as_text, outside, read
from mirc.lint.check import check_source
from mirc.lint.registry import ALL_RULES
from mirc.lint.settings import Settings
from mirc.machine.load import load

ORDER = "object {} {{ class = KV_BLOCK  preferred_tiers = [DRAM, HBM] }}\n"
X, Y = ORDER.format("x"), ORDER.format("y")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(text: str, name: str = "a.mir") -> FileFindings:
    return check_source(Source(name, text))


def baseline(*files: FileFindings, path: str = "old.json") -> Baseline:
    Path(path).write_text(as_text(Findings(files), path), encoding="utf-8")
    return read(path)


def test_what_was_there_is_left_out_wherever_it_has_moved() -> None:
    old = baseline(judged(X))
    assert old.without(judged(f"mir 1.0\n\n\n{X}")).diagnostics == ()


def test_what_is_new_is_reported() -> None:
    found = baseline(judged(X)).without(judged(X + Y))
    assert [d.subject for d in found.diagnostics] == ["object y.preferred_tiers"]
    assert found.stale == ()


def test_one_more_of_the_same_kind_about_the_same_thing_is_new() -> None:
    override = "phase p{} {{ override x {{ fallback_tiers = [DRAM, HBM] }} }}\n"
    once = "object x { class = KV_BLOCK }\n" + override.format(1)
    found = baseline(judged(once)).without(judged(once + override.format(2)))
    assert [d.rule.name for d in found.diagnostics] == ["tier-order"]


def test_what_no_longer_occurs_is_said() -> None:
    found = baseline(judged(X + Y)).without(judged(X))
    assert found.diagnostics == ()
    assert found.stale == ("MIR403 of object y.preferred_tiers",)


def test_a_file_with_a_syntax_error_proves_nothing_stale() -> None:
    found = baseline(judged(X)).without(judged("object x { class: KV_BLOCK }\n"))
    assert found.stale == ()
    assert [d.rule.name for d in found.diagnostics] == ["colon-for-equals"]


def test_syntax_errors_never_enter_a_baseline() -> None:
    broken = judged("object x { class: KV_BLOCK }\n")
    assert baseline(broken).files == {}
    assert outside(Findings((broken, judged(X)))).exit_code == 1
    assert outside(Findings((judged(X),))).exit_code == 0


def test_files_are_named_from_the_baselines_folder() -> None:
    Path("sub").mkdir()
    old = baseline(judged(X, "sub/a.mir"), path="sub/old.json")
    assert list(old.files) == ["a.mir"]
    assert old.without(judged(X, "sub/a.mir")).diagnostics == ()
    assert len(old.without(judged(X, "a.mir")).diagnostics) == 1


def test_the_text_does_not_depend_on_the_order_of_files_and_holds_no_line() -> None:
    files = judged(X, "a.mir"), judged(Y, "b.mir")
    text = as_text(Findings(files), "old.json")
    assert text == as_text(Findings(files[::-1]), "old.json")
    assert json.loads(text)["files"]["a.mir"] == [
        {"rule": "MIR403", "subject": "object x.preferred_tiers", "count": 1}
    ]


def test_a_baseline_that_was_written_again_is_read_again() -> None:
    old = baseline(judged(X))
    os.utime("old.json", ns=(1, 1))
    assert read("old.json").files == old.files
    Path("old.json").write_text(as_text(Findings(), "old.json"), encoding="utf-8")
    assert read("old.json").files == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "is no baseline of mirc"),
        ('{"format": "mirc-baseline", "format_version": 2}', "was written by another mirc"),
        ('{"format": "mirc-baseline", "format_version": 1}', "is damaged"),
        ('{"format": "mirc-baseline", "format_version": 1, "files": {"a": [7]}}', "is damaged"),
    ],
)
def test_what_is_no_baseline_stops_check_with_a_sentence(text: str, sentence: str) -> None:
    Path("bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(CouldNotRun, match=sentence):
        read("bad.json")


def test_a_missing_baseline_stops_check() -> None:
    with pytest.raises(CouldNotRun, match="cannot read the baseline `no"):
        read("no.json")


def test_only_the_silence_of_rules_that_ran_makes_an_entry_stale() -> None:
    old = baseline(judged(X), judged(Y, "b.mir"))
    clean = Source("a.mir", "object x { class = KV_BLOCK }\n")
    assert old.without(check_source(clean)).stale  # and nothing of b.mir, which was not checked
    other = check_source(clean, (), Settings(select=("MIR5",)))
    assert old.without(other).stale == ()


def test_what_is_said_on_a_machine_is_never_stale() -> None:
    rule = next(rule for rule in ALL_RULES if rule.machine and rule.bad)
    machines = (load(rule.machine or ""),)
    old = baseline(check_source(Source("a.mir", rule.bad[0]), machines))
    assert rule.code in {code for code, _ in old.files["a.mir"]}
    clean = Source("a.mir", "object x { class = KV_BLOCK }\n")
    for chosen in ((), machines):
        stale = old.without(check_source(clean, chosen)).stale
        assert not [entry for entry in stale if entry.startswith(rule.code)]
