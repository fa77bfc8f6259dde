"""Small programs by hand, and one of the shape and size of a 70B decoder."""

from collections.abc import Sequence

from mirc.graph import Access, Graph, Node, Part, Program, Role, Split, Step, Storage, Use
from mirc.machine import Compute, Link, Machine, Memory, TierKind


class Builder:
    """Collects storages and nodes; one node a step unless told otherwise."""

    def __init__(self, name: str = "toy") -> None:
        self.name = name
        self.storages: list[Storage] = []
        self.graphs: list[Graph] = []
        self.nodes: list[Node] = []
        self.steps: list[Step] = []

    def store(
        self,
        name: str,
        size: int,
        role: Role = Role.PARAMETER,
        *,
        parts: Sequence[Part] = (),
        split: Split = Split.NONE,
        shape: tuple[int, ...] = (),
        per_token: int = 0,
        mutated: bool = False,
    ) -> int:
        index = len(self.storages)
        self.storages.append(
            Storage(
                index=index,
                name=name,
                role=role,
                size_bytes=size,
                dtype="bfloat16",
                shape=shape,
                module=name.rpartition(".")[0],
                split=split,
                parts=tuple(parts),
                per_token_bytes=per_token,
                mutated=mutated,
            )
        )
        return index

    def node(
        self,
        module: str,
        reads: Sequence[int | Use] = (),
        writes: Sequence[int | Use] = (),
        *,
        flops: int = 0,
        op: str = "aten.linear.default",
        random: bool = False,
        collective: bool = False,
        step: bool = True,
    ) -> None:
        """Add a node; with ``step`` False it joins the step before."""
        index = len(self.nodes)
        self.nodes.append(
            Node(
                index=index,
                name=f"op_{index}",
                op=op,
                module=module,
                reads=tuple(map(self._use, reads)),
                writes=tuple(map(self._use, writes)),
                flops=flops,
                random=random,
                collective=collective,
            )
        )
        if step:
            self.steps.append(Step(name=module, first=index, last=index))
        else:
            begun = self.steps[-1]
            self.steps[-1] = Step(name=begun.name, first=begun.first, last=index)

    def phase(
        self,
        phase: str,
        *,
        batch: int = 1,
        tokens: int = 1,
        past: int = 0,
        outputs: Sequence[int] = (),
    ) -> None:
        """End the phase: what was added since the last one is its graph."""
        self.graphs.append(
            Graph(
                phase=phase,
                nodes=tuple(self.nodes),
                steps=tuple(self.steps),
                outputs=frozenset(outputs),
                batch=batch,
                tokens=tokens,
                past=past,
            )
        )
        self.nodes, self.steps = [], []

    def program(self) -> Program:
        return Program(
            name=self.name,
            digest="sha256:0",
            storages=tuple(self.storages),
            graphs=tuple(self.graphs),
        )

    def _use(self, use: int | Use) -> Use:
        if isinstance(use, Use):
            return use
        return Use(storage=use, size_bytes=self.storages[use].size_bytes)


def routed(storage: int, size: int, top_k: int) -> Use:
    return Use(storage=storage, size_bytes=size, access=Access.ROUTED, top_k=top_k)


def rows(storage: int, size: int) -> Use:
    return Use(storage=storage, size_bytes=size, access=Access.TOUCH)


def tiled(rows_: int, columns: int, tile_bytes: int) -> tuple[Part, ...]:
    """Row tiles of a bfloat16 matrix, or nothing where one tile holds it."""
    size = rows_ * columns * 2
    if size <= tile_bytes:
        return ()
    each = max(1, tile_bytes // (columns * 2))
    starts = range(0, rows_, each)
    return tuple(
        Part(
            suffix=f"[{a}:{min(rows_, a + each)}]",
            size_bytes=(min(rows_, a + each) - a) * columns * 2,
        )
        for a in starts
    )


def decoder(
    layers: int = 80, hidden: int = 8192, inner: int = 28672, vocabulary: int = 128256
) -> Program:
    """A decoder of Llama's shape: one decode step with 512 tokens in its cache."""
    build = Builder("decoder")
    kv = 1024
    tile = 128 << 20

    def weight(name: str, out: int, into: int) -> int:
        parts = tiled(out, into, tile)
        split = Split.ROWS if parts else Split.NONE
        return build.store(name, out * into * 2, parts=parts, split=split, shape=(out, into))

    def made(name: str, width: int, role: Role = Role.ACTIVATION) -> int:
        return build.store(f"decode_step.{name}", width * 2, role, shape=(1, 1, width))

    embed = weight("model.embed_tokens.weight", vocabulary, hidden)
    token = build.store("decode_step.input_ids", 8, Role.INPUT, shape=(1, 1))
    stream = made("model.embed_tokens.op_0", hidden)
    build.node(
        "model.embed_tokens", [token, rows(embed, hidden * 2)], [stream], op="aten.embedding"
    )
    for layer in range(layers):
        at = f"model.layers.{layer}"
        cache = build.store(
            f"kv.layers.{layer}", 513 * 4 * kv, Role.CACHE, per_token=4 * kv, mutated=True
        )
        shapes = (("q", hidden, hidden), ("k", kv, hidden), ("v", kv, hidden))
        heads = []
        for name, out, into in shapes:
            module = f"{at}.self_attn.{name}_proj"
            head = made(f"{module}.op_0", out)
            build.node(
                module,
                [stream, weight(f"{module}.weight", out, into)],
                [head],
                flops=2 * out * into,
            )
            heads.append(head)
        mixed = made(f"{at}.self_attn.op_1", hidden)
        build.node(
            f"{at}.self_attn",
            [*heads, cache],
            [mixed, Use(storage=cache, size_bytes=4 * kv)],
            flops=4 * 513 * hidden,
            op="aten.scaled_dot_product_attention.default",
        )
        module = f"{at}.self_attn.o_proj"
        after = made(f"{module}.op_0", hidden)
        build.node(
            module,
            [mixed, stream, weight(f"{module}.weight", hidden, hidden)],
            [after],
            flops=2 * hidden * hidden,
        )
        gate = made(f"{at}.mlp.gate_proj.op_0", inner)
        up = made(f"{at}.mlp.up_proj.op_0", inner)
        for name, result in (("gate_proj", gate), ("up_proj", up)):
            module = f"{at}.mlp.{name}"
            build.node(
                module,
                [after, weight(f"{module}.weight", inner, hidden)],
                [result],
                flops=2 * inner * hidden,
            )
        module = f"{at}.mlp.down_proj"
        stream = made(f"{module}.op_0", hidden)
        build.node(
            module,
            [gate, up, after, weight(f"{module}.weight", hidden, inner)],
            [stream],
            flops=2 * inner * hidden,
        )
    logits = made("lm_head.op_0", vocabulary, Role.OUTPUT)
    build.node(
        "lm_head",
        [stream, weight("lm_head.weight", vocabulary, hidden)],
        [logits],
        flops=2 * vocabulary * hidden,
    )
    build.phase("decode_step", tokens=1, past=512, outputs=[logits])
    return build.program()


def machine(
    near_bytes: int,
    *,
    name: str = "toy",
    lower_bytes: int = 1 << 50,
    link_bytes_per_s: float = 1e9,
    near_bytes_per_s: float = 1e12,
    flops: float = 1e15,
    latency_ns: float = 0.0,
) -> Machine:
    """Near memory, DRAM below it, one link each way."""
    curve = ((1, link_bytes_per_s),)
    return Machine(
        name=name,
        summary="a toy",
        memories=(
            Memory(
                name="hbm",
                kind=TierKind.HBM,
                owner="gpu",
                capacity_bytes=near_bytes,
                read_bytes_per_s=near_bytes_per_s,
                write_bytes_per_s=near_bytes_per_s,
            ),
            Memory(
                name="dram",
                kind=TierKind.DRAM,
                owner="host",
                capacity_bytes=lower_bytes,
                read_bytes_per_s=1e11,
                write_bytes_per_s=1e11,
            ),
        ),
        links=(
            Link(name="in", source="dram", target="hbm", curve=curve, latency_ns=latency_ns),
            Link(name="out", source="hbm", target="dram", curve=curve, latency_ns=latency_ns),
        ),
        compute=Compute(
            owner="gpu",
            memory="hbm",
            peak_flops={"bfloat16": flops},
            efficiency={"matmul": 1.0, "attention": 1.0, "other": 1.0},
        ),
    )
