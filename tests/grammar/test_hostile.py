"""Files made to hurt: quick ones here, those of 100 MB in benchmarks/hostile.py."""

import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirc.cli.main import cli
from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import bind, load, parse
from mirc.grammar.limits import MAX_FIELDS, MAX_LINE, MAX_TEXT
from mirc.grammar.lines import read
from mirc.ir.verify import MOST_FINDINGS
from mirc.lint.check import check_source
from mirc.lint.ignores import ignores


def _in(value: str) -> str:
    return f"mir 1.0\nobject a {{\n  class = INPUT\n  size_bytes = {value}\n}}\n"


def _check(data: bytes, folder: Path) -> tuple[int, str]:
    path = folder / "x.mir"
    path.write_bytes(data)
    # the whole command: findings, excerpts and carets included
    result = CliRunner().invoke(cli, ["check", str(path)], standalone_mode=False)
    return result.exit_code, result.output


NINES = "9" * 10**5
CASES = {
    "a long number": (_in(NINES), "a number has at most 40 digits"),
    "a long number with underscores": (_in(f"9_{NINES}"), "a number has at most 40 digits"),
    "a long size": (_in(f"{NINES}MiB"), "a number has at most 40 digits"),
    "a long confidence": (
        "object a { class = INPUT reuse = LOW @ 0." + NINES + " }",
        "a confidence is a number from 0 to 1",
    ),
    "nested brackets": (_in("[" * 10**5), "brackets nest more than 32 deep"),
    "nested brackets, one a line": (_in("[\n" * 10**4), "brackets nest more than 32 deep"),
    "nested blocks": ("phase a {\n" * 10**4, "`phase` comes before `a` is closed"),
    "NUL bytes": ("object a { class = \0\0 }", "is not allowed here"),
    "a lone surrogate as an escape": ('object "\\ud800" { class = INPUT }', "surrogate"),
    "a name in another script": ("object größe { class = INPUT }", "is not allowed here"),
    "a long name": (f"object a {{ class = {'a.' * 10**5}a }}", "is not an object class"),
    "a long string": (f'object a {{ class = "{NINES}" }}', "expected an object class"),
    "a comment of many comments": ("// " * 10**5 + "\nx", "expected a declaration"),
    "a version of many digits": (f"mir {NINES}.0", "this file is written in version"),
    "an open string": (f'object a {{ class = "{NINES}', "the string is not closed"),
}


@pytest.mark.parametrize("what", CASES)
def test_a_hostile_file_gets_a_finding(what: str, tmp_path: Path) -> None:
    text, finding = CASES[what]
    code, said = _check(text.encode(), tmp_path)
    assert code == 1
    assert finding in said
    assert max(map(len, said.splitlines())) < 1_000  # what is long is not repeated


RIGHT = b"mir 1.0\nobject w {\n  class = INPUT // note\n}\n"


@pytest.mark.parametrize(
    "data",
    [
        RIGHT,
        b"\xef\xbb\xbf" + RIGHT,
        RIGHT.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + RIGHT.replace(b"\n", b"\r\n"),
        RIGHT.replace(b"object w", 'object "größe 大きさ"'.encode()),
        RIGHT.replace(b"note", "größe 大きさ \U0001f600".encode()),
    ],
    ids=["plain", "mark", "windows", "mark and windows", "quoted name", "comment"],
)
def test_marks_line_ends_and_scripts_that_are_right_are_right(data: bytes, tmp_path: Path) -> None:
    # an object that no step uses is a hint, which does not count
    assert _check(data, tmp_path)[0] == 0


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mir"
    path.write_bytes(b"object a \xed\xa0\x80 {}")  # half of a surrogate pair, encoded
    result = CliRunner().invoke(cli, ["check", str(path)])
    assert result.exit_code == 2
    assert "is not UTF-8: byte 0xed at offset 9" in result.stderr


def test_a_line_longer_than_any_is_refused_and_named() -> None:
    text = "mir 1.0\n" + "x" * (MAX_LINE + 1)
    with pytest.raises(CouldNotRun, match=r"line 2 of `x.mir` is longer than 4,194,304"):
        parse(Source("x.mir", text))


def test_many_lines_are_no_long_line() -> None:
    line = "// " + "x" * 1000 + "\n"
    assert parse(Source("x.mir", line * (2 * MAX_LINE // 1000))).diagnostics == ()


def test_a_text_larger_than_any_is_refused() -> None:
    class Large(str):
        __slots__ = ()

        def __len__(self) -> int:
            return MAX_TEXT + 1

    with pytest.raises(CouldNotRun, match=r"`x.mir` is larger than 256 MiB"):
        parse(Source("x.mir", Large("")))


@pytest.mark.parametrize("field", ["x = 1\n", "x = 1 "])
def test_a_block_of_more_fields_than_there_are_keys_is_refused(field: str) -> None:
    text = "\nobject a {\n" + field * (MAX_FIELDS + 1) + "}"
    with pytest.raises(CouldNotRun, match=r"a block near line [23] has more than 131,072 fields"):
        parse(Source("x.mir", text))


def test_a_million_digits_cost_no_memory() -> None:
    text = _in("9" * 10**6)
    tracemalloc.start()
    try:
        bound = bind(parse(Source("x.mir", text)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [d.rule.name for d in bound.diagnostics] == ["inexact-number"]
    assert peak < 10 * len(text)


def test_after_very_many_findings_the_rest_is_not_reported() -> None:
    text = "object a { class = INPUT }\n" * (MOST_FINDINGS + 10)
    bound = bind(parse(Source("x.mir", text)))
    assert len(bound.diagnostics) == MOST_FINDINGS
    assert bound.diagnostics[-1].message.endswith("after 20,000 findings is not reported")
    assert bound.module.declarations == ()


def test_blank_lines_and_fields_within_blocks_take_linear_time() -> None:
    # each would take minutes if an item looked through all that follows
    blank = "phase p {\n" + "\n  // c\n" * 50_000 + "}\n"
    nested = "phase p {\n" + "  x = 1\n\n\n" * 40_000 + "  override a { }\n" * 20_000 + "}\n"
    assert len(read(blank + nested).blocks) == 2


def _used_beyond(objects: int) -> str:
    """Return objects that are all read, by one long step, after what they say is the last."""
    declared = "".join(
        f"object w{i} {{ class = ACTIVATION  latest_use = a }}\n" for i in range(objects)
    )
    reads = ",\n".join(f"w{i}" for i in range(objects))
    steps = f"  step a {{ reads = [w0] }}\n  step b {{ reads = [{reads}] }}\n"
    return f"{declared}phase p {{\n{steps}}}\n"


def test_many_findings_about_one_long_step_read_it_once() -> None:
    # 20 s if the step were read for each
    found = check_source(Source("x.mir", _used_beyond(3_000))).diagnostics
    beyond = [each for each in found if each.rule.name == "used-beyond"]
    assert len(beyond) == 3_000
    assert len({each.related[0].span for each in beyond}) == 1


def test_stacked_ignores_speak_of_the_line_below_them_all() -> None:
    # minutes if each looked through all that follow
    text = "// mirc: ignore[MIR401] why\n" * 20_000 + "object a { class = INPUT }\n"
    found = ignores(Source("x.mir", text))
    assert {each.line for each in found} == {20_001}


def test_a_hundred_thousand_objects_load() -> None:
    text = "".join(f"object w{i} {{\n  class = INPUT\n}}\n" for i in range(100_000))
    module = load(Source("x.mir", text))
    assert len(module.objects) == 100_000
    assert len({id(block.fields) for block in module.declarations}) == 1  # one body, one node
