import attrs
import pytest

from mirc.diagnostics import CouldNotRun, Source
from mirc.grammar import load
from mirc.simulate.comparison import plan_for, policies_of
from mirc.simulate.study import Options, study
from tests.simulate.toy import card, cycle

TEXT = "mir 1.0\n" + cycle(2)


def test_policies_come_in_the_order_of_the_table() -> None:
    every = ("static", "lru", "mru", "lru-prefetch", "regret", "belady", "intent")
    assert policies_of("all") == every
    assert policies_of("intent, lru") == ("lru", "intent")


def test_an_unknown_policy_gets_the_nearest_name() -> None:
    with pytest.raises(CouldNotRun, match="there is no policy `beladi`") as refusal:
        policies_of("lru,beladi")
    assert refusal.value.hint == "did you mean `belady`?"


def test_a_plan_is_found_by_the_machines_name_or_by_what_was_asked_for() -> None:
    module = load(
        Source("t.mir", TEXT + 'plan a { machine = "toy" }\nplan b { machine = "./x.toml" }\n')
    )
    other = attrs.evolve(card(), name="other")
    assert plan_for(module, card(), "anything") == "a"
    assert plan_for(module, other, "./x.toml") == "b"
    assert plan_for(module, other, "./y.toml") is None


def test_a_long_run_tells_what_it_does_and_clears_the_line() -> None:
    told: list[str] = []
    options = Options(machines=("edge",), policies="lru,mru", steps=1)
    study(load(Source("t.mir", TEXT)), options, told=told.append)
    assert told == ["edge: lru", "edge: mru", ""]


def test_the_line_is_cleared_before_an_error_too() -> None:
    told: list[str] = []
    large = "mir 1.0\n" + cycle(1).replace("1_000_000_000", "100GB")
    with pytest.raises(CouldNotRun, match="needs 100_000_000_000 bytes at once"):
        study(load(Source("t.mir", large)), Options(machines=("edge",)), told=told.append)
    assert told == [""]


def test_a_module_is_called_by_its_model_else_its_name() -> None:
    def title(head: str) -> str:
        module = load(Source("t.mir", f"mir 1.0\n{head}\n{cycle(1)}"))
        return study(module, Options(machines=("edge",), policies="lru")).title

    assert title('module m { model = "Llama" }') == "Llama"
    assert title("module m { }") == "m"
    assert title("") == "a module without a name"
