"""What a class implies: the value of each field when an object of that class does not write it."""

from mirc.ir.enums import ObjectClass
from mirc.ir.values import Name, Value

_DRAM = (Name("DRAM"),)
_BELOW_DRAM = (Name("CXL"), Name("NVME"))

_WORDS: dict[ObjectClass, dict[str, str]] = {
    ObjectClass.WEIGHT_TILE: {
        "mutability": "READ_ONLY",
        "write_policy": "NO_WRITE",
        "persistence_scope": "SESSION",
        "reuse": "HIGH",
        "reuse_window": "HIGH",
        "recompute_class": "IMPOSSIBLE",
        "spill_policy": "SEVERE_PRESSURE_ONLY",
        "deadline_class": "HARD",
    },
    ObjectClass.EXPERT_WEIGHT: {
        "mutability": "READ_ONLY",
        "write_policy": "NO_WRITE",
        "persistence_scope": "SESSION",
        "reuse": "MEDIUM",
        "reuse_window": "MEDIUM",
        "recompute_class": "IMPOSSIBLE",
        "spill_policy": "ALLOW",
        "deadline_class": "HARD",
    },
    ObjectClass.KV_BLOCK: {
        "mutability": "APPEND",
        "persistence_scope": "TOKEN_PROGRESS",
        "reuse": "HIGH",
        "reuse_window": "HIGH",
        "retire": "SEQUENCE_END",
        "recompute_class": "EXPENSIVE",
        "spill_policy": "SEVERE_PRESSURE_ONLY",
        "deadline_class": "HARD",
    },
    ObjectClass.ACTIVATION: {
        "mutability": "WRITE_ONCE",
        "persistence_scope": "PHASE",
        "reuse": "MEDIUM",
        "reuse_window": "MEDIUM",
        "retire": "LAST_USE",
        "recompute_class": "MODERATE",
        "spill_policy": "ALLOW",
        "deadline_class": "SOFT",
    },
    ObjectClass.ACTIVATION_TEMP: {
        "mutability": "WRITE_ONCE",
        "persistence_scope": "STEP",
        "reuse": "LOW",
        "reuse_window": "HIGH",
        "retire": "LAST_USE",
        "recompute_class": "CHEAP",
        "spill_policy": "ALLOW",
        "deadline_class": "SOFT",
    },
    ObjectClass.GRADIENT_SHARD: {
        "mutability": "MUTABLE",
        "persistence_scope": "UPDATE_WINDOW",
        "reuse": "LOW",
        "reuse_window": "LOW",
        "retire": "UPDATE_COMPLETE",
        "recompute_class": "EXPENSIVE",
        "spill_policy": "ALLOW",
        "deadline_class": "SOFT",
    },
    ObjectClass.OPTIMIZER_STATE: {
        "mutability": "MUTABLE",
        "persistence_scope": "SESSION",
        "reuse": "LOW",
        "reuse_window": "LOW",
        "recompute_class": "IMPOSSIBLE",
        "spill_policy": "ALLOW",
        "deadline_class": "SOFT",
    },
    ObjectClass.CHECKPOINT_FRAGMENT: {
        "mutability": "WRITE_ONCE",
        "write_policy": "WRITE_THROUGH",
        "persistence_scope": "PERSISTENT",
        "reuse": "NONE",
        "reuse_window": "NONE",
        "recompute_class": "IMPOSSIBLE",
        "spill_policy": "ALLOW",
        "deadline_class": "NONE",
    },
    ObjectClass.METADATA_PAGE: {
        "mutability": "MUTABLE",
        "persistence_scope": "SESSION",
        "reuse": "HIGH",
        "reuse_window": "HIGH",
        "recompute_class": "IMPOSSIBLE",
        "spill_policy": "SEVERE_PRESSURE_ONLY",
        "deadline_class": "HARD",
    },
    ObjectClass.RECURRENT_STATE: {
        "mutability": "MUTABLE",
        "persistence_scope": "TOKEN_PROGRESS",
        "reuse": "HIGH",
        "reuse_window": "HIGH",
        "retire": "SEQUENCE_END",
        "recompute_class": "EXPENSIVE",
        "spill_policy": "SEVERE_PRESSURE_ONLY",
        "deadline_class": "HARD",
    },
    ObjectClass.INPUT: {
        "mutability": "READ_ONLY",
        "write_policy": "NO_WRITE",
        "persistence_scope": "PHASE",
        "reuse": "LOW",
        "reuse_window": "LOW",
        "retire": "LAST_USE",
        "recompute_class": "IMPOSSIBLE",
        "spill_policy": "ALLOW",
        "deadline_class": "HARD",
    },
    ObjectClass.CONSTANT: {
        "mutability": "READ_ONLY",
        "write_policy": "NO_WRITE",
        "persistence_scope": "SESSION",
        "reuse": "HIGH",
        "reuse_window": "HIGH",
        "recompute_class": "CHEAP",
        "spill_policy": "ALLOW",
        "deadline_class": "SOFT",
    },
}

_OTHERS: dict[ObjectClass, dict[str, Value]] = {
    ObjectClass.WEIGHT_TILE: {
        "backing": _DRAM,
        "replication_allowed": True,
        "multicast_eligible": True,
    },
    ObjectClass.EXPERT_WEIGHT: {
        "backing": _DRAM,
        "replication_allowed": True,
        "multicast_eligible": True,
    },
    ObjectClass.OPTIMIZER_STATE: {"preferred_tiers": _DRAM, "fallback_tiers": _BELOW_DRAM},
    ObjectClass.CHECKPOINT_FRAGMENT: {
        "preferred_tiers": (Name("NVME"),),
        "fallback_tiers": (Name("CXL"), Name("DRAM")),
        "backing": (Name("NVME"),),
    },
    ObjectClass.INPUT: {"backing": _DRAM},
    ObjectClass.CONSTANT: {"backing": _DRAM, "replication_allowed": True},
}

CLASS_DEFAULTS: dict[ObjectClass, dict[str, Value]] = {
    klass: {**{key: Name(word) for key, word in words.items()}, **_OTHERS.get(klass, {})}
    for klass, words in _WORDS.items()
}
"""By class, then key. A field absent here falls back to its own default in the table."""
