"""Which positions become sinks, what they cost, and what they save: bytes and mass apart."""

import numpy as np
import pytest

from mirc.controller.sinks.choice import (
    Registers,
    Stay,
    heavy_hitters,
    mass_of,
    sinks,
    sinks_and_window,
)
from mirc.controller.sinks.shape import KvShape, ledger
from mirc.ir.enums import SinkGranularity

LLAMA_70B = KvShape(layers=80, kv_heads=8, head_dim=128)


@pytest.mark.mechanism("S2-01")
def test_a_token_of_a_70b_model_has_327680_bytes_of_keys_and_values() -> None:
    assert LLAMA_70B.token_bytes == 2 * 80 * 8 * 128 * 2 == 327_680


@pytest.mark.mechanism("S2-02")
def test_32000_tokens_are_10_486_gb_and_take_3_28_ms_at_3_2_tb_a_second() -> None:
    # Essay 002 takes 320 "KB" as 320,000 bytes: 10.24 GB and 3.2 ms, 2.4 % less.
    step = ledger(LLAMA_70B, 32_000, frozenset(), mass=0.0)
    assert step.total_bytes == 10_485_760_000
    assert step.total_bytes / 3.2e12 == pytest.approx(3.2768e-3)
    assert 100 * step.total_bytes / 3.2e12 == pytest.approx(0.32768)


@pytest.mark.mechanism("S2-08")
def test_eight_sinks_take_2_62_mb_of_96() -> None:
    size = 8 * LLAMA_70B.promoted_bytes(SinkGranularity.ALL_LAYERS)
    assert size == 2_621_440
    assert size / 96e6 == pytest.approx(0.0273, abs=1e-4)


@pytest.mark.mechanism("S2-20", "S7-11")
def test_sinks_save_the_bytes_of_any_eight_positions_whatever_mass_they_hold() -> None:
    best = ledger(LLAMA_70B, 32_000, frozenset(range(8)), mass=0.45)
    placebo = ledger(LLAMA_70B, 32_000, frozenset(range(9_000, 9_008)), mass=0.0001)
    assert best.saved_share == placebo.saved_share == pytest.approx(0.00025)
    with pytest.raises(ValueError, match="outside"):
        ledger(LLAMA_70B, 100, frozenset({100}), mass=0.0)


@pytest.mark.mechanism("S2-21")
def test_a_range_of_layers_or_one_head_is_promoted_with_its_part_of_the_bytes() -> None:
    assert LLAMA_70B.promoted_bytes(SinkGranularity.LAYER, 20) == 327_680 // 4
    assert LLAMA_70B.promoted_bytes(SinkGranularity.HEAD) == 2 * 128 * 2
    with pytest.raises(ValueError, match="80 parts"):
        LLAMA_70B.promoted_bytes(SinkGranularity.LAYER, 81)


@pytest.mark.mechanism("S2-06")
def test_a_position_is_a_sink_from_the_threshold_on_and_the_best_come_first() -> None:
    scores = np.array([0.3, 0.02, 0.0199, 0.5, 0.1])
    registers = Registers(threshold=0.02, pinned_from=0.3)
    assert [s.position for s in sinks(scores, registers, most=8)] == [3, 0, 4, 1]
    assert [s.position for s in sinks(scores, registers, most=2)] == [3, 0]


@pytest.mark.mechanism("S2-21", "S2-06")
def test_high_sinks_are_pinned_and_the_others_timed() -> None:
    found = sinks(
        np.array([0.97, 0.91, 0.14, 0.83]), Registers(threshold=0.5, pinned_from=0.9), most=8
    )
    assert [(s.position, s.stay) for s in found] == [
        (0, Stay.PINNED),
        (1, Stay.PINNED),
        (3, Stay.TIMED),
    ]


@pytest.mark.mechanism("S2-07")
def test_the_mass_of_positions_is_their_share_of_what_was_measured() -> None:
    assert mass_of(np.array([6.0, 1.0, 3.0]), [0, 2]) == pytest.approx(0.9)
    assert mass_of(np.zeros(3), [0]) == 0


@pytest.mark.mechanism("S2-22")
def test_sinks_with_a_window_and_heavy_hitters_keep_what_their_papers_say() -> None:
    assert sinks_and_window([0, 1], 10, 3) == {0, 1, 7, 8, 9}
    scores = np.array([5.0, 0.0, 9.0, 1.0, 7.0, 8.0])
    # The last two are recent; of the older four the highest two sums.
    assert heavy_hitters(scores, 2, 2) == {0, 2, 4, 5}
