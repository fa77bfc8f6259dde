"""What holds for one object, who said so and on which line."""

import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.explain.object_text import as_object, as_text
from mirc.explain.objects import ObjectView, Query, Row, view_of
from mirc.grammar import SourcePlaces, load

TEXT = """object x {
  class = ACTIVATION
  spill_policy = NEVER
}
object e[0] { class = EXPERT_WEIGHT  size_bytes = 1MiB }
object e[1] { class = EXPERT_WEIGHT  size_bytes = 2MiB }
template kv { class = KV_BLOCK  instance = [SEQUENCE] }
phase p {
  override x { spill_policy = ALLOW  reuse = HIGH @ 0.9 }
  override e { reuse = LOW }
  override e[1] { reuse = LOW }
}
on fork { override x { spill_policy = DROP_RECOMPUTE } }
plan s {
  machine = "h200"
  override x { spill_policy = SEVERE_PRESSURE_ONLY }
  phase p { override x { spill_policy = NEVER } }
}
"""


def view(name: str, **when: str) -> ObjectView:
    source = Source("f.mir", TEXT)
    return view_of(load(source), Query(name=name, **when), source, SourcePlaces(TEXT))


def rows(found: ObjectView, key: str) -> list[Row]:
    return [row for row in found.rows if row.spec.key == key]


def said(row: Row) -> list[tuple[str | None, str, str, int | None]]:
    return [(s.text, s.layer.value, s.by, s.line) for s in (row.holds, *row.replaced)]


def test_every_layer_that_spoke_stands_in_order_with_its_line() -> None:
    (row,) = rows(view("x", phase="p", signal="fork", plan="s"), "spill_policy")
    assert said(row) == [
        ("NEVER", "plan phase", "s", 17),
        ("DROP_RECOMPUTE", "signal", "fork", 13),
        ("ALLOW", "phase", "p", 9),
        ("SEVERE_PRESSURE_ONLY", "plan", "s", 16),
        ("NEVER", "object", "", 3),
        ("ALLOW", "default", "ACTIVATION", None),
    ]


def test_confidence_belongs_to_the_value_that_has_it() -> None:
    (row,) = rows(view("x", phase="p"), "reuse")
    assert (row.holds.confidence, row.replaced[0].confidence) == (0.9, None)


def test_equal_lines_of_a_part_and_its_family_keep_their_own_lines() -> None:
    (row,) = rows(view("e[1]", phase="p"), "reuse")
    assert [line for *_, line in said(row)] == [11, 10, None]


def test_a_family_is_one_where_its_parts_agree() -> None:
    found = view("e")
    assert (found.kind, found.parts) == ("family", ("e[0]", "e[1]"))
    assert [row.parts for row in rows(found, "class")] == [("e[0]", "e[1]")]
    sizes = [(row.holds.text, row.parts) for row in rows(found, "size_bytes")]
    assert sizes == [("1MiB", ("e[0]",)), ("2MiB", ("e[1]",))]


def test_only_keys_of_the_class_and_the_declaration_are_listed() -> None:
    keys = {row.spec.key for row in view("x").rows}
    assert "sink_score" not in keys
    assert "instance" not in keys
    assert "residency" in keys
    assert "instance" in {row.spec.key for row in view("kv").rows}


def test_where_else_it_is_overridden_is_said() -> None:
    assert view("x", phase="p").elsewhere == (
        ("--signal fork", ("spill_policy",)),
        ("--plan s", ("spill_policy",)),
        ("--plan s --phase p", ("spill_policy",)),
    )


def test_the_text_shows_what_was_replaced_below_what_holds() -> None:
    lines = as_text(view("x", phase="p")).splitlines()
    assert lines[0] == "object `x` at f.mir:1, phase `p`"
    at = next(i for i, line in enumerate(lines) if "spill_policy" in line)
    assert [line.split() for line in lines[at : at + 3]] == [
        ["spill_policy", "ALLOW", "phase", "`p`", "f.mir:9"],
        ["instead", "of", "NEVER", "object", "f.mir:3"],
        ["instead", "of", "ALLOW", "default", "of", "ACTIVATION"],
    ]


def test_the_data_has_every_key_also_those_that_nobody_set() -> None:
    found = as_object(view("x"))
    fields = {field["key"]: field for field in found["fields"]}
    assert fields["size_bytes"]["value"] is None
    assert fields["spill_policy"]["line"] == 3
    assert (found["kind"], found["line"], found["parts"]) == ("object", 1, [])


@pytest.mark.parametrize(
    ("query", "message", "hint"),
    [
        ({"name": "kw"}, "`f.mir` declares no object `kw`", "did you mean `kv`?"),
        ({"name": "[1]"}, "`f.mir` declares no object `[1]`", "did you mean `e[1]`?"),
        ({"name": "x", "phase": "q"}, "`f.mir` has no phase `q`", "name one of `p`"),
        ({"name": "x", "plan": "ss"}, "`f.mir` has no plan `ss`", "did you mean `s`?"),
        ({"name": "x", "signal": "forc"}, "`f.mir` says nothing about a signal `forc`",
         "did you mean `fork`?"),
    ],
)  # fmt: skip
def test_an_unknown_name_gets_the_nearest(query: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(CouldNotRun) as raised:
        view(**query)
    assert (raised.value.message, raised.value.hint) == (message, hint)
