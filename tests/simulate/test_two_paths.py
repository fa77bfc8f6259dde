import numpy as np
import pytest
from hypothesis import given, settings

from mirc.simulate.policies import POLICIES
from tests.simulate.drawn import Drawn, scenes
from tests.simulate.test_engine import play


@pytest.mark.parametrize("policy", list(POLICIES))
@settings(max_examples=25, deadline=None)
@given(drawn=scenes())
def test_compiled_and_plain_runs_agree_on_every_event(policy: str, drawn: Drawn) -> None:
    fast, plain = play(drawn, policy, "compiled"), play(drawn, policy, "python")
    assert (fast.path, plain.path) == ("compiled", "python")
    assert fast.events is not None
    assert plain.events is not None
    assert fast.events.tobytes() == plain.events.tobytes()
    assert np.array_equal(fast.step_ps, plain.step_ps)
    assert (fast.hits, fast.links[0].busy_ps) == (plain.hits, plain.links[0].busy_ps)
