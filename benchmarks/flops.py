"""Claim: FLOPs equal FlopCounterMode's wherever that counts; weight bytes equal the parameters'.

For each preset and phase: our count from shapes alone, the part of it that is grouped matmuls
(which FlopCounterMode takes for nothing), and what FlopCounterMode sees while the same module runs
on the meta device. Then the bytes of all weight storages beside those of the parameters. Prints a
Markdown table and exits 1 where a figure differs.

    python benchmarks/flops.py [PRESET ...]
"""

import argparse
import sys
import warnings

import torch
from torch.utils.flop_counter import FlopCounterMode

from mirc.frontend import CaptureOptions, huggingface
from mirc.frontend.program import capture_model
from mirc.graph import Role


def measure(preset: str) -> bool:
    """Print one row per phase; say whether every figure agrees."""
    model = huggingface.preset(preset)
    program = capture_model(model, CaptureOptions(), lambda _: None)
    weights = [one.size_bytes for one in program.storages if one.role is Role.PARAMETER]
    held = sum(one.numel() * one.element_size() for one in model.model.parameters())
    agrees: bool = sum(weights) == held
    for entry, graph in zip(model.entries(CaptureOptions()), program.graphs, strict=True):
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter:
            entry.module(*entry.args, **entry.kwargs)
        ours = sum(node.flops for node in graph.nodes)
        grouped = sum(node.flops for node in graph.nodes if "_grouped_mm" in node.op)
        theirs = counter.get_total_flops()
        agrees = agrees and ours - grouped == theirs
        print(
            f"| {preset} | {graph.phase} | {ours:,} | {grouped:,} | {theirs:,} "
            f"| {ours - grouped - theirs:,} | {sum(weights):,} | {sum(weights) - held:,} |",
            flush=True,
        )
    return agrees


def main() -> None:
    """Count the presets named, or all."""
    warnings.simplefilter("ignore")
    every = huggingface.preset_names()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", metavar="PRESET", default=every)
    asked = parser.parse_args()
    print(
        "| preset | phase | FLOPs | of these grouped_mm | FlopCounterMode | difference "
        "| weight bytes | difference |\n|---|---|--:|--:|--:|--:|--:|--:|"
    )
    holds = [measure(preset) for preset in asked.presets]
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
