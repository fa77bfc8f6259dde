"""Whatever is asked of a conforming controller under pressure, no clause is found broken."""

import random

import pytest

from mirc.claims import Directive
from mirc.conform.adapters import adapter_named
from mirc.conform.protocol import Setting
from mirc.conform.stand import Stand, claim, keys
from mirc.ir.enums import ClaimLoss, Guarantee
from tests.nightly import by_night

SCRIPTS = by_night(20, 4000)
OPERATIONS = 80


def chain(draw: random.Random) -> tuple[int | str, ...]:
    """Two stems that several share, each with branches of its own."""
    stem = draw.choice("st")
    shared = keys(stem, draw.randint(1, 3))
    return (*shared, *keys(f"{stem}{len(shared)}{draw.choice('xyz')}", draw.randint(0, 4)))


def ask(stand: Stand, draw: random.Random) -> None:
    over = chain(draw)
    first = draw.randint(0, len(over) - 1)
    ranged = Directive(start=first, end=first + 2, priority=draw.randint(0, 100), lasts=3)
    stand.ask(
        claim(
            draw.choice("abcd"),
            over,
            guarantee=draw.choice(list(Guarantee)),
            on_loss=draw.choice([ClaimLoss.EVENT, ClaimLoss.DEMOTE]),
            tenant=draw.choice([None, "t"]),
            priority=draw.randint(0, 100),
            lasts=draw.choice([None, 1, 4]),
            until=draw.choice([None, "END"]),
            binds_on=draw.choice([None, None, "GO"]),
            least=draw.choice([None, 1]),
            patience=draw.choice([0, 2]),
            revision=draw.randint(0, 4),
            directives=draw.choice([(), (ranged,)]),
        )
    )


def play(stand: Stand, draw: random.Random) -> None:
    now = 0
    stand.open(
        Setting(
            capacity=draw.randint(6, 14),
            min_active=draw.randint(0, 3),
            lower=draw.choice([0, 3, 20]),
            quotas={"t": 4},
        )
    )
    for number in range(OPERATIONS):
        match draw.choice("qqrrrrrlatf"):
            case "q":
                ask(stand, draw)
            case "r":
                stand.run(f"work{number}", chain(draw))
            case "l":
                stand.release(draw.choice("abcd"), "app")
            case "a":
                now += draw.randint(0, 2)
                stand.advance(now)
            case "t":
                stand.signal(draw.choice(["END", "GO"]))
            case "f":
                stand.fail(draw.choice("abcd"), "WHY")


@pytest.mark.mechanism("S4-06", "S2-19")
@pytest.mark.parametrize("name", ["reference", "ours"])
def test_no_promise_is_broken_in_scripts_drawn_at_random(name: str) -> None:
    stand = Stand(adapter_named(name))
    for seed in range(SCRIPTS):
        play(stand, random.Random(seed))  # noqa: S311 - a script, no secret
        assert [(seed, each) for each in stand.findings if not each.kept] == []


def test_the_same_scripts_find_the_broken_one_out() -> None:
    stand = Stand(adapter_named("broken"))
    for seed in range(SCRIPTS):
        play(stand, random.Random(seed))  # noqa: S311 - a script, no secret
    assert {each.clause for each in stand.findings if not each.kept} >= {4, 19}
