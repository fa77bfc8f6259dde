import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mirc.kernels.lists import append, first, last, prepend, remove


@given(st.lists(st.tuples(st.sampled_from(["append", "prepend", "remove"]), st.integers(0, 7))))
def test_a_linked_list_does_what_a_python_list_does(moves: list[tuple[str, int]]) -> None:
    lists = np.tile(np.arange(9, dtype=np.int64), (2, 1))  # members 0 to 7, head 8
    model: list[int] = []
    for move, x in moves:
        if move == "remove" and x in model:
            remove(lists, 0, x)
            model.remove(x)
        elif move == "append" and x not in model:
            append(lists, 0, 8, x)
            model.append(x)
        elif move == "prepend" and x not in model:
            prepend(lists, 0, 8, x)
            model.insert(0, x)
        assert first(lists, 0, 8) == (model[0] if model else 8)
        assert last(lists, 0, 8) == (model[-1] if model else 8)
    walked, x = [], first(lists, 0, 8)
    while x != 8:
        walked.append(x)
        x = lists[0, x]
    assert walked == model
