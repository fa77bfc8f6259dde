"""``mirc opt`` as people run it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli

ROOT = Path(__file__).parents[2]
TEXT = """mir 1.0
object w { class = WEIGHT_TILE  size_bytes = 64MiB }
phase p { step s { reads = [w]  flops = 9 } }
"""


def run(*args: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["opt", *args], input=given)


def test_a_file_is_filled_and_counted_and_then_check_finds_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.mir"
    result = run("-", "-M", "card-24g", "-o", str(out), given=TEXT)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("filled 8 fields: 1 first_use_us, ")
    checked = CliRunner().invoke(cli, ["check", str(out)])
    assert (checked.exit_code, checked.output) == (0, "nothing found in 1 file\n")
    again = run(str(out), "-M", "card-24g")
    assert (again.stdout, again.stderr) == (out.read_text(), "nothing is absent\n")


@pytest.mark.parametrize(
    ("name", "machine"),
    [
        ("serving-small.mir", "h100-sxm"),
        ("wired-draft.mir", "npu-scratchpad"),
        ("essay-000-complete.mir", "gh200"),
    ],
)
def test_our_samples_are_filled_without_a_new_finding(
    name: str, machine: str, tmp_path: Path
) -> None:
    out = tmp_path / name
    result = run(str(ROOT / "samples" / name), "-M", machine, "-o", str(out))
    assert (result.exit_code, result.stderr[:7]) == (0, "filled ")
    checked = CliRunner().invoke(cli, ["check", str(out)])
    assert (checked.exit_code, checked.output) == (0, "nothing found in 1 file\n")


def test_a_wrong_file_is_reported_as_check_reports_it_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out.mir"
    result = run("-", "-o", str(out), given=TEXT.replace("[w]", "[x]"))
    assert result.exit_code == 1
    assert "error[MIR210 undeclared-object]" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "text", "message"),
    [
        ((), "mir 1.0\nobject w { class = WEIGHT_TILE }\n", "no phase of the file has steps"),
        (("--passes", "livenes"), TEXT, "did you mean `liveness`?"),
        (("-M", "nowhere"), TEXT, "nowhere"),
        ((), TEXT.replace("  size_bytes = 64MiB", ""), "has no `size_bytes`"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(args: tuple[str, ...], text: str, message: str) -> None:
    result = run("-", *args, given=text)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["opt", "graph"])
def test_an_error_of_meaning_is_one_for_every_command(command: str) -> None:
    text = TEXT + 'object "e[0]" { class = EXPERT_WEIGHT  size_bytes = 1KiB }\n'
    text += "phase wide { step far { reads = [ROUTED(e, 2)] } }\n"
    result = CliRunner().invoke(cli, [command, "-"], input=text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error[MIR432 routed-beyond-family]" in result.stderr
    ignored = text.replace("2)] }", "2)] }  // mirc: ignore[MIR432] half of it is elsewhere\n")
    assert CliRunner().invoke(cli, [command, "-"], input=ignored).exit_code == 0


def test_no_option_is_offered_that_the_command_does_not_have() -> None:
    text = TEXT.replace("class = WEIGHT_TILE", "class == WEIGHT_TILE", 1)
    assert "--fix" in CliRunner().invoke(cli, ["check", "-"], input=text).stdout
    result = run("-", given=text)
    assert result.exit_code == 1
    assert "--fix" not in result.stderr


def test_machines_are_named_apart_or_together() -> None:
    together = run("-", "-M", "card-24g,h100-sxm", given=TEXT)
    assert together.exit_code == 0
    assert together.stdout == run("-", "-M", "card-24g", "-M", "h100-sxm", given=TEXT).stdout


def test_a_byte_order_mark_stays(tmp_path: Path) -> None:
    path, out = tmp_path / "a.mir", tmp_path / "b.mir"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert run(str(path), "-o", str(out)).exit_code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfmir 1.0")


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    path = tmp_path / "a.mir"
    path.write_text(TEXT)
    result = run(str(path), "-o", str(path))
    assert (result.exit_code, path.read_text()) == (2, TEXT)
