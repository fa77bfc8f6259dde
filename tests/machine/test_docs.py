import re
from pathlib import Path

import pytest

from mirc.machine.describe import amount, rate
from mirc.machine.keys import KEYS, TABLES, Kind
from mirc.machine.load import load, names, parse

PAGE = Path(__file__).parents[2] / "docs" / "machine.md"
TEXT = PAGE.read_text("utf-8")


def keys() -> str:
    rows = ["| key | holds | required | meaning |", "|---|---|---|---|"]
    for key in KEYS:
        name = f"{key.table}.{key.name}" if key.table else key.name
        required = "yes" if key.required else "no"
        rows.append(f"| `{name}` | {key.kind} | {required} | {key.summary} |")
    return "\n".join(rows)


def kinds() -> str:
    rows = ["| holds | is |", "|---|---|"]
    return "\n".join(rows + [f"| {kind} | {meaning} |" for kind, meaning in MEANINGS.items()])


def presets() -> str:
    rows = ["| name | near memory | reads at | is |", "|---|---|---|---|"]
    for name in names():
        machine = load(name)
        near = machine.near
        rows.append(
            f"| `{name}` | {amount(near.capacity_bytes)} | {rate(near.read_bytes_per_s)} "
            f"| {machine.summary} |"
        )
    return "\n".join(rows)


MEANINGS = {
    Kind.TEXT: "one line that is not empty",
    Kind.TIER: "SRAM, HBM, PEER, DRAM, CXL or NVME",
    Kind.ORGANISATION: "set-associative, direct-mapped or software-managed",
    Kind.REPLACEMENT: "lru, tree-plru, rrip or random",
    Kind.SHARING: "turns or fair",
    Kind.BYTES: "a whole number, 0 or more",
    Kind.COUNT: "a whole number, 1 or more",
    Kind.RATE: "a number above 0",
    Kind.TIME: "a number, 0 or more",
    Kind.SHARE: "a number above 0, at most 1",
    Kind.CURVE: "[fragment bytes, bytes per second] pairs, ascending",
    Kind.RATES: "a table: dtype to operations per second",
    Kind.SHARES: "a table: matmul, attention and other to shares",
}
SECTIONS = {"keys": keys, "kinds": kinds, "presets": presets}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_s_tables_are_those_of_the_code(section: str) -> None:
    # A mismatch prints the table as it should be: paste it.
    match = re.search(rf"<!-- {section} -->\n(.*?)\n?<!-- end -->", TEXT, re.DOTALL)
    assert match is not None
    assert match[1] == SECTIONS[section]()


def test_every_kind_of_value_is_explained() -> None:
    assert list(MEANINGS) == list(Kind)
    assert {key.kind for key in KEYS} == set(Kind)


def test_the_page_s_example_is_a_machine() -> None:
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    assert parse("docs/machine.md", example[1]).near.usable_bytes == 14_400_000_000


def test_every_table_of_the_format_is_described() -> None:
    assert all(f"[{table}]" in TEXT for table in TABLES)
