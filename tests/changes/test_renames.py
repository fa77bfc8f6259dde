"""A name that is gone and one that is new: the same thing only where that is certain."""

from mirc.changes import diff
from mirc.diagnostics import Source
from mirc.grammar import load

OLD = """
object w { class = WEIGHT_TILE  size_bytes = 1MiB  tenant_id = t }
tenant t { quota_bytes = 1GiB }
coalition g { members = [w] }
claim c { holder = h  objects = [w] }
phase p { step a { reads = [TOUCH(w, 4)] }  override w { deadline_us = 5 } }
plan s { machine = "h200"  override w { pin_level = SOFT }  phase p { period_us = 9 } }
module m { schedule = [p] }
"""


def changes(old: str, new: str) -> list[tuple[str, str, str | None, str | None]]:
    found = diff(load(Source("old", old)), load(Source("new", new))).changes
    return [(c.rule.name, str(c.name), c.old, c.new) for c in found]


def test_an_object_renamed_everywhere_is_one_change() -> None:
    new = OLD.replace("w", "ww").replace("oww", "ow").replace("on tenant", "ten")
    assert changes(OLD, new) == [("object-renamed", "ww", "w", "ww")]


def test_a_tenant_a_phase_and_a_plan_renamed_with_all_that_refers_to_them() -> None:
    new = OLD.replace("tenant t ", "tenant u ").replace("tenant_id = t", "tenant_id = u")
    new = new.replace("phase p", "phase q").replace("[p]", "[q]").replace("plan s", "plan z")
    assert sorted(changes(OLD, new)) == [
        ("contract-renamed", "q", "p", "q"),
        ("contract-renamed", "u", "t", "u"),
        ("label-renamed", "z", "s", "z"),
    ]


def test_an_object_used_elsewhere_is_another_one() -> None:
    old = "object a { class = INPUT size_bytes = 4 }\nphase p { step x { reads = [a] } step y { } }"
    new = "object b { class = INPUT size_bytes = 4 }\nphase p { step x { } step y { reads = [b] } }"
    assert [name for name, *_ in changes(old, new)] == [
        "object-removed", "object-added", "uses-changed", "uses-changed",
    ]  # fmt: skip


def test_two_that_are_alike_are_never_told_apart() -> None:
    old = "object a { class = INPUT size_bytes = 4 }\nobject b { class = INPUT size_bytes = 4 }"
    found = [name for name, *_ in changes(old, old.replace("a {", "c {").replace("b {", "d {"))]
    assert found == ["object-removed", "object-removed", "object-added", "object-added"]


def test_an_object_that_says_nothing_but_its_class_is_never_certain() -> None:
    found = changes("object a { class = INPUT }", "object b { class = INPUT }")
    assert [name for name, *_ in found] == ["object-removed", "object-added"]
