"""A file's sinks are promoted as far as there is room, and save what any positions would."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.packed.pack import seal
from mirc.report.json_form import as_text
from mirc.report.sinks import sinks_object, sinks_text
from mirc.simulate.sinks import Promoted
from mirc.simulate.sinks import promoted as promoted_sinks
from mirc.simulate.study import Options, study
from tests.simulate.toy import card, scenario

SCHEMA = Path(__file__).parents[2] / "docs/schemas/simulate-1.schema.json"

# 2 sequences with 512 tokens before decoding, in 32 blocks each that 4 runs read and do not write.
TEXT = """mir 1.0
module demo {{ dtype = "bfloat16"  schedule = [prefill, REPEAT(4, decode_step)] }}
object w {{ class = WEIGHT_TILE  size_bytes = 1MiB  backing = [DRAM] }}
template kv {{
  class = KV_BLOCK
  instance = [SEQUENCE, BLOCK]
  block_tokens = 16
  size_bytes = PER_TOKEN(4KiB)
  {sinks}
}}
phase prefill {{
  kind = PREFILL
  batch = 2
  tokens = 512
  step a {{ reads = [w] writes = [kv] flops = PER_TOKEN(1_000_000) }}
}}
phase decode_step {{
  kind = DECODE
  batch = 2
  {before}
  step a {{ reads = [w, kv] writes = [kv] }}
}}
"""
TOKEN = 4096
READ = 4 * 2 * 512 * TOKEN


def found(sinks: str, machine: str = "npu-scratchpad", before: str = "") -> Promoted | None:
    module = load(Source("sinks.mir", TEXT.format(sinks=sinks, before=before)))
    (comparison,) = study(module, Options(machines=(machine,), policies="intent")).comparisons
    return comparison.sinks


@pytest.mark.mechanism("S2-08", "S2-20")
def test_exact_attention_saves_the_bytes_of_the_promoted_positions_and_no_more() -> None:
    # 3 positions of 2 sequences are read by 4 steps; the placebo is any other 3.
    promoted = found("sink_tokens = [0, 1, 56]")
    assert promoted is not None
    assert promoted.promoted_bytes == 3 * 2 * TOKEN
    assert promoted.cache_bytes == READ
    assert promoted.saved_bytes == promoted.placebo_bytes == 4 * 3 * 2 * TOKEN


@pytest.mark.mechanism("S7-11")
def test_the_placebo_stands_beside_what_the_file_claims_of_mass() -> None:
    promoted = found("sink_tokens = [0]  sink_score = 0.4")
    assert promoted is not None
    text = sinks_text(promoted, "npu-scratchpad")
    assert "which the file says hold 40.00 %" in text
    assert "as many random positions" in text
    assert sinks_object(promoted)["saved_bytes"] == sinks_object(promoted)["placebo_bytes"]


@pytest.mark.mechanism("S2-09", "S2-13")
def test_promotion_begins_when_the_prompt_is_done_and_says_how_late_it_comes() -> None:
    late = found("sink_tokens = [0]")
    hidden = found("sink_tokens = [0]", before="step warm { reads = [w] }")
    assert late is not None
    assert hidden is not None
    (transfer,) = late.transfers
    assert transfer.start_ps == 0
    assert late.late_ps == transfer.finish_ps - transfer.wanted.first_use_ps > 0
    # A long first step hides the same transfer.
    assert hidden.late_ps == 0
    assert "all of it before its first use" in sinks_text(hidden, "npu-scratchpad")


def test_a_machine_without_on_chip_memory_promotes_nothing_and_says_so() -> None:
    text = TEXT.format(sinks="sink_tokens = [0]", before="").removeprefix("mir 1.0\n")
    packed = seal(load(Source("sinks.mir", f"mir 1.0\n{text}")))
    bare = promoted_sinks(packed, card(), None, scenario(text, schedule="prefill, decode_step"))
    assert bare is not None
    assert bare.promoted_bytes == bare.saved_bytes == 0
    assert "has no SRAM" in sinks_text(bare, "toy")


def test_a_position_that_no_prompt_reaches_is_left_out_and_named() -> None:
    promoted, plain = found("sink_tokens = [0, 9000]"), found("sink_tokens = [0]")
    assert promoted is not None
    assert plain is not None
    assert (promoted.absent, promoted.positions) == ((9000,), 1)
    assert promoted.saved_bytes == plain.saved_bytes
    assert "9_000: in no cache of this run" in sinks_text(promoted, "npu-scratchpad")
    nothing = found("sink_tokens = [9000]")
    assert nothing is not None
    assert "none promoted (9_000" in sinks_text(nothing, "npu-scratchpad")


def test_the_json_of_sinks_is_what_the_schema_says() -> None:
    module = load(Source("sinks.mir", TEXT.format(sinks="sink_tokens = [0, 9000]", before="")))
    asked = Options(machines=("npu-scratchpad",), policies="intent")
    content = json.loads(as_text(study(module, asked), version="1"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(content)
    assert content["machines"][0]["sinks"]["absent"] == [9000]


def test_a_file_without_sinks_has_no_line_of_them() -> None:
    assert found("") is None
