from hypothesis import given
from hypothesis import strategies as st

from mirc.ir.fields import KEYS_WHERE, Where
from mirc.lsp.complete import MOST, Item, completion
from tests.lsp.marked import marked, symbols

BEFORE = """mir 1.0
object layers.0.w { class = WEIGHT_TILE }
object "odd name" { class = INPUT }
object e[0] { class = EXPERT_WEIGHT }
object e[1] { class = EXPERT_WEIGHT }
tenant t { quota_bytes = 1GiB }
phase a { step s1 { } }
phase b { step s2 { } }
"""


def items(text: str) -> dict[str, Item]:
    """Return the items at the mark by label."""
    names, offset = marked(text)
    return {item.label: item for item in completion(names, offset).items}


def written(text: str, label: str) -> str:
    """Return the text after an item was chosen at the mark."""
    names, offset = marked(text)
    found = completion(names, offset)
    item = next(item for item in found.items if item.label == label)
    plain = text.replace("|", "", 1)
    return plain[: found.span.start] + item.text + plain[found.span.end :]


def test_in_a_block_the_keys_that_may_stand_there_and_do_not_yet() -> None:
    found = items(BEFORE + "object v {\n  class = INPUT\n  |\n  size_bytes = 3\n}\n")
    assert "preferred_tiers" in found
    for absent in ("class", "size_bytes", "quota_bytes", "sink_tokens"):  # sinks: KV_BLOCK alone
        assert absent not in found


def test_a_required_key_comes_first() -> None:
    assert next(iter(items(BEFORE + "object v {\n  |\n}\n"))) == "class"


def test_every_key_of_every_declaration_is_offered_in_an_empty_one() -> None:
    found = items("mir 1.0\ntenant t { | }\n")
    assert set(KEYS_WHERE[Where.TENANT]) == set(found)


def test_words_are_those_of_the_key_with_what_they_mean() -> None:
    found = items(BEFORE + "object v {\n  spill_policy = |\n}\n")
    assert found["NEVER"].about
    assert "HBM" not in found


def test_outside_a_list_an_item_brings_its_brackets() -> None:
    assert written("object v { preferred_tiers = | }", "HBM") == (
        "object v { preferred_tiers = [HBM] }"
    )
    assert written("object v { preferred_tiers = [H|] }", "HBM") == (
        "object v { preferred_tiers = [HBM] }"
    )


def test_before_a_list_that_stands_already_no_second_one_is_offered() -> None:
    assert items("object v { preferred_tiers = |[HBM] }") == {}


def test_names_are_offered_where_they_are_meant() -> None:
    reads = items(BEFORE + "phase c { step x { reads = [|] } }")
    assert {"layers.0.w", "odd name", "e[0]", "e", "ROUTED(object, n)"} <= set(reads)
    assert reads["odd name"].text == '"odd name"'
    assert set(items(BEFORE + "object v { tenant_id = | }")) == {"t"}
    assert {"a", "b"} <= set(items(BEFORE + "module m { schedule = [LOOP(|)] }"))


def test_steps_are_those_of_the_phase_around() -> None:
    found = items(BEFORE + "plan p { phase b { override e { residency = [HBM(|)] } } }")
    assert set(found) == {"s2"}


def test_a_number_is_given_a_unit() -> None:
    assert written("object v { size_bytes = 128| }", "128MiB") == "object v { size_bytes = 128MiB }"
    assert "12us" in items("object v { retain_us = 12| }")


def test_a_string_is_replaced_with_its_quotes() -> None:
    assert written(BEFORE + 'plan p { machine = "h100|" }', "h100-sxm").endswith(
        'machine = "h100-sxm" }'
    )


def test_on_top_keywords_with_a_block_to_fill_in() -> None:
    found = items("mir 1.0\n\nobj|")
    assert found["object"].snippet
    assert "mir 1.0" not in found
    assert "mir 1.0" in items("|")


def test_a_new_declaration_is_offered_the_names_that_miss_one() -> None:
    found = items(BEFORE + "phase c { step x { reads = [gone] } }\nobject |")
    assert set(found) == {"gone"}


def test_nothing_is_offered_in_a_comment() -> None:
    assert items(BEFORE + "// obj|") == {}


def test_of_very_many_names_some_are_sent_and_typing_narrows_them() -> None:
    text = "mir 1.0\n" + "".join(f"object w{i} {{ class = INPUT }}\n" for i in range(MOST + 100))
    names, offset = marked(text + "phase p { step s { reads = [|] } }")
    assert completion(names, offset).more
    names, offset = marked(text + f"phase p {{ step s {{ reads = [w{MOST + 50}|] }} }}")
    assert [i.label for i in completion(names, offset).items] == [f"w{MOST + 50}"]


@given(st.data())
def test_there_is_an_answer_at_every_place_of_a_text_cut_anywhere(data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(BEFORE)))
    offset = data.draw(st.integers(0, cut))
    found = completion(symbols(BEFORE[:cut]), offset)
    assert found.span.start <= offset <= found.span.end
