"""``mirc pack`` and ``mirc unpack`` as people and programs run them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirc.cli.main import cli
from mirc.diagnostics import Source
from mirc.grammar import bind, parse

SAMPLES = Path(__file__).parents[2] / "samples"
# The essay's own text as it was published has names that nothing declares.
RIGHT = [path for path in sorted(SAMPLES.glob("*.mir")) if path.name != "essay-000.mir"]
MIR = """mir 1.0

object x {
  class      = WEIGHT_TILE
  size_bytes = 4_097
}
"""


def run(*args: str, stdin: bytes | str | None = None) -> Result:
    return CliRunner().invoke(cli, args, input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mir").write_text(MIR)
    return tmp_path


def test_text_becomes_bytes_and_bytes_become_text(folder: Path) -> None:
    assert run("pack", "a.mir", "-o", "a.mirb").exit_code == 0
    assert run("unpack", "a.mirb", "-o", "b.mir").exit_code == 0
    assert (folder / "b.mir").read_text() == MIR
    assert run("pack", "b.mir", "-o", "b.mirb").exit_code == 0
    assert (folder / "b.mirb").read_bytes() == (folder / "a.mirb").read_bytes()


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.name)
def test_every_sample_comes_back_with_the_same_names_and_types(path: Path) -> None:
    packed = run("pack", str(path))
    assert packed.exit_code == 0
    text = run("unpack", "-", stdin=packed.stdout_bytes)
    assert text.exit_code == 0, text.stderr
    assert bind(parse(Source("x.mir", text.stdout))).diagnostics == ()
    assert run("pack", "-", stdin=text.stdout).stdout_bytes == packed.stdout_bytes


def test_what_the_bytes_are_spent_on_is_told_and_adds_up(folder: Path) -> None:
    result = run("pack", "a.mir", "-o", "a.mirb")
    assert result.stdout == ""
    assert "32 bytes: 1 objects and templates, in rows of 32 bytes" in result.stderr
    *shares, whole = [int(line.split()[0].replace("_", "")) for line in _lines(result)]
    assert sum(shares) == whole == (folder / "a.mirb").stat().st_size


def _lines(result: Result) -> list[str]:
    return result.stderr.splitlines()


def test_the_essays_form_tells_what_it_loses(folder: Path) -> None:
    result = run("pack", "--form", "essay", "a.mir", "-o", "a.bits", "--losses", "lost")
    assert result.exit_code == 0
    assert _lines(result) == [
        "34 bytes: 1 records of 141 bits, and a header",
        "lost: `size_bytes` is rounded, cut or one of several for `x`",
        "lost: names (1)",
    ]
    assert (folder / "a.bits").stat().st_size == 16 + 18
    assert (folder / "lost").read_text() == "x\tsize_bytes\n"


@pytest.mark.usefixtures("folder")
def test_records_without_names_are_not_unpacked() -> None:
    run("pack", "--form", "essay", "a.mir", "-o", "a.bits")
    result = run("unpack", "a.bits")
    assert result.exit_code == 2
    assert "`a.bits` holds the essay's records, which have no names" in result.stderr


def test_what_is_wrong_is_shown_and_nothing_written(folder: Path) -> None:
    (folder / "a.mir").write_text("mir 1.0\nobject x { }\n")
    result = run("pack", "a.mir", "-o", "a.mirb")
    assert result.exit_code == 1
    assert "has no `class`" in result.stderr
    assert not (folder / "a.mirb").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("pack", "gone.mir"), "there is no file `gone.mir`"),
        (("unpack", "gone.mirb"), "there is no file `gone.mirb`"),
        (("unpack", "a.mir"), "`a.mir` is not a packed file"),
        (("pack", "a.mir", "-o", "a.mir"), "read or written already"),
        (("unpack", "a.mirb", "-o", "a.mirb"), "read or written already"),
        (("pack", "a.mir", "--losses", "x"), "--losses is told of `--form essay`"),
        (("unpack", "."), "cannot read `.`"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    folder: Path, args: tuple[str, ...], said: str
) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["a.mir"]


def test_damage_is_named_with_its_place(folder: Path) -> None:
    run("pack", "a.mir", "-o", "a.mirb")
    data = (folder / "a.mirb").read_bytes()
    (folder / "a.mirb").write_bytes(data[:60] + b"\xff" + data[61:])
    result = run("unpack", "a.mirb")
    assert result.exit_code == 2
    assert "`a.mirb` is damaged at byte 52: the checksum is another" in result.stderr


RUN = """mir 1.0
module m { schedule = [REPEAT(4, d)] }
object v { class = WEIGHT_TILE  size_bytes = 4GB }
object w { class = WEIGHT_TILE  size_bytes = 4GB }
object x { class = WEIGHT_TILE  size_bytes = 4GB }
phase d {
  step a { reads = [v] }
  step b { reads = [w] }
  step c { reads = [x] }
}
"""


ROUTED = """mir 1.0
module m { schedule = [prefill, REPEAT(12, decode)] }
tenant t { }
object w { class = WEIGHT_TILE  size_bytes = 2GB }
EXPERTS
phase prefill { step p { reads = [w] } }
phase decode {
  batch = 2
  step route { reads = [ROUTED(e, 1)] }
  step use { reads = [w] }
}
"""


def _routed(chances: list[float], said: str) -> str:
    experts = (
        f"object e[{i}] {{ class = EXPERT_WEIGHT  route_probability = {chance}  {said} }}"
        for i, chance in enumerate(chances)
    )
    return ROUTED.replace("EXPERTS", "\n".join(experts))


def test_what_happens_is_what_the_file_says_and_only_policies_believe_the_packed_one(
    folder: Path,
) -> None:
    (folder / "a.mir").write_text(
        _routed([0.7, 0.7, 0.1, 0.1, 0.1, 0.1], "size_bytes = 2GB  tenant_id = t")
    )
    # Of the same names it says other chances, sizes, places, times, owners, batch and phase order.
    other = _routed(
        [0.1, 0.1, 0.1, 0.1, 0.7, 0.7], "size_bytes = 1GB  backing = [NVME]  decompress_us = 90"
    )
    prefill = "phase prefill { step p { reads = [w] } }\n"
    other = other.replace("batch = 2", "batch = 1").replace(prefill, "") + prefill
    (folder / "b.mir").write_text(other)
    assert run("pack", "b.mir", "-o", "b.mirb").exit_code == 0

    def events(policy: str, *args: str) -> str:
        asked = ("simulate", "a.mir", "-M", "edge", "--policy", policy, "--fault", "end:t@20")
        result = run(*asked, *args, "--events", "log.jsonl")
        assert result.exit_code == 0, result.stderr
        return (folder / "log.jsonl").read_text()

    believed = ("--intent", "b.mirb")
    assert events("lru", *believed) == events("lru")
    assert events("belady", *believed) == events("belady")
    assert events("intent", *believed) != events("intent")


def test_an_intent_that_is_of_other_objects_is_refused(folder: Path) -> None:
    (folder / "a.mir").write_text(_routed([0.5, 0.5, 0.5], "size_bytes = 1GB"))
    (folder / "b.mir").write_text(_routed([0.5, 0.5], "size_bytes = 1GB"))
    assert run("pack", "b.mir", "-o", "b.mirb").exit_code == 0
    result = run("simulate", "a.mir", "-M", "edge", "--intent", "b.mirb")
    assert result.exit_code == 2
    assert "the packed intent does not declare `e[2]`, which the run uses" in result.stderr


def test_the_intent_of_other_steps_is_refused(folder: Path) -> None:
    (folder / "b.mir").write_text(RUN)
    assert run("pack", "a.mir", "-o", "a.mirb").exit_code == 0
    result = run("simulate", "b.mir", "-M", "edge", "--intent", "a.mirb")
    assert result.exit_code == 2
    assert "`a.mirb` is not the intent of these steps: phase `d` is not declared" in result.stderr


def test_a_packed_file_is_not_taken_for_text(folder: Path) -> None:
    run("pack", "a.mir", "-o", "a.mirb")
    for command in ("check", "simulate"):
        result = run(command, "a.mirb", *(("-M", "edge") if command == "simulate" else ()))
        assert result.exit_code == 2
        assert "`a.mirb` is a packed file, not text" in result.stderr
        assert "help: turn it into text: mirc unpack a.mirb" in result.stderr
    assert (folder / "a.mirb").exists()


def test_a_file_that_declares_nothing_is_not_packed(tmp_path: Path) -> None:
    empty, out = tmp_path / "empty.mir", tmp_path / "empty.mirb"
    empty.write_text("", encoding="utf-8")
    result = run("pack", str(empty), "-o", str(out))
    assert result.exit_code == 2
    assert "declares nothing, so there is nothing to pack" in result.output
    assert not out.exists()
