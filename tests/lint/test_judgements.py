"""Where rules speak and where they hold their tongue, beyond their examples."""

import pytest

from mirc.diagnostics import Diagnostic, Source
from mirc.lint.check import check_source
from mirc.machine.load import load

SILENT = {
    "uses run over the end of a phase whose steps another phase has the other way round": """
object x { class = ACTIVATION  earliest_use = a  latest_use = b }
phase p { step a { reads = [x] } step b { reads = [x]  writes = [x] } }
phase q { step b { reads = [x] } step a { reads = [x]  writes = [x] } }
""",
    "a step that an override names is one of its phase": """
object x { class = ACTIVATION }
phase p {
  step a { writes = [x] }
  step b { reads = [x] }
  override x { latest_use = b }
}
phase q {
  step a { writes = [x] }
  step b { reads = [x] }
  step c { reads = [x] }
}
""",
    "what lives for a phase is written again in the next": """
object x { class = ACTIVATION_TEMP }
phase p { step a { writes = [x] } step b { reads = [x] } }
phase q { step a { writes = [x] } step b { reads = [x] } }
""",
    "an input lives for a phase and is written by nobody": """
object x { class = INPUT }
phase p { step a { reads = [x] } }
phase q { step b { reads = [x] } }
""",
    "a phase says that the object lives longer": """
object x { class = ACTIVATION }
phase p { step a { writes = [x] } override x { persistence_scope = SESSION } }
phase q { step b { reads = [x] } }
""",
    "a residual stream reaches the next layer": """
object x { class = ACTIVATION  persistence_scope = LAYER }
phase p {
  step layers.0.mlp { writes = [x] }
  step norm { reads = [x] }
}
""",
    "a collective raises the end of an all-reduce": """
object g { class = GRADIENT_SHARD  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE }
phase p { step s { reads = [g]  collective = ALL_REDUCE } }
""",
    "the runtime raises what begins a sequence or ends a wait": """
object x { class = KV_BLOCK  anti_evict_rule = UNTIL_RESUME }
object y { class = KV_BLOCK }
phase p { step s { reads = [x, y] } }
claim c { holder = h  objects = [y]  until = SEQUENCE_END }
""",
    "a named bucket's own step raises it": """
object g { class = GRADIENT_SHARD  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE(b1) }
phase p { step s { reads = [g]  raises = [ALLREDUCE_COMPLETE(b1)] } }
""",
    "without steps, nobody knows what will happen": """
object g { class = GRADIENT_SHARD  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE }
object h { class = GRADIENT_SHARD  retire = UPDATE_COMPLETE }
""",
    "a template's sequences are forked as the run goes": """
template kv { class = KV_BLOCK  instance = [SEQUENCE]  anti_evict_rule = WHILE_FANOUT_GT_1 }
""",
    "a group of three has a fan-out above two": """
object x {
  class           = KV_BLOCK
  sharing_scope   = SEQUENCE_GROUP(17, 18, 21)
  anti_evict_rule = WHILE_FANOUT_GT_2
}
""",
    "a phase drafts": """
object x { class = KV_BLOCK  anti_evict_rule = WHILE_SPECULATIVE }
phase draft { speculative = true  step s { reads = [x] } }
""",
    "an expert is spilled until the router calls": """
object x { class = EXPERT_WEIGHT  spill_policy = ALLOW  deadline_class = HARD }
""",
    "a plan fetches it back in time": """
object x { class = WEIGHT_TILE  spill_policy = ALLOW  deadline_class = HARD }
phase p { step s { reads = [x] } }
plan h { machine = "h100-sxm"  phase p { override x { prefetch_horizon_us = 900 } } }
""",
    "a claim on its family holds what is never spilled": """
object P[0] { class = KV_BLOCK  spill_policy = NEVER }
object P[1] { class = KV_BLOCK  spill_policy = NEVER }
claim c { holder = h  objects = [P] }
""",
    "a pin comes for one phase only": """
object x { class = WEIGHT_TILE  spill_policy = ALLOW }
phase p { step s { reads = [x] } override x { pin_level = WIRED } }
""",
    "what is sealed in one phase is written in another": """
object x { class = KV_BLOCK }
phase p { step s { writes = [x] } }
phase q { step t { reads = [x] } override x { immutable = true } }
""",
    "what is written once is made by a step": """
object x { class = ACTIVATION  immutable = true }
phase p { step s { writes = [x] } step t { reads = [x] } }
""",
    "what nobody writes is never saved": """
object x { class = METADATA_PAGE  mutability = READ_ONLY  write_policy = NO_WRITE }
""",
    "an extern object of unknown class promises nothing": """
extern object x {
  spill_policy        = DROP_RECOMPUTE
  replication_allowed = true
  persistence_scope   = PERSISTENT
}
phase p { step s { reads = [x] } }
""",
    "parts are used by their family's name": """
object P[0] { class = EXPERT_WEIGHT }
object P[1] { class = EXPERT_WEIGHT }
phase p { step s { reads = [ROUTED(P, 2)] } }
""",
    "an extern object is overridden": """
extern object x
phase p { override x { pin_level = SOFT } }
""",
    "another file's experts cannot be counted": """
extern object P[0]
phase p { step s { reads = [ROUTED(P, 8)] } }
""",
    "tokens touch rows, as many as there are": """
object x { class = WEIGHT_TILE  size_bytes = 1MiB }
phase p { step s { reads = [TOUCH(x, PER_TOKEN(2MiB)), TOUCH(x, 1MiB)] } }
""",
    "a tenant's sequences come as the run goes": """
tenant a { quota_bytes = 1GiB }
tenant b { quota_bytes = 1GiB }
object x { class = KV_BLOCK  tenant_id = a }
template kv { class = KV_BLOCK  instance = [SEQUENCE] }
""",
    "a family is a coalition, and so are a template's instances": """
object P[0] { class = EXPERT_WEIGHT }
object P[1] { class = EXPERT_WEIGHT }
template kv { class = KV_BLOCK  instance = [SEQUENCE] }
coalition experts { members = [P] }
coalition cache { members = [kv] }
""",
    "an exact reuse is neither a level nor a number": """
object x { class = WEIGHT_TILE  reuse = EVERY(ITERATION) }
object y { class = WEIGHT_TILE  reuse = 0.5 }
object z { class = KV_BLOCK  reuse = HIGH }
""",
    "nested parts of different parents do not overlap": """
object P[0][0:8] { class = EXPERT_WEIGHT }
object P[1][0:8] { class = EXPERT_WEIGHT }
object P[1][8:9] { class = EXPERT_WEIGHT }
""",
}

SPOKEN = {
    "an object is used before it is made": (
        """
object x { class = ACTIVATION  created = b  earliest_use = a }
phase p { step a { reads = [x] } step b { writes = [x] } }
""",
        "`earliest_use` of `x` comes before its `created` in `p`",
    ),
    "another bucket's step raises it": (
        """
object g { class = GRADIENT_SHARD  anti_evict_rule = UNTIL_ALLREDUCE_COMPLETE(b1) }
phase p { step s { reads = [g]  raises = [ALLREDUCE_COMPLETE(b2)] } }
""",
        "`anti_evict_rule` of `g` waits for ALLREDUCE_COMPLETE, which no step raises",
    ),
    "an override that frees what a deadline binds": (
        """
object x { class = WEIGHT_TILE  deadline_class = HARD }
phase p { step s { reads = [x] } override x { spill_policy = ALLOW } }
""",
        "`x` has a HARD deadline, but may be spilled at any time (ALLOW)",
    ),
    "what a family's writer may not write": (
        """
object P[0] { class = EXPERT_WEIGHT }
object P[1] { class = EXPERT_WEIGHT }
phase p { step s { reads = [P]  writes = [P] } }
""",
        "`s` of `p` writes `P`, which is READ_ONLY",
    ),
    "a family is touched beyond all of its parts": (
        """
object P[0:8] { class = WEIGHT_TILE  size_bytes = 1MiB }
object P[8:16] { class = WEIGHT_TILE  size_bytes = 1MiB }
phase p { step s { reads = [TOUCH(P, 3MiB)] } }
""",
        "`s` touches 3 MiB of `P`, which has 2 MiB",
    ),
    "an expert's tiles are one expert": (
        """
object P[0][0:8] { class = EXPERT_WEIGHT }
object P[0][8:16] { class = EXPERT_WEIGHT }
object P[1] { class = EXPERT_WEIGHT }
phase p { step s { reads = [ROUTED(P, 3)] } }
""",
        "`s` routes to 3 experts of `P`, which has 2",
    ),
    "a single index lies in a range": (
        """
object P[3] { class = WEIGHT_TILE }
object P[0:8] { class = WEIGHT_TILE }
""",
        "`P[3]` and `P[0:8]` hold 1 of the same rows",
    ),
    "a long range holds several short ones": (
        """
object P[0:16] { class = WEIGHT_TILE }
object P[2:4] { class = WEIGHT_TILE }
object P[15:16] { class = WEIGHT_TILE }
object P[16:20] { class = WEIGHT_TILE }
""",
        "`P[2:4]` and `P[0:16]` hold 2 of the same rows",
        "`P[15:16]` and `P[0:16]` hold 1 of the same rows",
    ),
    "one sequence alone has no fan-out above one": (
        """
template kv {
  class           = KV_BLOCK
  instance        = [SEQUENCE]
  sharing_scope   = SEQUENCE
  anti_evict_rule = WHILE_FANOUT_GE_2
}
""",
        "`WHILE_FANOUT_GE_2` never holds for `kv`: its `sharing_scope` is one sequence",
    ),
    "what is written through is never dirty": (
        """
object x { class = KV_BLOCK  write_policy = WRITE_THROUGH  anti_evict_rule = WHILE_DIRTY }
""",
        "`WHILE_DIRTY` never holds for `x`: every write goes through to the tier below",
    ),
    "sizes are said in decimal units where they are not round": (
        """
object x { class = WEIGHT_TILE  size_bytes = 500 }
phase p { step s { reads = [TOUCH(x, 12345)] } }
""",
        "`s` touches 12.35 KB of `x`, which has 500 B",
    ),
    "a claim that lists others does not cover who claims to be covered": (
        """
object x { class = KV_BLOCK  claimed_by = c }
object y { class = KV_BLOCK }
claim c { holder = h  objects = [y] }
""",
        "`x` belongs to the claim `c`, which does not list it",
    ),
}


def judge(text: str, *machines: str) -> tuple[Diagnostic, ...]:
    return check_source(Source("a", text), tuple(map(load, machines))).diagnostics


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_said_if(case: str) -> None:
    assert [d.message for d in judge(SILENT[case])] == []


@pytest.mark.parametrize("case", SPOKEN)
def test_something_is_said_of(case: str) -> None:
    text, *messages = SPOKEN[case]
    assert [d.message for d in judge(text)] == messages


# 64 MiB = 67_108_864 B over 64 GB/s of PCIe take more than 1,000 us, and less than 10 ms.
@pytest.mark.parametrize(
    ("deadline", "machines", "said"),
    [
        ("deadline_us = 10ms", ("h100-sxm",), None),
        ("deadline_us = 1ms", ("h100-sxm",), "us to fetch it from DRAM"),
        ("deadline_us = 10ms", (), "(ALLOW)"),
        ("", ("h100-sxm",), "(ALLOW)"),
        # h100-sxm has no CXL: nobody knows how long it takes
        ("deadline_us = 10ms  fallback_tiers = [CXL]", ("h100-sxm",), "(ALLOW)"),
    ],
)
def test_a_hard_deadline_allows_spilling_where_the_machine_fetches_in_time(
    deadline: str, machines: tuple[str, ...], said: str | None
) -> None:
    text = (
        "object x { class = WEIGHT_TILE  size_bytes = 64MiB  spill_policy = ALLOW"
        f"  deadline_class = HARD  {deadline} }}\n"
    )
    messages = [d.message for d in judge(text, *machines)]
    assert (messages == []) == (said is None)
    assert all(message.endswith(str(said)) for message in messages)


def test_a_plan_is_judged_by_its_own_machines_links() -> None:
    text = (
        "object x { class = WEIGHT_TILE  size_bytes = 64MiB  deadline_class = HARD"
        "  deadline_us = 1ms }\n"
        "phase p { step s { reads = [x] } }\n"
        'plan h { machine = "h100-sxm"  override x { spill_policy = ALLOW } }\n'
    )
    (found,) = judge(text)
    assert "h100-sxm takes" in found.message
    assert judge(text.replace("1ms", "10ms")) == ()


def test_levels_and_numbers_are_counted_once_for_a_field_and_class() -> None:
    lines = [f"object w{n} {{ class = WEIGHT_TILE  reuse = 0.{n} }}\n" for n in range(1, 5)]
    lines += [f"object v{n} {{ class = WEIGHT_TILE  reuse = HIGH }}\n" for n in range(2)]
    (found,) = judge("".join(lines))
    assert found.subject == "object v0.reuse"
    assert "is a level, but 4 of the class WEIGHT_TILE give a number" in found.message
