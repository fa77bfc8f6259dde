import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirc.kernels.heap import pop, push


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), max_size=60))
def test_what_comes_out_is_sorted_by_key_down_and_object_up(pairs: list[tuple[int, int]]) -> None:
    heap = np.zeros((2, len(pairs) + 1), dtype=np.int64)
    for count, (key, item) in enumerate(pairs):
        push(heap, count, key, item)
    out = []
    for count in range(len(pairs), 0, -1):
        out.append((int(heap[0, 0]), int(heap[1, 0])))
        pop(heap, count)
    assert out == sorted(pairs, key=lambda pair: (-pair[0], pair[1]))
