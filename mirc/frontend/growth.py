"""Two captures of one model at different sizes into how each of its amounts grows."""

import attrs

from mirc.graph.model import Graph, Node, Program, Role, Scale, Storage

MADE = (Role.ACTIVATION, Role.OUTPUT, Role.INPUT, Role.SAVED)


def alike(one: Program, other: Program) -> bool:
    """Say whether two programs are the same but for sizes: names, operations, who reads what."""
    if len(one.storages) != len(other.storages):
        return False
    return all(map(_same_storage, one.storages, other.storages)) and all(
        len(here.nodes) == len(there.nodes)
        and (here.steps, here.outputs) == (there.steps, there.outputs)
        and all(map(_same_node, here.nodes, there.nodes))
        for here, there in zip(one.graphs, other.graphs, strict=True)
    )


def scaled(program: Program, other: Program) -> Program:
    """Give ``program`` with the scales that ``other``, the same one at other sizes, shows.

    An amount that is the same in both is FIXED; one that follows the tokens of all sequences is
    PER_TOKEN. One that follows the sequences is PER_SEQUENCE, as is one that grows with them and
    with the square of the tokens (attention scores): both hold at any batch and the captured
    tokens. Where only the batch differs (a decode step has one token), what has one row a token
    is PER_TOKEN. Anything else is OTHER; what the data decide stays DATA. Both must be
    :func:`alike`. O(storages + nodes).
    """
    pairs = list(zip(program.graphs, other.graphs, strict=True))
    homes: dict[int, tuple[Graph, Graph]] = {}
    for pair in pairs:
        for node in pair[0].nodes:
            for use in (*node.reads, *node.writes):
                homes.setdefault(use.storage, pair)
    storages = tuple(
        attrs.evolve(here, scale=_storage_scale(here, there, homes[here.index]))
        if here.role in MADE and here.index in homes and here.scale is not Scale.DATA
        else here
        for here, there in zip(program.storages, other.storages, strict=True)
    )
    graphs = tuple(
        attrs.evolve(
            pair[0],
            nodes=tuple(
                here
                if here.flops_scale is Scale.DATA
                else attrs.evolve(here, flops_scale=_scale(here.flops, there.flops, pair))
                for here, there in zip(pair[0].nodes, pair[1].nodes, strict=True)
            ),
        )
        for pair in pairs
    )
    return attrs.evolve(program, storages=storages, graphs=graphs)


def _same_storage(one: Storage, other: Storage) -> bool:
    return (one.name, one.role, one.dtype, one.module, one.mutated, len(one.shape)) == (
        other.name,
        other.role,
        other.dtype,
        other.module,
        other.mutated,
        len(other.shape),
    )


def _same_node(one: Node, other: Node) -> bool:
    return (one.name, one.op, one.module, one.random, _touches(one)) == (
        other.name,
        other.op,
        other.module,
        other.random,
        _touches(other),
    )


def _touches(node: Node) -> list[tuple[object, ...]]:
    uses = (*node.reads, *node.writes)
    return [(len(node.reads), use.storage, use.top_k) for use in uses]


def _storage_scale(here: Storage, there: Storage, pair: tuple[Graph, Graph]) -> Scale:
    scale = _scale(here.size_bytes, there.size_bytes, pair)
    rows = all(map(_by_token, (here, there), pair))
    same_tokens = pair[0].tokens == pair[1].tokens
    return Scale.PER_TOKEN if scale is Scale.PER_SEQUENCE and same_tokens and rows else scale


def _by_token(storage: Storage, graph: Graph) -> bool:
    """Say whether a storage's shape begins with one row a token."""
    shape, rows = storage.shape, graph.batch * graph.tokens
    return shape[:2] == (graph.batch, graph.tokens) or shape[:1] == (rows,)


def _scale(here: int, there: int, pair: tuple[Graph, Graph]) -> Scale:
    """Tell how an amount grew between two graphs of different batch and, maybe, tokens."""
    one, other = pair
    if here == there:
        return Scale.FIXED
    tokens = (one.tokens, other.tokens)
    if there * one.batch == here * other.batch:
        return Scale.PER_SEQUENCE
    if there * one.batch * tokens[0] == here * other.batch * tokens[1]:
        return Scale.PER_TOKEN
    if there * one.batch * tokens[0] ** 2 == here * other.batch * tokens[1] ** 2:
        return Scale.PER_SEQUENCE
    return Scale.OTHER
