"""Words that say what runs: phases, steps, signals, instances."""

from enum import StrEnum


class PhaseScope(StrEnum):
    """Who is in a phase at the same time."""

    SEQUENCE = "SEQUENCE"
    """Each sequence on its own."""
    BATCH = "BATCH"
    """All sequences of a batch."""
    GLOBAL = "GLOBAL"
    """The whole machine."""


class PhaseKind(StrEnum):
    """What a phase is in the life of a model."""

    PREFILL = "PREFILL"
    """The prompt, all tokens at once."""
    DECODE = "DECODE"
    """One token a sequence."""
    FORWARD = "FORWARD"
    """One forward pass without a cache."""
    BACKWARD = "BACKWARD"
    """The gradients."""
    EXPERT_DISPATCH = "EXPERT_DISPATCH"
    """Routing tokens to experts."""
    ALLREDUCE_WINDOW = "ALLREDUCE_WINDOW"
    """While a collective is under way."""
    OPTIMIZER_UPDATE = "OPTIMIZER_UPDATE"
    """Applying the gradients."""
    CHECKPOINT = "CHECKPOINT"
    """Saving the model."""
    RETRIEVAL = "RETRIEVAL"
    """Fetching documents or cached prefixes."""


class WorkKind(StrEnum):
    """What a step's arithmetic is; picks the machine's efficiency."""

    MATMUL = "MATMUL"
    """Dense products."""
    ATTENTION = "ATTENTION"
    """Scaled dot-product attention."""
    OTHER = "OTHER"
    """Elementwise and reductions."""


class SignalKind(StrEnum):
    """Events of the run that ``on`` may name."""

    TOOL_WAIT = "tool_wait"
    """A sequence waits for a tool."""
    RESUME = "resume"
    """It goes on."""
    FORK = "fork"
    """A sequence is copied, its prefix shared."""
    COMPACT = "compact"
    """A context is about to be replaced by a shorter one."""
    SUPERSEDED = "superseded"
    """Other data takes an object's place."""
    SEQUENCE_BEGIN = "sequence_begin"
    """A sequence enters."""
    SEQUENCE_END = "sequence_end"
    """A sequence is finished."""
    ALLREDUCE_COMPLETE = "allreduce_complete"
    """A collective has finished."""
    UPDATE_COMPLETE = "update_complete"
    """An optimizer update has finished."""
    CHECKPOINT_COMPLETE = "checkpoint_complete"
    """A checkpoint has been written."""
    DRAFT_ACCEPTED = "draft_accepted"
    """Speculated tokens became real."""
    DRAFT_REJECTED = "draft_rejected"
    """Speculated tokens are void."""
    MEMORY_PRESSURE = "memory_pressure"
    """A tier is nearly full."""


class CollectiveKind(StrEnum):
    """Operations among the accelerators of a mesh axis."""

    ALL_REDUCE = "ALL_REDUCE"
    """Sum, everyone gets it."""
    ALL_GATHER = "ALL_GATHER"
    """Everyone gets all shards."""
    REDUCE_SCATTER = "REDUCE_SCATTER"
    """Sum, everyone keeps a shard."""
    ALL_TO_ALL = "ALL_TO_ALL"
    """Everyone sends everyone a part."""
    BROADCAST = "BROADCAST"
    """One sends to all."""
    SEND_RECV = "SEND_RECV"
    """One sends to one."""


class Processor(StrEnum):
    """Who computes."""

    GPU = "GPU"
    """The accelerator."""
    CPU = "CPU"
    """The host."""
    PIM = "PIM"
    """Logic in the memory itself."""


class AccessMode(StrEnum):
    """Where an object's bytes can be consumed."""

    STAGE = "STAGE"
    """After a copy to near memory."""
    IN_PLACE = "IN_PLACE"
    """Where they lie, over the link."""
    NEAR = "NEAR"
    """By a processor beside them: ``NEAR(CPU)``."""


class ReuseUnit(StrEnum):
    """What ``EVERY(...)`` counts."""

    STEP = "STEP"
    """Every step of its phase."""
    LAYER = "LAYER"
    """Every layer of its phase."""
    ITERATION = "ITERATION"
    """Every run of its phase."""
    TOKEN = "TOKEN"
    """Every token of its sequence."""
    SEQUENCE = "SEQUENCE"
    """Every sequence."""
    UPDATE = "UPDATE"
    """Every optimizer update."""


class InstanceAxis(StrEnum):
    """What a template is instantiated by."""

    SEQUENCE = "SEQUENCE"
    """One for each sequence."""
    BLOCK = "BLOCK"
    """One for each ``block_tokens`` tokens of the sequence."""
    BATCH = "BATCH"
    """One for each run of the phase."""
    REPLICA = "REPLICA"
    """One for each accelerator of the mesh."""
