"""Words that say what data is, how it lives and where."""

from enum import StrEnum


class ObjectClass(StrEnum):
    """What an object is; implies its reuse pattern and the cost of losing it."""

    WEIGHT_TILE = "WEIGHT_TILE"
    """A parameter, or a tile of one: read-only, reused every iteration."""
    EXPERT_WEIGHT = "EXPERT_WEIGHT"
    """One expert's parameters: read only when the router chooses it."""
    KV_BLOCK = "KV_BLOCK"
    """Keys and values of some tokens in one layer: grows, shared by prefix."""
    ACTIVATION = "ACTIVATION"
    """A result that outlives the step that made it."""
    ACTIVATION_TEMP = "ACTIVATION_TEMP"
    """A result used by the next steps only, cheap to make again."""
    GRADIENT_SHARD = "GRADIENT_SHARD"
    """The derivative of a parameter, until it has been reduced and applied."""
    OPTIMIZER_STATE = "OPTIMIZER_STATE"
    """Moments and master weights: long-lived, used only by the update."""
    CHECKPOINT_FRAGMENT = "CHECKPOINT_FRAGMENT"
    """A piece of a saved model: written once, rarely read."""
    METADATA_PAGE = "METADATA_PAGE"
    """Page tables and indices: small, and everything waits for them."""
    RECURRENT_STATE = "RECURRENT_STATE"
    """State of fixed size that each token replaces."""
    INPUT = "INPUT"
    """Given by the caller at each run."""
    CONSTANT = "CONSTANT"
    """A tensor that belongs to the code: tables, masks."""


class TierKind(StrEnum):
    """Kinds of memory, nearest to compute first."""

    SRAM = "SRAM"
    """On-chip memory."""
    HBM = "HBM"
    """Memory in the accelerator's package."""
    PEER = "PEER"
    """Another accelerator's memory."""
    DRAM = "DRAM"
    """The host's memory."""
    CXL = "CXL"
    """Pooled memory behind a CXL link."""
    NVME = "NVME"
    """Solid-state storage."""


class Level(StrEnum):
    """A coarse estimate; ``mirc.ir.levels`` says which event each one stands for."""

    HIGH = "HIGH"
    """More likely than not, soon."""
    MEDIUM = "MEDIUM"
    """It happens, but need not be waited for."""
    LOW = "LOW"
    """Rare."""
    NONE = "NONE"
    """Never."""


class PersistenceScope(StrEnum):
    """What ends an object's life, shortest first."""

    STEP = "STEP"
    """The step that made it, or the last step that reads it in the same iteration."""
    LAYER = "LAYER"
    """The layer in which it was made."""
    PHASE = "PHASE"
    """The phase in which it was made."""
    TOKEN_PROGRESS = "TOKEN_PROGRESS"
    """Its sequence: it lives as long as tokens are appended."""
    UPDATE_WINDOW = "UPDATE_WINDOW"
    """The next optimizer update."""
    SESSION = "SESSION"
    """The time a model is loaded."""
    PERSISTENT = "PERSISTENT"
    """Nothing: it outlives the process."""


class Mutability(StrEnum):
    """Who may write an object's bytes, and how often."""

    READ_ONLY = "READ_ONLY"
    """Nobody: the master copy stays below, so that dropping a copy costs nothing."""
    WRITE_ONCE = "WRITE_ONCE"
    """The step that makes it."""
    APPEND = "APPEND"
    """It grows; what has been written stays."""
    MUTABLE = "MUTABLE"
    """Any step that names it in ``writes``."""


class WritePolicy(StrEnum):
    """When a written copy reaches the tier that backs it."""

    WRITE_BACK = "WRITE_BACK"
    """When the copy is evicted."""
    WRITE_THROUGH = "WRITE_THROUGH"
    """At every write."""
    NO_WRITE = "NO_WRITE"
    """Never: it is read-only, or made again when needed."""


class Inclusion(StrEnum):
    """Whether the lower tier keeps its copy while a nearer one exists."""

    INCLUSIVE = "INCLUSIVE"
    """Both copies stay."""
    EXCLUSIVE = "EXCLUSIVE"
    """Promotion moves: the lower copy is given up."""


class Recompute(StrEnum):
    """What it costs to make the bytes again instead of fetching them, cheapest first."""

    FREE = "FREE"
    """Less than reading them (a fill, a view)."""
    CHEAP = "CHEAP"
    """Less than fetching them from the next tier."""
    MODERATE = "MODERATE"
    """About as much as fetching them."""
    EXPENSIVE = "EXPENSIVE"
    """More than fetching them."""
    IMPOSSIBLE = "IMPOSSIBLE"
    """They cannot be made again: weights, inputs, random draws."""


class SharingScope(StrEnum):
    """Who may read the same bytes, narrowest first."""

    SEQUENCE = "SEQUENCE"
    """One sequence."""
    SEQUENCE_GROUP = "SEQUENCE_GROUP"
    """The sequences named in ``SEQUENCE_GROUP(17, 18)``."""
    PREFIX = "PREFIX"
    """All sequences that begin with the same tokens."""
    TENANT = "TENANT"
    """All sequences of one tenant."""
    GLOBAL = "GLOBAL"
    """Everyone in the security domain."""


class Retirement(StrEnum):
    """After what an object must not be used again."""

    NEVER = "NEVER"
    """Nothing."""
    LAST_USE = "LAST_USE"
    """The last step that reads it."""
    SEQUENCE_END = "SEQUENCE_END"
    """The end of its sequence."""
    SUPERSEDED = "SUPERSEDED"
    """The arrival of what replaces it."""
    ALLREDUCE_COMPLETE = "ALLREDUCE_COMPLETE"
    """The collective that consumes it."""
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    """The optimizer update that consumes it."""


class DType(StrEnum):
    """Element types, widest first; ``bits_of`` gives their widths."""

    FLOAT64 = "float64"
    """64-bit float."""
    COMPLEX64 = "complex64"
    """Two 32-bit floats."""
    INT64 = "int64"
    """64-bit integer."""
    FLOAT32 = "float32"
    """32-bit float."""
    INT32 = "int32"
    """32-bit integer."""
    UINT32 = "uint32"
    """32-bit unsigned integer."""
    BFLOAT16 = "bfloat16"
    """16-bit float with the range of float32."""
    FLOAT16 = "float16"
    """16-bit float."""
    INT16 = "int16"
    """16-bit integer."""
    FLOAT8_E4M3FN = "float8_e4m3fn"
    """8-bit float, 4 exponent bits."""
    FLOAT8_E5M2 = "float8_e5m2"
    """8-bit float, 5 exponent bits."""
    INT8 = "int8"
    """8-bit integer."""
    UINT8 = "uint8"
    """8-bit unsigned integer."""
    BOOL = "bool"
    """One byte, true or false."""
    FLOAT4_E2M1 = "float4_e2m1"
    """4-bit float, two to a byte."""
    INT4 = "int4"
    """4-bit integer, two to a byte."""
    UINT4 = "uint4"
    """4-bit unsigned integer, two to a byte."""


_BITS = {
    DType.FLOAT64: 64,
    DType.COMPLEX64: 64,
    DType.INT64: 64,
    DType.FLOAT32: 32,
    DType.INT32: 32,
    DType.UINT32: 32,
    DType.BFLOAT16: 16,
    DType.FLOAT16: 16,
    DType.INT16: 16,
    DType.FLOAT4_E2M1: 4,
    DType.INT4: 4,
    DType.UINT4: 4,
}


def bits_of(dtype: DType) -> int:
    """Return the width of one element in bits."""
    return _BITS.get(dtype, 8)
