import pytest

from mirc.graph import Access, Graph, Program, Role, Split, Storage, Use
from tests.frontend import tiny


def uses(graph: Graph, storage: Storage) -> tuple[list[Use], list[Use]]:
    reads = [use for node in graph.nodes for use in node.reads if use.storage == storage.index]
    writes = [use for node in graph.nodes for use in node.writes if use.storage == storage.index]
    return reads, writes


def caches(program: Program) -> list[Storage]:
    return [one for one in program.storages if one.role is Role.CACHE]


@pytest.mark.parametrize(
    ("name", "per_token", "element"),
    [
        ("llama3-8b", 2 * 8 * 128 * 2, "bfloat16"),  # keys and values, 8 heads of 128
        ("gpt2", 2 * 12 * 64 * 4, "float32"),
        ("deepseek-v3", (512 + 64) * 2, "bfloat16"),  # the latent and its rotary part: no heads
    ],
)
def test_a_layers_cache_is_one_growing_storage(name: str, per_token: int, element: str) -> None:
    program = tiny.program(name)
    found = caches(program)
    assert [one.name for one in found] == ["kv.layers.0", "kv.layers.1"]
    for one in found:
        assert (one.per_token_bytes, one.dtype) == (per_token, element)
        assert one.size_bytes == 513 * per_token  # 512 of prefill and the step's own token


@pytest.mark.parametrize("name", ["llama3-8b", "gpt2", "deepseek-v3"])
def test_prefill_writes_the_cache_and_decode_adds_one_token_and_reads_it_all(name: str) -> None:
    program = tiny.program(name)
    for cache in caches(program):
        per_token = cache.per_token_bytes
        _, written = uses(tiny.phase(program, "prefill"), cache)
        assert sum(use.size_bytes for use in written) == 512 * per_token
        reads, written = uses(tiny.phase(program, "decode_step"), cache)
        assert sum(use.size_bytes for use in written) == per_token
        assert sum(use.size_bytes for use in reads) == 513 * per_token


def test_whisper_has_a_growing_cache_and_one_written_once() -> None:
    program = tiny.program("whisper-large")
    own = tiny.storage(program, "kv.decoder.layers.1")
    cross = tiny.storage(program, "kv.cross.layers.1")
    assert own.per_token_bytes == 2 * 1280 * 4
    assert own.size_bytes == 129 * own.per_token_bytes  # a prompt of 128 and one step
    assert cross.per_token_bytes == 0
    assert cross.size_bytes == 1500 * 2 * 1280 * 4
    reads, written = uses(tiny.phase(program, "decode_step"), cross)
    assert written == []
    assert sum(use.size_bytes for use in reads) == cross.size_bytes
    _, written = uses(tiny.phase(program, "prefill"), cross)
    assert sum(use.size_bytes for use in written) == cross.size_bytes
    assert len(caches(program)) == 4


def test_a_tied_weight_is_one_storage_under_its_first_name() -> None:
    program = tiny.program("gpt2")
    names = [one.name for one in program.storages if one.role is Role.PARAMETER]
    assert "transformer.wte.weight" in names
    assert "lm_head.weight" not in names
    table = tiny.storage(program, "transformer.wte.weight")
    reads, _ = uses(tiny.phase(program, "decode_step"), table)
    # the embedding gathers one row of 768 floats, the head reads everything
    assert [(use.access, use.size_bytes) for use in reads] == [
        (Access.TOUCH, 768 * 4),
        (Access.WHOLE, 50257 * 768 * 4),
    ]


def test_an_embedding_touches_the_rows_that_it_gathers() -> None:
    program = tiny.program("llama3-8b")
    table = tiny.storage(program, "model.embed_tokens.weight")
    (read,), _ = uses(tiny.phase(program, "prefill"), table)
    assert (read.access, read.size_bytes) == (Access.TOUCH, 512 * 4096 * 2)


def test_a_large_weight_is_cut_into_row_tiles_that_cover_it() -> None:
    head = tiny.storage(tiny.program("llama3-8b"), "lm_head.weight")
    assert head.split is Split.ROWS
    # 64 MiB tiles of rows of 8 KiB: 8192 rows each, 128256 rows are 15 of them and 5376 more
    assert len(head.parts) == 16
    assert head.parts[0].suffix == "[0:8192]"
    assert head.parts[-1].suffix == "[122880:128256]"
    assert sum(part.size_bytes for part in head.parts) == head.size_bytes == 128256 * 4096 * 2
    small = tiny.storage(tiny.program("llama3-8b"), "model.layers.0.self_attn.k_proj.weight")
    assert (small.split, small.parts) == (Split.NONE, ())


def test_views_own_no_bytes_and_noise_is_dropped() -> None:
    program = tiny.program("llama3-8b")
    ops = {node.op for graph in program.graphs for node in graph.nodes}
    folded = {"view", "transpose", "unsqueeze", "expand", "slice", "detach_", "alias"}
    assert not {op for op in ops if op.split(".")[1] in folded}
    assert not {op for op in ops if "_assert" in op}
    # rotary cat(x, x) is work; the cache's appends are work; cat(empty, past) is not
    decode = tiny.phase(program, "decode_step")
    joined = [node for node in decode.nodes if node.op == "aten.cat.default"]
    assert len(joined) == 1 + 2 * (2 + 2)  # angles, then per layer q and k halves, k and v appends


def test_a_copy_that_cannot_be_a_view_owns_its_bytes() -> None:
    # GQA repeats 8 key heads to 32 before attention: expand is a view, the reshape after it copies
    program = tiny.program("llama3-8b")
    decode = tiny.phase(program, "decode_step")
    copies = [node for node in decode.nodes if node.op == "aten.reshape.default"]
    assert len(copies) == 2 * 2
    for node in copies:
        assert node.reads[0].size_bytes == 513 * 8 * 128 * 2  # a stride of 0 counts once
        assert node.writes[0].size_bytes == 4 * node.reads[0].size_bytes


def test_activations_are_named_by_phase_and_module() -> None:
    program = tiny.program("llama3-8b")
    made = [one for one in program.storages if one.role is Role.ACTIVATION]
    names = {one.name for one in made}
    assert "decode_step.model.layers.1.mlp.gate_proj.op_0" in names
    assert "prefill.model.layers.0.input_layernorm.op_3" in names
    assert all(one.name.startswith((f"prefill.{one.module}", "decode_step.")) for one in made)


def test_logits_are_the_output_and_the_cache_is_not_counted_twice() -> None:
    program = tiny.program("llama3-8b")
    outputs = [one for one in program.storages if one.role is Role.OUTPUT]
    assert [one.name for one in outputs] == ["prefill.lm_head.op_0", "decode_step.lm_head.op_0"]
    assert [one.size_bytes for one in outputs] == [512 * 128256 * 2, 128256 * 2]
    assert all(
        graph.outputs == {one.index} for graph, one in zip(program.graphs, outputs, strict=True)
    )


def test_nothing_random_happens_in_inference() -> None:
    for name in ("gpt2", "bert-base", "llama3-8b"):
        graphs = tiny.program(name).graphs
        assert not [node for graph in graphs for node in graph.nodes if node.random]
