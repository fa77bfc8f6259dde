"""Many changes that say the same, as one line."""

from mirc.changes import diff, judge
from mirc.changes.groups import grouped
from mirc.changes.text import as_text
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module


def layers(*sizes: int) -> Module:
    objects = (
        f"object layers.{i}.w[2] {{ class = WEIGHT_TILE  size_bytes = {size} }}\n"
        for i, size in enumerate(sizes)
    )
    return load(Source("test.mir", "".join(objects)))


def test_a_family_that_changed_alike_is_one_line() -> None:
    found = diff(layers(1, 1, 1), layers(2, 2, 2))
    assert as_text(found, judge(found, (), "any")).splitlines()[0] == (
        "risky[MIRD301 size-grown]: 3 objects `layers.*.w[2]`: `size_bytes` 1B -> 2B"
    )


def test_different_values_of_a_family_are_counted() -> None:
    (group, *_) = grouped(diff(layers(1, 2, 3, 4, 5), layers(2, 4, 6, 8, 10)).changes)
    assert (len(group.changes), len(group.values)) == (5, 5)
    found = diff(layers(1, 2, 3, 4, 5), layers(2, 4, 6, 8, 10))
    assert "1B -> 2B, 2B -> 4B, 3B -> 6B, and 2 other changes" in as_text(
        found, judge(found, (), "any")
    )


def test_one_change_keeps_its_name() -> None:
    (group, *_) = grouped(diff(layers(1, 1), layers(1, 2)).changes)
    assert group.name == "layers.1.w[2]"


def test_long_reports_are_cut_and_say_so() -> None:
    old = "".join(f"object {c}{c} {{ class = INPUT size_bytes = 1 }}\n" for c in "abcdefghijklmnop")
    found = diff(load(Source("a", old)), load(Source("b", old.replace("= 1", "= 2"))))
    verdict = judge(found, (), "any")
    # 16 objects and the tier: 17 groups of risky changes
    assert "risky: 7 more groups of changes (--all shows them)" in as_text(found, verdict, most=10)
    assert "more groups" not in as_text(found, verdict, most=None)
