from mirc.diagnostics import Span
from mirc.lsp.hints import hints
from tests.lsp.marked import symbols

TEXT = """mir 1.0
object kv {
  class           = KV_BLOCK
  size_bytes      = PER_TOKEN(4_096)
  preferred_tiers = [HBM]
  retain_us       = 500
}
phase decode {
  override kv { preferred_tiers = [DRAM] spill_policy = NEVER }
}
plan p {
  machine = "card-24g"
  override kv { preferred_tiers = [CXL] }
  phase decode { override kv { preferred_tiers = [NVME]  prefetch_horizon_us = 2_000 } }
}
"""


def labels(text: str, span: Span | None = None) -> dict[str, list[str]]:
    """Return the hints by the value that they follow."""
    found: dict[str, list[str]] = {}
    names = symbols(text)
    for hint in hints(names.analysis, span or Span(0, len(text))):
        before = text[: hint.offset].rsplit("= ", 1)[1]
        found.setdefault(before, []).append(hint.label)
    return found


def test_an_override_shows_the_value_of_the_layer_below() -> None:
    found = labels(TEXT)
    assert found["[DRAM]"] == ["was [HBM]"]
    assert found["[CXL]"] == ["was [HBM]"]
    assert found["[NVME]"] == ["was [DRAM]"]  # the phase's override, which beats the plan's
    assert found["NEVER"] == ["was SEVERE_PRESSURE_ONLY"]


def test_a_large_number_shows_its_unit_and_a_small_one_does_not() -> None:
    found = labels(TEXT)
    assert found["PER_TOKEN(4_096)"] == ["= 4KiB"]
    assert found["2_000"] == ["= 2ms", "was unset"]
    assert "500" not in found


def test_a_class_shows_what_it_implies_and_the_object_does_not_write() -> None:
    (said,) = labels(TEXT)["KV_BLOCK"]
    assert said == "implies HARD, SEVERE_PRESSURE_ONLY, EXPENSIVE"
    written = TEXT.replace("[HBM]\n", "[HBM]\n  spill_policy = ALLOW\n", 1)
    assert labels(written)["KV_BLOCK"] == ["implies HARD, EXPENSIVE"]


def test_only_the_lines_in_view_are_looked_at() -> None:
    start = TEXT.index("phase decode")
    assert list(labels(TEXT, Span(start, TEXT.index("plan p")))) == ["[DRAM]", "NEVER"]


def test_a_broken_file_has_no_hints() -> None:
    assert labels(TEXT.replace("= KV_BLOCK", ": KV_BLOCK")) == {}
