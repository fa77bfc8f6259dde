"""docs/descriptors.md: its tables of bits are those of the codecs."""

import re
from pathlib import Path

from mirc.packed import essay, residency
from mirc.packed.codec import HEADER_BYTES, SECTIONS
from mirc.packed.columns import COLUMN_BY_KEY, INDEXED, LAYOUT, SPOTS, Words
from mirc.packed.tables import Kind, Tag

PAGE = Path(__file__).parents[2] / "docs" / "descriptors.md"
TEXT = PAGE.read_text("utf-8")
_BY_SPOT = {spot: key for key, spot in INDEXED.items()}
_OWN = {"what": "object, extern object, template", "first": "its first field", "count": "fields"}


def row() -> str:
    lines = ["| word | bits | field | codes |", "|---|---|---|---|"]
    for word, keys in enumerate(LAYOUT):
        for key in keys:
            spot = SPOTS[key]
            bits = f"{spot.shift} to {spot.shift + spot.width - 1}"
            lines.append(f"| {word} | {bits} | {_name(key)} | {_codes(key)} |")
    return "\n".join(lines)


def _name(key: str) -> str:
    named = _BY_SPOT.get(SPOTS[key], key)
    return f"`{named}`" if named in COLUMN_BY_KEY or named in INDEXED else _OWN[key]


def _codes(key: str) -> str:
    if key in _OWN:
        return {"what": "0, 1, 2", "first": "an index, beside", "count": "how many, beside"}[key]
    if key not in COLUMN_BY_KEY:
        return "1 + the index in the file's list"
    column, _ = COLUMN_BY_KEY[key]
    if not isinstance(column, Words):
        return "see below"
    return f"1 to {len(column.words)}"


def records() -> str:
    lines = ["| bits | field | says |", "|---|---|---|"]
    docs = {part.key: part.doc for part in essay.PARTS} | {
        "id": "the object's place in the file",
        "confidence": "the least confidence, in sevenths",
        "valid": "1",
    }
    lines += [f"| {width} | `{key}` | {docs[key]} |" for key, width in essay.LAYOUT]
    return "\n".join(lines)


def entries() -> str:
    lines = ["| bits | field |", "|---|---|"]
    return "\n".join([*lines, *(f"| {width} | `{key}` |" for key, width in residency.LAYOUT)])


def test_the_tables_of_bits_are_the_codecs() -> None:
    for table in (row(), records(), entries()):
        assert table in TEXT, f"docs/descriptors.md should hold:\n\n{table}"


def test_the_header_and_the_sections_are_the_codecs() -> None:
    assert f"A header of {HEADER_BYTES} bytes" in TEXT
    for name, kind in SECTIONS:
        assert re.search(rf"\| `{name}` \| {kind.itemsize} \|", TEXT), name


def test_kinds_and_tags_stand_in_their_order() -> None:
    kinds = ", ".join(f"{kind.value} {kind.name.lower().replace('_', ' ')}" for kind in Kind)
    tags = ", ".join(f"{tag.value} {tag.name.lower().replace('_', ' ')}" for tag in Tag)
    assert kinds in " ".join(TEXT.split())
    assert tags in " ".join(TEXT.split())
