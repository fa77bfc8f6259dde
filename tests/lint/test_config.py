"""Settings files into settings, and settings into the rules that speak."""

from pathlib import Path

import pytest

from mirc.diagnostics import CouldNotRun, Severity, Source
from mirc.lint import config
from mirc.lint.check import check_source
from mirc.lint.config import DEFAULT, Overrides, Settings, settings_for
from mirc.lint.project import Project
from mirc.lint.registry import ALL_RULES, RULE_BY_CODE
from mirc.lint.selection import chosen, is_known, matching

OVERLAP = "object x { class = KV_BLOCK  preferred_tiers = [DRAM, HBM]  fallback_tiers = [DRAM] }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config.forget()
    return tmp_path


def codes(settings: Settings, name: str = "a.mir") -> list[str]:
    found = check_source(Source(name, OVERLAP), (), settings)
    return sorted(d.rule.code for d in found.diagnostics)


def refusal(folder: Path, text: str, name: str = "mirc.toml") -> tuple[str, str | None]:
    (folder / name).write_text(text, encoding="utf-8")
    config.forget()
    with pytest.raises(CouldNotRun) as caught:
        settings_for("a.mir")
    return caught.value.message, caught.value.hint


def test_without_a_file_the_settings_are_the_defaults(folder: Path) -> None:
    assert settings_for(str(folder / "a.mir")) == DEFAULT


def test_every_key_is_read_and_paths_are_those_of_the_files_folder(folder: Path) -> None:
    (folder / "mirc.toml").write_text(
        'select = ["ALL"]\nextend-select = ["MIR932"]\nignore = ["tier-order"]\n'
        'fail-level = "hint"\nmachine = ["h100-sxm", "mine.toml"]\nbaseline = "old.json"\n'
        '[per-file-ignores]\n"gen/*.mir" = ["MIR4"]\n'
    )
    assert settings_for("sub/a.mir") == Settings(
        select=("ALL",),
        extend_select=("MIR932",),
        ignore=("tier-order",),
        per_file_ignores=(("gen/*.mir", ("MIR4",)),),
        fail_level=Severity.HINT,
        machines=("h100-sxm", str(folder / "mine.toml")),
        baseline=str(folder / "old.json"),
        root=str(folder),
    )


def test_the_nearest_file_wins_alone_and_another_tools_is_passed_by(folder: Path) -> None:
    near = folder / "a" / "b"
    near.mkdir(parents=True)
    (folder / "mirc.toml").write_text('ignore = ["MIR4"]\nfail-level = "hint"\n')
    (folder / "a" / "pyproject.toml").write_text('[tool.mirc]\nfail-level = "error"\n')
    (near / "pyproject.toml").write_text('[tool.other]\nfor = "mirc"\n')
    found = settings_for(str(near / "x.mir"))
    assert (found.fail_level, found.ignore) == (Severity.ERROR, ())


def test_in_one_folder_mirc_toml_wins(folder: Path) -> None:
    (folder / "mirc.toml").write_text('fail-level = "hint"\n')
    (folder / "pyproject.toml").write_text('[tool.mirc]\nfail-level = "error"\n')
    assert settings_for("x.mir").fail_level is Severity.HINT


def test_a_pyproject_that_is_no_business_of_ours_is_not_judged(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("not = = toml\n")
    assert settings_for("x.mir") == DEFAULT


def test_a_pyproject_that_is_not_toml_is_an_error_if_it_is_about_us(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, _ = refusal(folder, "[tool.mirc\nselect = []\n", "pyproject.toml")
    assert said.startswith("`pyproject.toml:1` is not TOML: ")
    (folder / "pyproject.toml").write_text('name = "mirc-user"\nnot = = toml\n')
    config.forget()
    assert settings_for("x.mir") == DEFAULT
    assert "note: passed over: `pyproject.toml:2` is not TOML: " in capsys.readouterr().err


def test_a_path_of_many_folders_is_walked_to_its_root() -> None:
    assert settings_for("/nowhere" + "/a" * 5_000 + "/x.mir") == DEFAULT


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('# x\nselct = ["MIR4"]\n', "`mirc.toml:2`: there is no setting `selct`", "`select`"),
        ('select = ["teir-order"]\n', "`mirc.toml:1`: `select` names `teir-order`", "`tier-order`"),
        ('\nselect = [\n  "MIR4",\n  "MIR8",\n]\n', "`mirc.toml:4`: `select` names `MIR8`", ""),
        ('ignore = ["MIR114"]\n', "syntax errors cannot be ignored", "remove it"),
        ('ignore = "MIR4"\n', "`mirc.toml:1`: `ignore` must be a list of words", "write"),
        ('fail-level = "bad"\n', "`fail-level` must be one of error, warning, hint", "write"),
        ("machine = 7\n", "`machine` must be a list of words", '["h100-sxm"]'),
        ("baseline = 7\n", "`baseline` must be a path", "write"),
        ('per-file-ignores = ["a"]\n', "`per-file-ignores` must be a table", "generated"),
        (
            '[per-file-ignores]\n"a.mir" = ["no"]\n',
            "`a.mir` names `no`: there is no such rule",
            "docs/rules.md",
        ),
        ('[per-file-ignores]\n"a/*" = "MIR403"\n', "`a/*` must be a list", '`"a/*" = ["MIR401"]`'),
        ('\nmachine = "h100"\n', "`mirc.toml:2`: there is no machine `h100`", "h100-sxm"),
        ("[tool.mirc]\nselect = []\n", "`mirc.toml:1`: in mirc.toml settings stand at", "remove"),
        ("select = [\n", "is not TOML: ", "put it right"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line_and_a_way_out(
    folder: Path, text: str, message: str, hint: str
) -> None:
    said, advice = refusal(folder, text)
    assert message in said
    assert hint in (advice or "")


def test_the_line_is_the_one_in_our_table(folder: Path) -> None:
    text = "[tool.other]\nselct = 1\n[tool.mirc]\nselct = 2\n"
    said, _ = refusal(folder, text, "pyproject.toml")
    assert said.startswith("`pyproject.toml:4`")


def test_a_deeply_nested_or_huge_file_is_refused(folder: Path) -> None:
    assert "nests too deeply" in refusal(folder, "a = " + "[" * 100_000)[0]
    said, _ = refusal(folder, "# " + "x" * (1 << 20))
    assert "larger than 1 MiB" in said


def test_a_code_a_prefix_a_name_and_all_name_rules() -> None:
    assert matching("tier-order") == matching("MIR403") == {"MIR403"}
    assert matching("MIR40") >= {"MIR402", "MIR403"}
    assert matching("ALL") == matching("MIR") == set(RULE_BY_CODE)
    assert not any(map(is_known, ("", "mir403", "MIR4033", "MIR9999", "tier_order", "all", "MI")))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), ["MIR402", "MIR403"]),
        (Settings(select=("MIR402",)), ["MIR402"]),
        (Settings(select=()), []),
        (Settings(ignore=("MIR4",)), []),
        (Settings(select=("ALL",), ignore=("MIR4",)), []),
        # the more exact name wins, of equals the ignore
        (Settings(select=("tier-order",), ignore=("MIR4",)), ["MIR403"]),
        (Settings(select=("MIR4",), ignore=("tier-order",)), ["MIR402"]),
        (Settings(select=("MIR403",), ignore=("tier-order",)), []),
        (Settings(extend_select=("tier-order",), ignore=("MIR40",)), ["MIR403"]),
        (Settings(per_file_ignores=(("*.mir", ("tier-order",)),)), ["MIR402"]),
        (Settings(select=("tier-order",), per_file_ignores=(("*.mir", ("MIR4",)),)), []),
    ],
)
def test_the_rules_that_are_asked_for_speak(settings: Settings, expected: list[str]) -> None:
    assert [code for code in codes(settings) if code.startswith("MIR40")] == expected


@pytest.mark.parametrize(
    ("pattern", "hit", "missed"),
    [
        ("*.mir", ["a.mir", "sub/deep/a.mir"], ["a.txt"]),
        ("gen/*.mir", ["gen/a.mir"], ["gen/b/a.mir", "a.mir", "x/gen/a.mir"]),
        ("**/gen/*.mir", ["gen/a.mir", "x/y/gen/a.mir"], ["gen/b/a.mir"]),
        ("gen/**", ["gen/a.mir", "gen/b/a.mir"], ["a.mir"]),
        ("a?.mir", ["ab.mir"], ["a.mir", "a/.mir"]),
        ("a.m[ir", ["a.m[ir"], ["a.mi"]),
    ],
)
def test_patterns_are_below_the_settings_folder(
    folder: Path, pattern: str, hit: list[str], missed: list[str]
) -> None:
    settings = Settings(per_file_ignores=((pattern, ("MIR403",)),), root=str(folder))
    assert [name for name in hit if chosen(settings, name) is None] == []
    assert [name for name in missed if chosen(settings, name) is not None] == []


def test_opt_in_rules_speak_only_when_they_are_named() -> None:
    opt_in = {rule.code for rule in ALL_RULES if not rule.default}
    usual = chosen(Settings(ignore=("MIR403",)), "a.mir")
    assert usual is not None
    assert opt_in
    assert not usual & opt_in
    assert opt_in <= (chosen(Settings(extend_select=("ALL",)), "a.mir") or set())


def test_syntax_errors_speak_whatever_is_selected() -> None:
    broken = Source("a.mir", "object x { class: KV_BLOCK }\n")
    for settings in (Settings(select=("MIR4",)), Settings(ignore=("ALL",))):
        found = check_source(broken, (), settings).diagnostics
        assert [d.rule.name for d in found] == ["colon-for-equals"]


def test_the_command_line_replaces_what_the_file_says(folder: Path) -> None:
    (folder / "mirc.toml").write_text(
        'select = ["MIR402"]\nextend-select = ["MIR9"]\nfail-level = "error"\n'
    )
    named = Project(Overrides(select=("MIR403",))).settings("a.mir")
    assert (named.select, named.extend_select) == (("MIR403",), ())
    assert named.fail_level is Severity.ERROR
    assert Project(Overrides(fail_level=Severity.HINT)).settings("a.mir").select == ("MIR402",)


def test_the_settings_machines_judge_each_in_its_folder(folder: Path) -> None:
    large = "object x { class = WEIGHT_TILE  size_bytes = 60MiB  preferred_tiers = [SRAM] }\n"
    (folder / "small").mkdir()
    (folder / "small" / "mirc.toml").write_text('machine = "h100-sxm"\n')
    project = Project()
    # 60 MiB exceed the H100's 50 MiB of L2
    here, there = (project.check(Source(name, large)) for name in ("a.mir", "small/a.mir"))
    assert "larger-than-tier" not in {d.rule.name for d in here.diagnostics}
    assert "larger-than-tier" in {d.rule.name for d in there.diagnostics}


def test_an_unknown_machine_in_the_settings_stops_check(folder: Path) -> None:
    (folder / "mirc.toml").write_text('machine = "h1000"\n')
    with pytest.raises(CouldNotRun, match="h1000"):
        Project().check(Source("a.mir", OVERLAP))
