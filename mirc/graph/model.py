"""The dependency graph of one captured program: storages, nodes that read and write them, steps."""

from enum import StrEnum

import attrs


class Role(StrEnum):
    """What a storage is to the program."""

    PARAMETER = "parameter"
    """A weight: never written by inference."""
    BUFFER = "buffer"
    """Registered state that is not a parameter (a rotary table, running statistics)."""
    CONSTANT = "constant"
    """A tensor lifted out of the code."""
    INPUT = "input"
    """Given by the caller at each run."""
    CACHE = "cache"
    """A key/value (or latent) cache of one layer, that grows with its tokens."""
    STATE = "state"
    """Recurrent state of fixed size."""
    ACTIVATION = "activation"
    """Made and used inside one run."""
    OUTPUT = "output"
    """Made inside one run and handed to the caller."""
    SAVED = "saved"
    """Made by one phase of an iteration for a later one: what backward needs of forward."""
    GRADIENT = "gradient"
    """The derivative of a parameter."""
    OPTIMIZER = "optimizer"
    """State that only the update uses."""
    CHECKPOINT = "checkpoint"
    """A copy of lasting state that is written out to be kept."""


class Scale(StrEnum):
    """How an amount grows, as far as captures at two sizes show."""

    UNKNOWN = "unknown"
    """Captured at one size only."""
    FIXED = "fixed"
    """The same at both, or of inputs that have only the sizes that they were captured at."""
    PER_SEQUENCE = "per_sequence"
    """With the batch, at the captured tokens: it may grow with their square as well."""
    PER_TOKEN = "per_token"  # noqa: S105 - no password
    OTHER = "other"
    """In another way: with the tokens alone, say (a table of positions that sequences share)."""
    DATA = "data"
    """With what the data are (how many rows a mask selects): known only as the model runs."""


class Split(StrEnum):
    """How one storage becomes several objects."""

    NONE = "none"
    ROWS = "rows"
    """Row tiles ``P[0:1024]``: every whole read touches all of them."""
    EXPERTS = "experts"
    """Expert slices ``P[17]``: a routed read touches those that were chosen."""


class Access(StrEnum):
    """How much of a storage one use touches."""

    WHOLE = "whole"
    TOUCH = "touch"
    """Only ``size_bytes`` of it (the rows that an embedding gathers)."""
    ROUTED = "routed"
    """``top_k`` of its slices per token."""


@attrs.frozen(slots=True)
class Part:
    """A piece of a storage: ``suffix`` follows the storage's name (``[17]``, ``[0:1024]``)."""

    suffix: str
    size_bytes: int


@attrs.frozen(slots=True, kw_only=True)
class Storage:
    """Memory that exists once, however many names and views it has.

    ``name`` is final: a parameter's path, or ``phase.module.path.op_k`` for what a run makes.
    ``size_bytes`` counts the whole storage; for a CACHE it is ``per_token_bytes`` (of one sequence)
    times the batch and the largest captured context. A cache whose ``per_token_bytes`` is 0 does
    not grow: it is written once per sequence (cross attention). ``window_tokens`` is how many of
    the last tokens a sliding window keeps (0: all of them). ``scale`` says how ``size_bytes`` of
    what a run makes grows. ``module`` is the path of the module that owns or makes it.
    """

    index: int
    name: str
    role: Role
    size_bytes: int
    dtype: str
    shape: tuple[int, ...]
    module: str = ""
    split: Split = Split.NONE
    parts: tuple[Part, ...] = ()
    per_token_bytes: int = 0
    window_tokens: int = 0
    scale: Scale = Scale.UNKNOWN
    mutated: bool = False


@attrs.frozen(slots=True, kw_only=True)
class Use:
    """One node's touch of one storage; ``size_bytes`` is what moves between it and the core."""

    storage: int
    size_bytes: int
    access: Access = Access.WHOLE
    top_k: int = 0


@attrs.frozen(slots=True, kw_only=True)
class Node:
    """One operation that does work; views, asserts and no-ops are folded away.

    ``op`` is torch's own name (``aten.linear.default``), ``module`` the path of the leaf module
    that ran it, ``flops`` counts multiply and add as two and grows by ``flops_scale``.
    """

    index: int
    name: str
    op: str
    module: str
    reads: tuple[Use, ...] = ()
    writes: tuple[Use, ...] = ()
    flops: int = 0
    flops_scale: Scale = Scale.UNKNOWN
    random: bool = False
    collective: bool = False


@attrs.frozen(slots=True, kw_only=True)
class Step:
    """A leaf module's run of nodes, ``first`` to ``last`` inclusive."""

    name: str
    first: int
    last: int


@attrs.frozen(kw_only=True)
class Graph:
    """One phase: nodes in execution order, steps that partition them.

    ``tokens`` are the new tokens of one run of the phase for each of ``batch`` sequences,
    ``past`` those already in the cache.
    """

    phase: str
    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]
    outputs: frozenset[int] = frozenset()
    batch: int = 1
    tokens: int = 1
    past: int = 0


class Level(StrEnum):
    """How a phase was captured, best first."""

    EXPORT = "export"
    SYMBOLIC_TRACE = "symbolic_trace"
    MAKE_FX = "make_fx"
    MODULE_TREE = "module_tree"


@attrs.frozen(slots=True, kw_only=True)
class Capture:
    """How one phase came to be known: the level reached, and why no better one.

    ``fx_nodes`` are those of the whole graph, also where ``note`` says that it was folded: that
    repeated blocks were captured a few times and copied, or why they were not.
    """

    phase: str
    level: Level
    reason: str = ""
    fx_nodes: int = 0
    note: str = ""


@attrs.frozen(kw_only=True)
class Program:
    """A whole model: storages shared by all graphs (``Storage.index`` is the position here)."""

    name: str
    digest: str
    storages: tuple[Storage, ...]
    graphs: tuple[Graph, ...]
    captures: tuple[Capture, ...] = ()
