"""A key into one line that writes it, for its explanation."""

from mirc.explain.kinds import example_of
from mirc.ir.fields import FieldSpec

# Where what the type gives would mislead, or show less than the key can.
_PICKED = {
    "dtype": '"bfloat16"',
    "mutability": "READ_ONLY",
    "backing": "[DRAM]",
    "layout": "PAGED(4, 64KiB)",
    "access": "[STAGE, NEAR(CPU)]",
    "instance": "[SEQUENCE, BLOCK]",
    "shard": "SPLIT(0, tp)",
    "security_domain": "support",
    "persistence_scope": "SESSION",
    "reuse": "EVERY(ITERATION) @ 0.9",
    "reuse_window": "HIGH @ 0.8",
    "retire": "SEQUENCE_END",
    "recompute_class": "CHEAP",
    "recompute_flops": "PER_TOKEN(4_194_304)",
    "sharing_scope": "SEQUENCE_GROUP(17, 18, 21)",
    "preferred_tiers": "[HBM]",
    "fallback_tiers": "[DRAM, NVME]",
    "residency": "[HBM(layers.0.mlp, layers.18.mlp), DRAM]",
    "anti_evict_from": "[HBM]",
    "spill_policy": "SEVERE_PRESSURE_ONLY",
    "pin_level": "WIRED",
    "sink_tokens": "[0, 1, 2, 3]",
    "precision_ladder": '["bfloat16", "float8_e4m3fn", "int4"]',
    "precision_floor": '"float8_e4m3fn"',
    "members": "[layers.0.mlp.weight, layers.0.attention.weight]",
    "holder": "gateway",
    "objects": "[prompt.layers.0]",
    "tiers": "[HBM, DRAM]",
    "until": "SEQUENCE_END",
    "directives": "[RANGE(0, 1_024, 80, 30s), RANGE(1_024, 4_096)]",
    "producer": '"by hand"',
    "model": '"llama-8b"',
    "model_digest": '"sha256:5f0c"',
    "schedule": "[prefill, REPEAT(128, decode_step)]",
    "mesh": "[AXIS(tp, 8), AXIS(pp, 4)]",
    "kind": "DECODE",
    "context": "4_096",
    "expected_us": "30s",
    "reads": "[layers.0.mlp.weight, ROUTED(layers.0.mlp.experts, 8)]",
    "writes": "[kv.layers.0]",
    "flops": "PER_TOKEN(117_440_512)",
    "transient_bytes": "PER_TOKEN(8KiB)",
    "collective": "ALL_REDUCE(tp, gradients)",
}


def line_of(spec: FieldSpec) -> str:
    """Return ``key = value`` with a value that the key takes."""
    return f"{spec.key} = {_PICKED.get(spec.key) or example_of(spec.type)}"
