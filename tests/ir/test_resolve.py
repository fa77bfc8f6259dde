import pytest

from mirc.ir import (
    Call,
    Field,
    Layer,
    Level,
    Module,
    Name,
    Object,
    ObjectClass,
    Override,
    PerToken,
    Phase,
    Plan,
    PlanPhase,
    Signal,
    SpillPolicy,
    Step,
    Template,
    TierKind,
    Value,
    View,
    read,
)


def _fields(**values: Value) -> tuple[Field, ...]:
    return tuple(Field(key.rstrip("_"), value) for key, value in values.items())


def _horizon(value: int) -> tuple[Override, ...]:
    return (Override("w", _fields(prefetch_horizon_us=value)),)


MODULE = Module(
    (
        Object("w", _fields(class_=Name("WEIGHT_TILE"), prefetch_horizon_us=1)),
        Object("e[0]", _fields(class_=Name("EXPERT_WEIGHT"))),
        Object("e[1]", _fields(class_=Name("EXPERT_WEIGHT"))),
        Template("kv", _fields(class_=Name("KV_BLOCK"), size_bytes=Call("PER_TOKEN", (4096,)))),
        Object("away", (), extern=True),
        Phase("decode", overrides=_horizon(3)),
        Phase("prefill"),
        Signal("tool_wait", overrides=_horizon(4)),
        Plan(
            "small",
            overrides=_horizon(2),
            phases=(PlanPhase("decode", overrides=_horizon(5)),),
        ),
    )
)


@pytest.mark.parametrize(
    ("context", "value", "layer", "name"),
    [
        ((None, None, None), 1, Layer.OBJECT, "w"),
        (("prefill", None, None), 1, Layer.OBJECT, "w"),
        ((None, None, "small"), 2, Layer.PLAN, "small"),
        (("prefill", None, "small"), 2, Layer.PLAN, "small"),
        (("decode", None, None), 3, Layer.PHASE, "decode"),
        (("decode", "tool_wait", None), 4, Layer.SIGNAL, "tool_wait"),
        ((None, "tool_wait", "small"), 4, Layer.SIGNAL, "tool_wait"),
        (("decode", None, "small"), 5, Layer.PLAN_PHASE, "small"),
        (("decode", "tool_wait", "small"), 5, Layer.PLAN_PHASE, "small"),
    ],
)
def test_the_last_layer_that_speaks_wins(
    context: tuple[str | None, str | None, str | None], value: int, layer: Layer, name: str
) -> None:
    found = View(MODULE, *context).get("w", "prefetch_horizon_us")
    assert found.value == float(value)
    assert (found.origin.layer, found.origin.name) == (layer, name)


def test_a_field_that_is_not_written_has_its_class_default() -> None:
    found = View(MODULE).get("w", "spill_policy")
    assert found.value is SpillPolicy.SEVERE_PRESSURE_ONLY
    assert found.confidence is None
    assert (found.origin.layer, found.origin.name) == (Layer.DEFAULT, ObjectClass.WEIGHT_TILE)


def test_a_field_without_a_default_has_no_value() -> None:
    found = View(MODULE).get("w", "coalition_hints")
    assert found.value is None
    assert found.origin.layer is Layer.DEFAULT


def test_values_are_typed() -> None:
    view = View(MODULE)
    assert view.value("kv", "size_bytes") == PerToken(4096)
    assert view.value("kv", "preferred_tiers") == (TierKind.HBM,)
    assert view.class_of("kv") is ObjectClass.KV_BLOCK
    assert view.class_of("away") is None
    assert view.value("away", "reuse") is Level.MEDIUM


def test_an_override_of_a_family_holds_for_its_parts_unless_one_is_named() -> None:
    named = Override("e[1]", _fields(route_probability=Name("LOW")))
    family = Override("e", _fields(route_probability=Name("HIGH"), retention_priority=9))
    module = Module((*MODULE.declarations[:3], Phase("p", overrides=(named, family))))
    view = View(module, phase="p")
    assert view.value("e[0]", "route_probability") is Level.HIGH
    assert view.value("e[1]", "route_probability") is Level.LOW
    assert view.value("e[1]", "retention_priority") == 9


def test_confidence_comes_with_the_value_that_won() -> None:
    sure = Field("reuse", Name("LOW"), 0.25)
    overriding = Phase("p", overrides=(Override("w", (sure,)),))
    view = View(Module((*MODULE.declarations[:1], overriding)), phase="p")
    found = view.get("w", "reuse")
    assert (found.value, found.confidence, found.origin.field) == (Level.LOW, 0.25, sure)


def test_equal_numbers_of_different_kinds_are_not_confused() -> None:
    flags = _fields(class_=Name("INPUT"), immutable=True, retention_priority=1, sensitivity=1)
    view = View(Module((Object("x", flags),)))
    assert view.value("x", "immutable") is True
    assert repr(view.value("x", "retention_priority")) == "1"
    assert repr(view.value("x", "sensitivity")) == "1.0"


def test_an_unknown_name_or_key_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        View(MODULE).get("nobody", "class")
    with pytest.raises(KeyError):
        View(MODULE).get("w", "no_such_key")
    with pytest.raises(KeyError):
        View(MODULE, phase="no_such_phase")


def test_blocks_that_are_no_objects_are_read_by_key() -> None:
    step = Step("s", _fields(flops=7))
    assert read(step, "flops") == 7
    assert read(step, "transient_bytes") == 0
    assert read(step, "reads") is None


def test_a_family_means_all_its_parts() -> None:
    assert MODULE.parts("e") == ("e[0]", "e[1]")
    assert MODULE.parts("e[1]") == ("e[1]",)
    assert MODULE.parts("nobody") == ()
