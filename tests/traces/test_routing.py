"""Routing traces in three formats, right and wrong: what strangers may send."""

import base64
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirc.diagnostics import CouldNotRun
from mirc.traces import arrays, routing, routing_text
from mirc.traces.routing import RoutingTrace, load, read
from tests.routing_traces import requests, saved

CHOSEN = requests(3, 8, 2, 10, each=5, sway=1.0, seed=1).astype(np.int16)


def loaded(data: bytes) -> RoutingTrace:
    return load(io.BytesIO(data), "trace")


def lines(*values: Any) -> bytes:
    return "\n".join(json.dumps(value) for value in values).encode()


def record(step: int, layer: Any, indices: Any, **more: Any) -> dict[str, Any]:
    head = {"step": step, "stage": "pre_dispatch", "block": "decoder", "layer": layer, "rank": 0}
    return {**head, "num_tokens": len(indices), "topk": 2, "top_indices": indices, **more}


def encoded(run: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(saved(run)).decode()


def test_engines_answers_are_read_as_arrays_as_base64_and_as_lists() -> None:
    runs = (CHOSEN[:4], CHOSEN[4:])
    forms = (
        saved(*runs),
        lines({"choices": [{"routed_experts": encoded(run)} for run in runs]}),
        lines(*({"routed_experts": run.tolist()} for run in runs)),
        json.dumps(
            {"choices": [{"routed_experts": run.tolist()} for run in runs]}, indent=1
        ).encode(),
    )
    for form in forms:
        trace = loaded(form)
        assert trace.format == "vllm"
        assert trace.starts == (0, 4)
        assert (trace.chosen == CHOSEN).all()
        assert not trace.ranked


def test_one_array_is_one_run_in_either_order_of_memory() -> None:
    assert (loaded(saved(np.asfortranarray(CHOSEN))).chosen == CHOSEN).all()
    assert loaded(saved(CHOSEN)).starts == (0,)


def test_router_logits_are_ranked_and_ties_go_to_the_lower_expert() -> None:
    logits = np.array([[[1.0, 3.0, 3.0], [0.0, -1.0, 2.0]], [[5.0, 5.0, 5.0], [0.5, 0.0, 1.0]]])
    ranks = [[[1, 2, 0], [0, 1, 2]], [[2, 0, 1], [2, 0, 1]]]  # by token, then layer
    forms = (
        saved(logits[0], logits[1]),
        saved(logits.astype(np.float16)),
        lines({"router_logits": logits.tolist()}),
    )
    for form in forms:
        trace = loaded(form)
        assert trace.chosen.tolist() == ranks
        assert (trace.format, trace.ranked, trace.experts) == ("huggingface", True, 3)


MEGATRON = lines(record(0, 3, [[0, 1]]), record(0, 5, [[1, 2]]), record(1, 3, [[4, 5]]))


def test_megatron_s_records_become_one_run_a_step() -> None:
    text = lines(
        record(0, 5, [[1, 2], [3, 4]]),
        record(0, 3, [[0, 1], [2, 3]]),
        record(0, 0, [[7, 6], [5, 4]], block="mtp", mtp_idx=0),
        record(1, 3, [[4, 5]]),
        record(1, 5, [[6, 7]]),
        record(2, 3, [[1, 0]]),  # recording stopped inside this step
    )
    trace = loaded(text)
    assert trace.format == "megatron"
    assert trace.layers == (3, 5)
    assert trace.starts == (0, 2)
    assert trace.chosen.tolist() == [[[0, 1], [1, 2]], [[2, 3], [3, 4]], [[4, 5], [6, 7]]]


def test_a_layer_of_zeros_does_not_route() -> None:
    chosen = CHOSEN.copy()
    chosen[:, 0] = 0  # as engines fill the rows of dense layers
    trace = loaded(saved(chosen))
    assert (trace.chosen[:, 0] == -1).all()
    assert (trace.chosen[:, 1:] == CHOSEN[:, 1:]).all()


def _archive(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, data)
    return file.getvalue()


def _header(shape: str, kind: str = "<i2") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return arrays.ARRAY + b"\x01\x00" + len(text).to_bytes(2, "little") + text


WRONG: tuple[tuple[bytes, str], ...] = (
    (b"", "holds no routing trace"),
    (b"hello", "line 1 of `trace` is not JSON"),
    (b"[1, 2]", "holds no routing trace"),
    (b"[" * 100_000, "is no JSON"),
    (lines({"text": "hi"}), "line 1 of `trace` has an answer without `routed_experts`"),
    (lines({"choices": 3}), "line 1 of `trace` is no answer with `choices`"),
    (lines({"routed_experts": "%%%"}), "are not base64"),
    (lines({"routed_experts": "AAAA"}), "line 1 of `trace` has no readable header"),
    (lines({"routed_experts": [[[0, 1]], [[0]]]}), "no even lists of numbers"),
    (lines({"routed_experts": [[["a"]]]}), "no even lists of numbers"),
    (lines({"routed_experts": [[0, 1]]}), "has 2 axes"),
    (lines({"routed_experts": []}), "no even lists"),
    (lines({"routed_experts": [[[1, 1]], [[0, 1]]]}), "token 0 in layer 0 of `trace`"),
    (lines({"routed_experts": [[[1, -1]], [[0, 1]]]}), "layer 0 of `trace` chooses expert -1"),
    (lines({"routed_experts": [[[0, 40_000]]]}), "outside 0 to 32_767"),
    (lines({"routed_experts": [[[0, -2]]]}), "outside 0 to 32_767"),
    (lines({"routed_experts": [[[0]]]}) + b"\n{", "line 2 of `trace` is not JSON"),
    (lines(record(0, 3, [[0, 1]]), record(0, 3, [[0, 1]])), "line 2 of `trace` repeats layer 3"),
    (lines(record(0, 3, [[0, 1]]), record(0, 4, [[0]])), "line 2 of `trace` differs"),
    (lines(record(0, 3, [[0, 1]]), record(1, 4, [[0, 1]])), "no step of `trace` has all 2 layers"),
    (lines(record(0, 3, [[0, 1]], num_tokens=2)), "not tokens by experts"),
    (lines(record(-1, 3, [[0, 1]])), "line 1 of `trace` has no whole `step`"),
    (lines(record(0, "3", [[0, 1]])), "line 1 of `trace` has no whole `layer`"),
    (lines(record(0, 3, [[0, 1]]), [1]), "line 2 of `trace` is no record"),
    (lines({"router_logits": 3}), "no list of layers"),
    (lines({"router_logits": [[[1.0, 2.0]], [[1.0]]]}), "differ in shape"),
    (lines({"router_logits": [[[1.0, float("nan")]]]}), "are not finite"),
    (lines({"router_logits": [[[1.0, 2.0]]]}, {}), "goes on after"),
    (saved(CHOSEN)[:60], "has no readable header"),
    (saved(CHOSEN)[:-1], "ends before its numbers do"),
    (saved(CHOSEN.astype(np.complex128)), "neither whole numbers nor floats"),
    (_header("(1000000, 1000000, 8)"), "is larger than"),
    (_header("(-1, 3, 2)"), "has no readable header"),
    (_header("(0, 3, 2)"), "holds no routing decision"),
    (_header("(0, 999999999999999999, 2)"), "is larger than"),
    (_header("(1 0, 3, 2)"), "has no readable header"),
    (_header("(1,)", "|O"), "neither whole numbers nor floats"),
    (saved(CHOSEN, CHOSEN[:, :2]), "differ in layers"),
    (saved(CHOSEN, CHOSEN.astype(np.float32)), "mixes whole numbers"),
    (b"PK\x03\x04", "is no readable archive"),
    (_archive("a.txt", b"text"), "array 'a.txt' of `trace` has no readable header"),
    (_archive("a.npy", _header("(10000000, 10000, 8)")), "is larger than"),
    (saved(CHOSEN, CHOSEN).replace(b"PK\x05\x06", b"PK\x05\x07"), "is no readable archive"),
)


@pytest.mark.parametrize(("data", "sentence"), WRONG)
def test_a_wrong_file_is_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(CouldNotRun) as raised:
        loaded(data)
    assert sentence in str(raised.value)


def test_what_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_ARRAY_BYTES", CHOSEN.nbytes)
    assert loaded(saved(CHOSEN)).tokens == 10
    with pytest.raises(CouldNotRun, match="unpacked"):
        loaded(saved(CHOSEN, CHOSEN))
    monkeypatch.setattr(routing, "MOST_CHOICES", CHOSEN.size - 1)
    with pytest.raises(CouldNotRun, match="more than 59 choices"):
        loaded(saved(CHOSEN))
    monkeypatch.setattr(routing_text, "MOST_NUMBERS", 5)
    for text in (MEGATRON, lines(*({"routed_experts": [[[0, 1, 2]]]} for _ in range(3)))):
        with pytest.raises(
            CouldNotRun, match=r"line [23] of `trace` is where it exceeds 5 numbers"
        ):
            loaded(text)
    monkeypatch.setattr(routing_text, "LONGEST_LINE", 100)
    with pytest.raises(CouldNotRun, match="line 1 of `trace` is too long"):
        loaded(lines({"routed_experts": CHOSEN.tolist()}))
    monkeypatch.setattr(routing, "MOST_FILE_BYTES", 10)
    with pytest.raises(CouldNotRun, match="is larger than 10 bytes"):
        loaded(saved(CHOSEN))


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="No such file"):
        read(str(tmp_path / "none.npy"))


def _cut(data: bytes, place: int, byte: int) -> bytes:
    place %= len(data)
    return data[:place] + bytes([byte]) + data[place + 1 :]


@given(
    st.sampled_from([saved(CHOSEN), saved(CHOSEN, CHOSEN), MEGATRON]),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 200),
)
def test_a_damaged_file_is_read_or_refused(
    data: bytes, changes: list[tuple[int, int]], short: int
) -> None:
    for place, byte in changes:
        data = _cut(data, place, byte)
    _never_a_traceback(lambda: loaded(data[: len(data) - short] or b"{"))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for opening in (b"", arrays.ARRAY, arrays.ARCHIVE, b'{"top_indices":'):
        _never_a_traceback(lambda opening=opening: loaded(opening + data))  # type: ignore[misc]


def _never_a_traceback(reading: Callable[[], RoutingTrace]) -> None:
    with suppress(CouldNotRun):
        assert reading().tokens
