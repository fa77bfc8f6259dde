"""What every word of the language means."""

import pytest

from mirc.diagnostics import Source
from mirc.explain import Subject, as_markdown, as_object, as_text, list_text, near, word, words
from mirc.explain.examples import line_of
from mirc.explain.kinds import bare_words_of, calls_of
from mirc.explain.language import calls
from mirc.explain.members import meanings
from mirc.explain.words import enums
from mirc.grammar import parse
from mirc.ir import FIELDS, KEYWORDS, FieldSpec, ObjectClass, SignalKind
from mirc.lint.registry import ALL_RULES

ALL = tuple(name for names in words().values() for name in names)


def test_every_word_of_the_list_is_explained_in_every_form() -> None:
    for name in ALL:
        found = word(name)
        assert found is not None
        assert found.word == name
        text, page = as_text(found), as_markdown(found)
        assert max(map(len, text.splitlines())) <= 110, name
        for meaning in found.meanings:
            assert meaning.summary, name
            assert str(meaning.name) in text
            assert meaning.summary in page
        assert as_object(found)["word"] == name


def test_rules_keys_keywords_classes_and_signals_are_all_there() -> None:
    known = words()
    assert set(known[Subject.RULE]) == {r.code for r in ALL_RULES} | {r.name for r in ALL_RULES}
    assert known[Subject.KEY] == tuple(spec.key for spec in FIELDS)
    assert known[Subject.KEYWORD] == KEYWORDS
    assert known[Subject.CLASS] == tuple(ObjectClass)
    assert known[Subject.SIGNAL] == tuple(SignalKind)


def test_every_member_of_every_enum_has_a_meaning() -> None:
    silent = [
        f"{enum}: {member}"
        for enum in (*enums(), SignalKind)
        for member, text in meanings(enum).items()
        if not text
    ]
    assert silent == []


def test_every_call_and_bare_word_of_the_field_table_is_explained() -> None:
    named = {meaning.name for meaning in calls()}
    in_table = {call.word for spec in FIELDS for call in calls_of(spec.type)}
    in_table |= {bare for spec in FIELDS for bare in bare_words_of(spec.type)}
    collectives = {
        str(member) for enum in enums() if enum.__name__ == "CollectiveKind" for member in enum
    }
    assert in_table - named - collectives == set()


@pytest.mark.parametrize("spec", FIELDS, ids=lambda spec: spec.key)
def test_the_example_of_a_key_is_a_value_that_it_takes(spec: FieldSpec) -> None:
    document = parse(Source("example", f"object x {{ {line_of(spec)} }}"))
    assert document.diagnostics == ()
    ((field,),) = (block.fields for block in document.blocks)
    assert spec.type.read(field.value) is not None
    assert field.confidence is None or spec.estimate


def test_a_key_says_what_the_field_table_says() -> None:
    (meaning,) = word("deadline_class").meanings  # type: ignore[union-attr]
    facts = dict(meaning.facts)
    assert facts["default"] == "SOFT, or by class"
    assert facts["packed"] == "2 bits of the descriptor"
    (table,) = (table for table in meaning.tables if table.title == "default by class")
    assert dict(table.rows)["KV_BLOCK"] == "HARD"  # type: ignore[arg-type]


def test_a_class_lists_what_it_implies() -> None:
    (meaning,) = word("KV_BLOCK").meanings  # type: ignore[union-attr]
    rows = {row[0]: row[1:] for row in meaning.tables[0].rows}
    assert rows["spill_policy"] == ("SEVERE_PRESSURE_ONLY", "class")
    assert rows["preferred_tiers"] == ("[HBM]", "")


def test_a_word_of_several_lists_has_several_meanings() -> None:
    found = word("HARD")
    assert found is not None
    assert [meaning.noun for meaning in found.meanings] == ["a deadline class", "a guarantee"]
    assert found.also == ("hard",)


def test_case_matters_only_where_nothing_is_written_so() -> None:
    assert word("TENANT").meanings[0].subject is Subject.WORD  # type: ignore[union-attr]
    assert word("tenant").meanings[0].subject is Subject.KEYWORD  # type: ignore[union-attr]
    assert word("kv_block").word == "KV_BLOCK"  # type: ignore[union-attr]
    assert word("mir401").word == "MIR401"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("128MiB", "It is 134,217,728 bytes."),
        ("1.5us", "It is 1.5 microseconds."),
        ("1ps", "It is 1e-06 microseconds."),
        ("WHILE_FANOUT_GE_12", "at least 12 sequences share it"),
        ("UNTIL_RESUME", "until `resume` happens"),
        ("MIR20", "whose code begins with `MIR20`"),
    ],
)
def test_what_is_in_no_list_is_made_as_asked(text: str, said: str) -> None:
    assert said in as_text(word(text))  # type: ignore[arg-type]


def test_an_unknown_word_has_no_explanation_and_the_nearest_are_named() -> None:
    assert word("preffered_tiers") is None
    assert word("x" * 100_000) is None
    assert near("preffered_tiers") == ("preferred_tiers",)


def test_the_list_keeps_a_rule_s_code_and_name_together() -> None:
    assert "MIR401 use-order" in list_text(words())


def test_a_rule_on_json_is_explained_and_no_comment_is_said_to_hide_it() -> None:
    for name in ("MIR150", "MIR151"):
        found = word(name)
        assert found is not None
        (meaning,) = found.meanings
        assert [example.title for example in meaning.examples][-1] == "good"
        assert "ignore" not in dict(meaning.facts)
