import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.machine import InvalidMachineError, Organisation, Replacement
from mirc.machine.decode import decode
from mirc.machine.load import load, names, parse, source

SMALL = """\
name = "small"
summary = "a test"

[[memory]]
name = "hbm"
kind = "HBM"
owner = "gpu"
capacity_bytes = 1000
read_bytes_per_s = 2e9
write_bytes_per_s = 1e9

[compute]
owner = "gpu"
memory = "hbm"
memory_efficiency = 0.5
peak_flops = { bfloat16 = 1e12 }
efficiency = { matmul = 0.5, attention = 0.4, other = 0.1 }
"""


def refusal(text: str, folder: Path) -> tuple[str, str]:
    file = folder / "m.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(CouldNotRun) as caught:
        load(str(file))
    assert "m.toml" in caught.value.message
    return caught.value.message.replace(f"{folder}/", ""), caught.value.hint or ""


def test_a_file_of_ones_own_is_a_machine(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SMALL, "utf-8")
    machine = load(str(file))
    assert (machine.name, machine.near.usable_bytes, machine.links) == ("small", 1000, ())
    assert machine.sram is None


SRAM = """
[sram]
memory = "hbm"
line_bytes = 10
ways = 4
wired_bytes = 500
"""


def test_on_chip_memory_is_set_associative_with_lru_unless_the_file_says_otherwise() -> None:
    plain = parse("m.toml", SMALL + SRAM).sram
    assert plain is not None
    assert (plain.organisation, plain.replacement) == ("set-associative", "lru")
    words = 'organisation = "software-managed"\nreplacement = "tree-plru"\n'
    said = parse("m.toml", SMALL + SRAM + words).sram
    assert said is not None
    assert said.organisation is Organisation.SOFTWARE_MANAGED
    assert said.replacement is Replacement.TREE_PLRU


@pytest.mark.parametrize(
    ("line", "sentence", "hint"),
    [
        ('organisation = "direct"', "is 'direct', which is no organisation", "`direct-mapped`?"),
        ("replacement = 'LRU'", "is 'LRU', which is no replacement", "did you mean `lru`?"),
        ("replacement = 2", "is 2, which is no replacement", "lru, tree-plru, rrip, random"),
        ('organisation = "direct-mapped"', "is 4, but a direct-mapped memory", "give 1"),
    ],
)
def test_on_chip_memory_is_of_a_kind_that_is_known(
    line: str, sentence: str, hint: str, tmp_path: Path
) -> None:
    message, advice = refusal(SMALL + SRAM + line, tmp_path)
    assert sentence in message
    assert hint in advice


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SMALL, "utf-8-sig")
    assert load(str(file)).name == "small"


@pytest.mark.parametrize("name", names())
def test_what_show_toml_prints_is_the_same_machine(name: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.toml"
    file.write_text(source(name), "utf-8")
    assert load(str(file)) == load(name)


def test_an_unknown_preset_gets_the_nearest_names() -> None:
    with pytest.raises(CouldNotRun) as caught:
        load("h100")
    assert caught.value.message == "there is no machine `h100`"
    assert "`h100-sxm`" in str(caught.value.hint)
    assert "presets: a100-80g, " in str(caught.value.hint)


def test_a_file_named_without_its_suffix_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(SMALL, "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CouldNotRun) as caught:
        load("mine")
    assert "`mine.toml`" in str(caught.value.hint)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="no such file or directory"):
        load(str(tmp_path / "none.toml"))


def test_a_directory_is_not_a_machine(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="is a directory"):
        load(f"{tmp_path}/")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_bytes(b"name = '\xff'")
    with pytest.raises(CouldNotRun, match=r"not UTF-8 text \(byte 8\)"):
        load(str(file))


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(CouldNotRun, match="larger than 1 MiB"):
        load(str(file))


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("name = ", "machine `m.toml` is not TOML: invalid value", "docs/machine.md"),
        ("", "machine `m.toml`: `name` is missing", "give it: "),
        ("x = " + "[" * 20_000, "machine `m.toml` nests too deeply", "flatten it"),
        ("x = " + "9" * 5000, "machine `m.toml` is not TOML: exceeds", "docs/machine.md"),
        ("name = 'a'\nsummary = 'b'", "`memory` is missing", "write it as [[memory]]"),
        ("name = 'a'\nsummary = 'b'\nmemory = 3", "`memory` is not a list", "[[memory]]"),
        ("name = 'a'\nsummary = 'b'\nmemory = [3]", "`memory[0]` is not a table", "[[memory]]"),
        ("name = 'a'\nsumary = 'b'", "`sumary` is not a key", "did you mean `summary`?"),
        ("zzz = 1", "`zzz` is not a key", "choose from name, summary, memory, link"),
        ('name = "a\\nb"', "`name` is 'a\\nb'", "one line"),
        ("name = ''", "`name` is ''", "not empty"),
    ],
)
def test_a_broken_file_is_one_sentence_and_a_way_out(
    text: str, sentence: str, hint: str, tmp_path: Path
) -> None:
    message, advice = refusal(text, tmp_path)
    assert sentence in message
    assert hint in advice


@pytest.mark.parametrize(
    ("old", "new", "sentence", "hint"),
    [
        ('kind = "HBM"', 'kind = "HMB"', "`memory[0].kind` is 'HMB', which is no tier", "`HBM`"),
        ('kind = "HBM"', "kind = 1", "`memory[0].kind` is 1", "SRAM, HBM, PEER"),
        ("= 1000", "= 1000.5", "`memory[0].capacity_bytes` is 1000.5", "whole number"),
        ("= 1000", "= true", "`memory[0].capacity_bytes` is True", "whole number"),
        ("= 1000", "= -1", "`memory[0].capacity_bytes` is -1", "give 1 to"),
        ("= 1000", "= 0", "`memory[0].capacity_bytes` is 0", "give 1 to"),
        ("= 1000", "= " + "9" * 100, "is a number of more than 128 bits", "give 1 to"),
        ("= 1000", "= 1000\nreserve_bytes = 1000", "`memory[0].reserve_bytes`", "reserve less"),
        ("= 2e9", "= nan", "`memory[0].read_bytes_per_s` is nan", "above 0"),
        ("= 2e9", "= inf", "`memory[0].read_bytes_per_s` is inf", "at most"),
        ("= 2e9", "= 0", "`memory[0].read_bytes_per_s` is 0", "above 0"),
        ("= 2e9", "= '2e9'", "`memory[0].read_bytes_per_s` is '2e9'", "give a number"),
        ("= 2e9", "= 2e9\nlatency_ns = -1", "`memory[0].latency_ns` is -1", "0 or more"),
        ("= 2e9", "= 2e9\nlatncy_ns = 1", "`memory[0].latncy_ns`", "did you mean `latency_ns`?"),
        ("= 0.5\n", "= 1.5\n", "`compute.memory_efficiency` is 1.5", "at most 1"),
        ("{ bfloat16 = 1e12 }", "{ }", "`compute.peak_flops` is empty", "bfloat16"),
        ("{ bfloat16 = 1e12 }", "3", "`compute.peak_flops` is not a table", "[compute.peak_flops]"),
        ("matmul = 0.5", "matmull = 0.5", "`compute.efficiency.matmull`", "did you mean `matmul`?"),
        ("matmul = 0.5, ", "", "`compute.efficiency.matmul` is missing", "share"),
        ('memory = "hbm"', 'memory = "hmb"', "there is no memory `hmb`", "`hbm`"),
    ],
)
def test_a_wrong_value_names_its_key_and_a_way_out(
    old: str, new: str, sentence: str, hint: str, tmp_path: Path
) -> None:
    message, advice = refusal(SMALL.replace(old, new, 1), tmp_path)
    assert sentence in message
    assert hint in advice


@pytest.mark.parametrize(
    ("curve", "sentence"),
    [
        ("[]", "`link[0].curve` is not a list of points"),
        ("[4096, 1e9]", "`link[0].curve[0]` is 4096"),
        ("[[4096]]", "`link[0].curve[0]` is [4096]"),
        ("[[4096.5, 1e9]]", "`link[0].curve[0][0]` is 4096.5"),
        ("[[4096, 0]]", "`link[0].curve[0][1]` is 0"),
        ("[[4096, 2e9], [4096, 3e9]]", "`link[0].curve` does not ascend"),
        ("[[4096, 2e9], [8192, 1e9]]", "`link[0].curve` does not ascend"),
        ("[" + "[1, 1.0]," * 300 + "]", "`link[0].curve` is not a list of points"),
    ],
)
def test_a_curve_is_read_point_by_point(curve: str, sentence: str, tmp_path: Path) -> None:
    link = f'\n[[link]]\nname = "l"\nsource = "hbm"\ntarget = "hbm"\ncurve = {curve}\n'
    assert sentence in refusal(SMALL + link, tmp_path)[0]


def test_more_memories_than_any_machine_has_are_refused(tmp_path: Path) -> None:
    message, _ = refusal(SMALL.replace("[compute]", "[[memory]]\n" * 300 + "[compute]"), tmp_path)
    assert "`memory` has 301 entries" in message


json_like = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("name", "summary", "memory", "link", "compute", "sram")


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), json_like, max_size=6))
def test_any_tables_are_a_machine_or_a_named_problem(tables: dict[str, object]) -> None:
    hint: str | None = None
    try:
        machine = decode(tomllib.loads(SMALL) | tables)
    except InvalidMachineError as error:
        hint = error.problem.hint
    else:
        assert machine.near.name == "hbm"
    assert hint != ""


@given(st.sampled_from(SMALL.split("\n")), st.text(max_size=30))
@example('name = "small"', "\0")
def test_no_change_to_a_file_ends_in_anything_but_a_sentence(line: str, new: str) -> None:
    message = ""
    try:
        parse("m.toml", SMALL.replace(line, new))
    except CouldNotRun as error:
        message = error.message
    assert "\n" not in message
