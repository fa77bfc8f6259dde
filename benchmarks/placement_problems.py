"""Random placement problems: five tiers of a server, objects of the sizes of real weight tiles."""

import numpy as np

from mirc.bounds.placement import PlacementProblem

BYTES_PER_S = np.array([5.5e12, 3.35e12, 100e9, 55e9, 6.8e9])
"""What uses read SRAM, HBM, CXL, DRAM and NVMe at."""

LATENCY_S = np.array([0.15e-6, 0.5e-6, 2e-6, 7e-6, 105e-6])
MOVES_AT = 55e9
"""No move between phases is faster than a host link."""

ROOM = np.array([0.02, 0.2, 0.2, 0.4, 1.0])
"""Each tier's part of all bytes: together 1.82 times, but only 0.82 above NVMe."""


def problem(objects: int, phases: int, seed: int) -> PlacementProblem:
    """Draw one: sizes log-uniform from 1 to 128 MiB, uses log-normal, one in five phases idle."""
    draw = np.random.default_rng(seed)
    size = np.exp(draw.uniform(np.log(1 << 20), np.log(1 << 27), objects)).astype(np.int64)
    uses = np.exp(draw.normal(0, 1.0, (phases, objects)))
    uses *= draw.random((phases, objects)) < 0.8
    one = size[:, None] / BYTES_PER_S + LATENCY_S
    enter = size[:, None] / np.minimum(BYTES_PER_S, MOVES_AT) + LATENCY_S
    return PlacementProblem(
        size_bytes=size,
        room_bytes=(size.sum() * ROOM).astype(np.int64),
        access_ps=uses[:, :, None] * one * 1e12,
        enter_ps=enter * 1e12,
    )
