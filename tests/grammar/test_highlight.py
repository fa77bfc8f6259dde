"""The generated TextMate grammar, run by a small engine: the leftmost match, the first rule."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirc.grammar.highlight import PAGE, as_text, textmate
from mirc.grammar.vocabulary import BLOCKS, calls, keys, words

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples").glob("*.mir"))
Token = tuple[str, str]


def tokens(line: str) -> Iterator[Token]:
    """Yield the words of a line with their scopes, as an editor's engine finds them."""
    repository: dict[str, Any] = textmate()["repository"]
    at = 0
    while at < len(line):
        rules = [
            (re.compile(rule.get("match") or rule["begin"]), rule) for rule in repository.values()
        ]
        found = [(match, rule) for each, rule in rules if (match := each.search(line, at))]
        if not found:
            yield line[at:], ""
            return
        match, rule = min(found, key=lambda pair: pair[0].start())
        if line[at : match.start()].strip():
            yield line[at : match.start()], ""
        if "begin" in rule:
            end = re.compile(r'(?:[^"\\]|\\.)*(?:"|$)').match(line, match.end())
            at = end.end() if end is not None else len(line)
            yield line[match.start() : at], rule["name"]
            continue
        if "captures" in rule:
            for group, scope in rule["captures"].items():
                if match[int(group)]:
                    yield match[int(group)], scope["name"]
        else:
            yield match[0], rule["name"]
        at = match.end()


def scope(line: str, word: str) -> str:
    """Return the scope of a word, without the language's name at its end."""
    return dict(tokens(line))[word].removesuffix(".memory-intent")


def test_the_file_of_the_extension_is_current() -> None:
    assert (ROOT / PAGE).read_text("utf-8") == as_text()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_word_of_a_sample_has_a_scope(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        assert [text for text, name in tokens(line) if not name] == []


@pytest.mark.parametrize("keyword", BLOCKS)
def test_a_keyword_is_a_storage_type_and_a_name_that_begins_with_it_is_not(keyword: str) -> None:
    assert scope(f"{keyword} x {{", keyword).startswith("storage")
    assert scope(f"a = {keyword}_x", f"{keyword}_x") == "variable.other"


def test_every_key_and_only_a_key_is_a_property() -> None:
    for key in keys():
        assert scope(f"  {key} = 3", key) == "support.type.property-name"
    assert scope("  sizebytes = 3", "sizebytes") == "variable.other.property"


def test_every_word_and_call_of_the_language_is_known() -> None:
    for word in words():
        assert scope(f"  a = {word}", word) == "support.constant"
    for call in calls():
        assert scope(f"  a = {call}(3)", call) == "support.function"


@pytest.mark.parametrize(
    ("line", "word", "expected"),
    [
        ("mir 1.0", "mir", "keyword.control.version"),
        ("object layers.0.w[0:8] {", "layers.0.w[0:8]", "entity.name.type"),
        ("extern object w", "extern", "storage.modifier"),
        ("  override w {", "w", "variable.other.object"),
        ("  a = 128MiB", "MiB", "keyword.other.unit"),
        ("  a = 1_000us @ 0.5", "us", "keyword.other.unit"),
        ("  a = 1.5e3", "1.5e3", "constant.numeric"),
        ("  a = 2.layers.x", "2.layers.x", "variable.other"),
        ("  a = HBM.x", "HBM.x", "variable.other"),
        ("  a = WHILE_FANOUT_GT_1", "WHILE_FANOUT_GT_1", "support.constant.protection"),
        ('  a = "x // y" // z', "// z", "comment.line.double-slash"),
        ('  a = "x // y" // z', '"x // y"', "string.quoted.double"),
    ],
)
def test_each_kind_of_word_has_its_scope(line: str, word: str, expected: str) -> None:
    assert scope(line, word) == expected


def test_the_extension_finds_its_grammar_and_leaves_llvm_its_files() -> None:
    package = json.loads((ROOT / "editors/vscode/package.json").read_text("utf-8"))
    (language,) = package["contributes"]["languages"]
    (grammar,) = package["contributes"]["grammars"]
    assert grammar["scopeName"] == textmate()["scopeName"]
    assert (ROOT / "editors/vscode" / grammar["path"]).is_file()
    assert (ROOT / "editors/vscode" / language["configuration"]).is_file()
    assert re.match(language["firstLine"], "mir 1.0")
    assert not re.match(language["firstLine"], "--- |")
