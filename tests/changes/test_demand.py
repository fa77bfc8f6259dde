"""Bytes that a file asks for at its busiest step."""

from mirc.changes import diff
from mirc.changes.demand import assumptions, demands
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import Module


def module(text: str) -> Module:
    return load(Source("test.mir", text))


def test_what_lasts_is_always_there_and_the_rest_from_first_to_last_use() -> None:
    # x lives in a and b, y in b and c: at b 1000 (w) + 10 + 200 + 5 transient = 1215
    found = demands(
        module("""
        object w { class = WEIGHT_TILE  size_bytes = 1_000 }
        object x { class = ACTIVATION  size_bytes = 10 }
        object y { class = ACTIVATION  size_bytes = 200 }
        object z { class = ACTIVATION  size_bytes = 999 }
        phase p {
          step a { reads = [w]  writes = [x] }
          step b { reads = [x]  writes = [y]  transient_bytes = 5 }
          step c { reads = [y] }
        }
        """)
    )
    (demand,) = found.values()
    assert (demand.tier, demand.size_bytes, demand.step) == ("HBM", 1_215, "b")


def test_sizes_follow_the_batch_and_a_cache_its_context() -> None:
    # 3 sequences of 32 + 1 tokens in blocks of 16: 3 blocks each, 9 * 16 * 10 = 1440 bytes;
    # the activation has one new token of each of 3 sequences: 3 * 7 = 21; 2 a sequence: 6
    found = demands(
        module("""
        template kv { class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16
                      size_bytes = PER_TOKEN(10) }
        template s { class = ACTIVATION_TEMP  instance = [BATCH]  size_bytes = PER_TOKEN(7) }
        object q { class = ACTIVATION  size_bytes = PER_SEQUENCE(2) }
        phase decode { batch = 3  context = 32  step a { reads = [kv, q]  writes = [s] } }
        """)
    )
    assert [demand.size_bytes for demand in found.values()] == [1_440 + 21 + 6]


def test_a_phase_moves_what_it_overrides() -> None:
    text = """
    object p[0] { class = WEIGHT_TILE  size_bytes = 10 }
    object p[1] { class = WEIGHT_TILE  size_bytes = 20 }
    phase a { step s { reads = [p] } }
    phase b { step s { reads = [p] }  override p { preferred_tiers = [DRAM] } }
    """
    found = {tier: (d.size_bytes, d.phase) for tier, d in demands(module(text)).items()}
    assert found == {"HBM": (30, "a"), "DRAM": (30, "b")}


def test_a_file_without_phases_uses_everything_at_once() -> None:
    found = demands(module("object x { class = ACTIVATION  size_bytes = 3 }"))
    assert [demand.size_bytes for demand in found.values()] == [3]


def test_bytes_gained_and_lost_are_said_by_tier() -> None:
    old = "object x { class = INPUT  size_bytes = 3 }\nphase p { step s { reads = [x] } }"
    new = old.replace("size_bytes = 3", "size_bytes = 4  preferred_tiers = [DRAM]")
    found = diff(module(old), module(new))
    assert {t.tier: t.gained_bytes for t in found.tiers} == {"HBM": -3, "DRAM": 4}
    names = [change.rule.name for change in found.changes if change.kind == "tier"]
    assert names == ["peak-shrunk", "peak-grown"]


def test_what_is_assumed_is_said() -> None:
    unsized = module("object x { class = INPUT }\nphase p { }")
    said = assumptions(unsized, module("object x { class = INPUT size_bytes = 1 }"))
    assert "1 object of the old file without `size_bytes` left out" in said
    assert "a phase without steps in the old file uses what it overrides, at once" in said
    assert any("first of its preferred tiers" in sentence for sentence in said)
