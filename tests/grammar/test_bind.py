import pytest

from mirc.diagnostics import Source
from mirc.diagnostics.apply import applied
from mirc.grammar import Bound, MirRejected, bind, load, parse
from mirc.ir import IR_RULES, Field, Name

PRELUDE = """\
object w { class = WEIGHT_TILE }
object model.layers.0.mlp { class = WEIGHT_TILE }
object e[0] { class = EXPERT_WEIGHT }
template kv { class = KV_BLOCK }
coalition c { members = [w, e, kv] }
tenant t { quota_bytes = 1GiB }
claim k { holder = somebody }
phase p { step s { reads = [w, ROUTED(e, 1)] } step s2 { raises = [BUCKET_DONE(b)] } }
phase q { step other { } }
"""


def _bound(text: str) -> tuple[str, Bound]:
    whole = PRELUDE + text
    return whole, bind(parse(Source("t.mir", whole)), machines=frozenset({"h100-sxm", "h200"}))


def test_the_prelude_itself_is_well_formed() -> None:
    assert _bound("")[1].diagnostics == ()


# (what is written, rule, what the caret stands under, words of the hint)
CASES = [
    ("object w { class = INPUT }", "duplicate-name", "w", "rename"),
    ("template w { class = INPUT }", "duplicate-name", "w", "rename"),
    ("extern object w", "duplicate-name", "w", "rename"),
    ("phase p { }", "duplicate-name", "p", "rename"),
    ('object "" { class = INPUT }', "bad-name", '""', "write at least one character"),
    ('object "\\udc80" { class = INPUT }', "bad-name", '"\\udc80"', "the character itself"),
    ("module a { } module b { }", "duplicate-name", "b", "rename"),
    ("phase x { step a { } step a { } }", "duplicate-name", "a", "rename"),
    ("object x { class = INPUT dtype = int8 dtype = int8 }", "duplicate-field", "dtype", "remove"),
    ("phase x { override w { } override w { } }", "duplicate-override", "w", "merge"),
    ('tenant "" { }', "bad-name", '""', "at least one"),
    ('tenant "\\udc00" { }', "bad-name", '"\\udc00"', "the character"),
    ("phase x { override nobody { } }", "undeclared-object", "nobody", "extern object nobody"),
    ("phase x { step a { reads = [w, nobody] } }", "undeclared-object", "nobody", "extern"),
    (
        'phase x { step a { reads = [w, "no body"] } }',
        "undeclared-object",
        '"no body"',
        '"no body"',
    ),
    (
        "phase x { step a { reads = [model.layers.0.mpl] } }",
        *("undeclared-object", "model.layers.0.mpl", "did you mean `model.layers.0.mlp`?"),
    ),
    ("coalition x { members = [w, nobody] }", "undeclared-object", "nobody", "extern"),
    ("claim x { holder = a objects = [nobody] }", "undeclared-object", "nobody", "extern"),
    ("object x { class = INPUT created = nowhere }", "undeclared-step", "nowhere", None),
    ("phase x { override w { earliest_use = s } }", "undeclared-step", "s", None),
    (
        "plan x { machine = h200 phase p { override w { residency = [HBM(s, other)] } } }",
        *("undeclared-step", "other", None),
    ),
    ("module m { schedule = [p, REPEAT(2, zz)] }", "undeclared-phase", "zz", None),
    ("plan x { machine = h200 phase zz { } }", "undeclared-phase", "zz", None),
    ("object x { class = INPUT coalition_hints = [cc] }", "undeclared-coalition", "cc", "`c`"),
    ("object x { class = INPUT tenant_id = nobody }", "undeclared-tenant", "nobody", None),
    ("object x { class = INPUT claimed_by = nobody }", "undeclared-claim", "nobody", None),
    ('plan x { machine = "h100-smx" }', "unknown-machine", '"h100-smx"', "h100-sxm"),
    ("on resum { }", "unknown-signal", "resum", "write `resume`"),
    ("object x { class = INPUT size_byte = 1 }", "unknown-key", "size_byte", "`size_bytes`"),
    ("object x { class = INPUT qqq = 1 }", "unknown-key", "qqq", None),
    ("object x { class = INPUT flops = 1 }", "misplaced-key", "flops", "a step"),
    ("phase x { override w { size_bytes = 1 } }", "misplaced-key", "size_bytes", "an object"),
    ("object x { class = INPUT residency = [HBM] }", "misplaced-key", "residency", "a plan"),
    (
        "object x { class = WEIGHT_TILE sharing_scope = SEQUENCE }",
        *("wrong-class", "sharing_scope", "change the class"),
    ),
    (
        "phase x { override w { route_probability = 0.5 } }",
        "wrong-class",
        "route_probability",
        "class",
    ),
    ("object x { }", "missing-key", "x", "an object class"),
    ("plan x { }", "missing-key", "x", "machine"),
    ("coalition x { }", "missing-key", "x", "members"),
    ("object x { class = INPUT backing = DRAM }", "wrong-type", "DRAM", "brackets"),
    ("object x { class = INPUT size_bytes = [1] }", "wrong-type", "[1]", None),
    ("object x { class = WEIGHT_TIL }", "unknown-word", "WEIGHT_TIL", "`WEIGHT_TILE`"),
    ("object x { class = INPUT backing = [DRAM, HBN] }", "unknown-word", "HBN", "`HBM`"),
    (
        "object x { class = INPUT size_bytes = PER_TOKN(1) }",
        "unknown-word",
        "PER_TOKN(1)",
        "PER_TOKEN",
    ),
    ("object x { class = INPUT size_bytes = 12us }", "wrong-unit", "12us", None),
    ("object x { class = INPUT retain_us = 12MiB }", "wrong-unit", "12MiB", None),
    ("object x { class = INPUT sensitivity = 2 }", "out-of-range", "2", None),
    ("object x { class = INPUT backing = [HBM, HBM] }", "out-of-range", "HBM", None),
    ("object x { class = INPUT size_bytes = 0.1KiB }", "inexact-number", "0.1KiB", None),
    (
        "object x { class = INPUT spill_policy = ALLOW @ 0.5 }",
        "confidence-on-contract",
        "0.5",
        "remove",
    ),
    ("object x { class = INPUT reuse = LOW @ 1.5 }", "confidence-range", "1.5", None),
    ("object x { class = INPUT reuse = LOW @ -1 }", "confidence-range", "-1", None),
]


@pytest.mark.parametrize(("text", "rule", "under", "hint"), CASES, ids=lambda c: str(c)[:40])
def test_each_mistake_gives_one_finding_in_its_place(
    text: str, rule: str, under: str, hint: str | None
) -> None:
    whole, bound = _bound(text)
    assert [d.rule.name for d in bound.diagnostics] == [rule]
    found = bound.diagnostics[0]
    assert whole[found.span.start : found.span.end] == under
    assert found.span.start >= len(PRELUDE)
    assert (hint is None) == (found.hint is None)
    assert hint is None or hint in (found.hint or "")


def test_every_rule_has_its_case() -> None:
    assert {rule.name for rule in IR_RULES} == {rule for _, rule, _, _ in CASES}


RIGHT = [
    "on bucket_done { override w { reuse = LOW } }",  # a step raises it
    "phase x { override e { route_probability = 0.5 @ 0.9 } }",  # a family
    "phase x { override w { earliest_use = s2 } step s2 { } }",
    "object x { class = INPUT created = other }",  # outside a phase any step will do
    'plan x { machine = "./mine.toml" }',
    "extern object x",  # another file says what it is
    "object x { class = INPUT created = s retire = AFTER(s2) }",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_not_reported(text: str) -> None:
    assert _bound(text)[1].diagnostics == ()


def test_a_name_that_is_missing_everywhere_is_reported_once() -> None:
    text = "phase x { step a { reads = [nobody] writes = [nobody] } override nobody { } }"
    assert [d.rule.name for d in _bound(text)[1].diagnostics] == ["undeclared-object"]


def test_two_mistakes_in_two_fields_are_two_findings_in_order() -> None:
    text = "object x { class = INPUTT siz = 1 }"
    assert [d.rule.name for d in _bound(text)[1].diagnostics] == ["unknown-word", "unknown-key"]


def test_a_second_declaration_points_at_the_first() -> None:
    whole, bound = _bound("object w { class = INPUT }")
    related = bound.diagnostics[0].related[0]
    assert whole[related.span.start : related.span.end] == "w"
    assert related.span.start < len(PRELUDE)


def test_the_module_holds_only_what_is_right() -> None:
    text = (
        "object x { class = INPUT sensitivity = 2 reuse = LOW @ 0.5 qqq = 1 }"
        " phase y { override nobody { } override w { reuse = LOW size_bytes = 1 } }"
        " object x { class = CONSTANT }"
    )
    module = _bound(text)[1].module
    assert [field.key for field in module.objects["x"].fields] == ["class", "reuse"]
    assert [o.name for o in module.phases["y"].overrides] == ["w"]
    assert module.phases["y"].overrides[0].fields == (Field("reuse", Name("LOW")),)


def test_without_machines_any_machine_will_do() -> None:
    document = parse(Source("t.mir", 'plan x { machine = "anything" }'))
    assert bind(document).diagnostics == ()


def test_what_a_broken_part_may_have_declared_is_not_reported() -> None:
    text = "object broken = { class = INPUT }\nphase y { override broken { } }"
    found = _bound(text)[1].diagnostics
    assert {d.rule.code[:4] for d in found} == {"MIR1"}


def test_load_refuses_a_wrong_file_with_all_its_findings() -> None:
    with pytest.raises(MirRejected) as caught:
        load(Source("t.mir", "object x { qqq = 1 }"))
    assert [d.rule.name for d in caught.value.diagnostics] == ["missing-key", "unknown-key"]
    assert caught.value.message.startswith("`t.mir` has 2 errors, first 1:8 ")
    assert caught.value.exit_code == 2


def test_ten_thousand_undeclared_names_are_reported_in_bounded_time() -> None:
    names = ", ".join(f"nobody{i}" for i in range(10_000))
    _, bound = _bound(f"phase x {{ step a {{ reads = [{names}] }} }}")
    assert len(bound.diagnostics) == 10_000


@pytest.mark.parametrize("reads", ["[nobody, w, kv]", "[w, nobody, kv]", "[w, 3, kv]"])
def test_a_list_keeps_the_names_beside_a_wrong_one(reads: str) -> None:
    _, bound = _bound(f"phase y {{ step a {{ reads = {reads} }} }}")
    assert len(bound.diagnostics) == 1
    (step,) = bound.module.phases["y"].steps
    assert step.value("reads") == (Name("w"), Name("kv"))


def test_a_second_declaration_is_judged_too() -> None:
    text = (
        "object x { class = KV_BLOCK } object x { class = WEIGHT_TILE qqq = 1 }"
        " phase y { step a { reads = [w] } }"
        " phase y { step b { reads = [w] after = [b] flops = many } }"
    )
    found = [d.rule.name for d in _bound(text)[1].diagnostics]
    assert found.count("duplicate-name") == 2
    assert "unknown-key" in found
    assert len(found) > 3


@pytest.mark.parametrize("name", ["a[5:2]", "a[3:3]", "a[5:2][0]"])
def test_a_part_of_no_index_is_no_name(name: str) -> None:
    found = _bound(f"object {name} {{ class = WEIGHT_TILE }}")[1].diagnostics
    assert [d.rule.name for d in found] == ["bad-name"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('class = "WEIGHT_TILE"', "class = WEIGHT_TILE"),
        ('class = INPUT size_bytes = "1MiB"', "class = INPUT size_bytes = 1MiB"),
        ('class = INPUT preferred_tiers = ["HBM"]', "class = INPUT preferred_tiers = [HBM]"),
        ('class = INPUT size_bytes = "large"', None),
    ],
)
def test_quotes_around_a_word_or_a_size_are_removed(before: str, after: str | None) -> None:
    text, bound = _bound(f"object x {{ {before} }}")
    (found,) = bound.diagnostics
    made = applied(text, [found.fix]) if found.fix is not None else None
    assert made == (text.replace(before, after) if after is not None else None)
