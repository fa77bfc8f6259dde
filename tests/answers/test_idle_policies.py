"""Policies that change nothing, found in what was compiled and in what the linter knows."""

from mirc.answers.idle_policies import WITHOUT_EFFECT, IdlePolicy, idle_policies
from mirc.emit import emit
from mirc.graph import Program
from mirc.ir import Call, Field, Module, Name, Object
from mirc.lint.registry import RULE_BY_NAME
from mirc.machine import Machine
from mirc.passes.pipeline import run
from tests.passes.programs import Builder, decoder, machine
from tests.test_emit import toy

GB = 10**9


def found(program: Program, *machines: Machine) -> dict[tuple[str, str], IdlePolicy]:
    facts = run(program, machines=machines)
    policies = idle_policies(program, facts, emit(program, facts))
    return {(policy.key, policy.reason): policy for policy in policies}


def test_a_tier_that_the_machine_lacks_is_named_with_the_objects_that_name_it() -> None:
    policies = found(toy(), machine(64))  # HBM and DRAM, nothing else
    weights = 2 + 1 + 4 + 1  # tiles of the embedding, query, experts, head
    for word in ("CXL", "NVME"):
        policy = policies["fallback_tiers", f"names {word}, which toy does not have"]
        assert (policy.objects, policy.example) == (weights, "embed.weight[0:4]")


def test_where_all_fits_nothing_is_ever_under_pressure() -> None:
    policies = found(decoder(layers=2), machine(100 * GB))
    keys = {key for key, reason in policies if reason.startswith("all fits into HBM")}
    assert keys >= {"spill_policy", "fallback_tiers", "anti_evict_rule"}
    assert ("members", "all members stay in HBM in every phase: none is moved with another") in (
        policies
    )


def test_where_weights_stream_only_those_that_stay_have_idle_policies() -> None:
    build = Builder()
    for layer in range(10):
        build.node(f"l.{layer}", [build.store(f"l.{layer}.w", 10)])
    build.phase("decode_step")
    program = build.program()
    schedule = (Call("REPEAT", (64, Name("decode_step"))),)
    facts = run(program, machines=(machine(90),), schedule=schedule)
    policies = idle_policies(program, facts, emit(program, facts))
    staying = [p for p in policies if p.reason.startswith("stays in HBM")]
    # a ring of two tiles leaves 7 of 10 pinned (tests of the plan itself say which)
    assert {p.key: p.objects for p in staying} == {
        "fallback_tiers": 7,
        "spill_policy": 7,
        "deadline_class": 7,
    }


def test_without_a_machine_only_the_linter_speaks() -> None:
    program = toy()
    facts = run(program)
    module = emit(program, facts)
    assert idle_policies(program, facts, module) == ()
    unused = Object("left.over", (Field("class", Name("WEIGHT_TILE")), Field("size_bytes", 4)))
    more = Module((*module.declarations, unused), info=module.info)
    (policy,) = idle_policies(program, facts, more)
    assert (policy.key, policy.example) == ("unused-object", "object left.over")


def test_every_rule_about_what_has_no_effect_exists() -> None:
    assert RULE_BY_NAME.keys() >= WITHOUT_EFFECT
