"""``mirc observe``, ``mirc compare`` and ``mirc refine`` as people run them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli
from tests.cli.test_compare import MIR

SHIFTED = MIR.replace("= 0.5 @ 0.5", "= 0.01 @ 0.9").replace("EVERY(ITERATION) @ 1.0", "LOW @ 0.9")


def invoke(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy.mir").write_text(MIR, "utf-8")
    (tmp_path / "shifted.mir").write_text("// by hand\n" + SHIFTED, "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("run", "both"):
        policies = "intent" if name == "run" else "lru,intent"
        options = ("--policy", policies, "--record", f"{name}.obs", "--events", f"{name}.jsonl")
        result = invoke("simulate", "toy.mir", *options, "--precision", "off")
        assert result.exit_code == 0, result.output
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_record_of_a_run_tells_what_its_events_do() -> None:
    by_events = invoke("compare", "toy.mir", "both.jsonl").stdout
    assert invoke("compare", "toy.mir", "both.obs").stdout == by_events
    assert Path("both.obs").stat().st_size < Path("both.jsonl").stat().st_size


@pytest.mark.mechanism("S0-41")
def test_a_shifted_file_is_refined_once_and_then_no_more(folder: Path) -> None:
    before = invoke("compare", "shifted.mir", "run.obs").stdout
    result = invoke("refine", "shifted.mir", "run.obs", "-o", "new.mir")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("changed ")
    assert "wrong: reuse of `w`" in before
    after = invoke("compare", "new.mir", "run.obs").stdout
    assert "wrong: reuse of `w`" not in after
    text = (folder / "new.mir").read_text("utf-8")
    assert text.startswith("// by hand\n")
    again = invoke("refine", "new.mir", "run.obs")
    assert again.stdout == text
    assert again.stderr == "nothing to change: the observation contradicts no estimate\n"
    assert invoke("check", "new.mir").exit_code == invoke("check", "shifted.mir").exit_code


@pytest.mark.usefixtures("folder")
def test_the_diff_says_why_of_each_change() -> None:
    result = invoke("refine", "shifted.mir", "run.obs", "--diff")
    reasons = [line for line in result.stdout.splitlines() if line.startswith("# ")]
    assert "# reuse of `w`: LOW @ 0.9 -> HIGH @ 1.0: 8 of 8 runs read it" in reasons
    assert "--- a/shifted.mir\n+++ b/shifted.mir\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("shifted.mir", "both.obs"), 2, "`both.obs` holds 2 runs"),
        (("shifted.mir", "gone.obs"), 2, "there is no file `gone.obs`"),
        (("-", "-"), 2, "both inputs are standard input"),
        (("shifted.mir", "run.obs", "--plan", "big"), 2, "there is no plan `big`"),
        (("shifted.mir", "run.obs", "-o", "run.obs"), 2, "read or written already"),
        (
            ("shifted.mir", "shifted.mir"),
            2,
            "`shifted.mir` is no observation, event log, profile or snapshot",
        ),
        (("broken.mir", "run.obs"), 1, "unknown"),
    ],
)
def test_what_cannot_be_refined_says_so(
    folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    (folder / "broken.mir").write_text("object w { class = WEIGHT_TYLE }", "utf-8")
    result = invoke("refine", *arguments)
    assert result.exit_code == code
    if code == 2:
        assert message in result.stderr


def test_observing_writes_what_compare_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(
        "import torch\nfrom torch import nn\n"
        "def mirc_entries():\n    return {'forward': (nn.Linear(4, 4), (torch.ones(1, 4),))}\n",
        "utf-8",
    )
    assert invoke("compile", "model.py", "-o", "model.mir").exit_code == 0
    result = invoke("observe", "model.py", "--runs", "3", "-o", "model.obs")
    assert result.exit_code == 0, result.output
    report = invoke("compare", "model.mir", "model.obs").stdout
    assert "on cpu under pytorch\n  runs: 3 of forward; no plan\n" in report
    assert "are other than declared" in report
