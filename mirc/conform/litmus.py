"""Small cases that each put one question to a controller, and what the contract says to it."""

from collections.abc import Callable

import attrs

from mirc.claims import Answer, Directive, Kind, Reason
from mirc.conform.outcomes import Outcome
from mirc.conform.protocol import Setting
from mirc.conform.stand import Stand, claim, hard, keys
from mirc.ir.enums import ClaimLoss


@attrs.frozen(kw_only=True)
class Litmus:
    """One case: what it is about, and the outcome that a conforming controller shows in it."""

    title: str
    play: Callable[[Stand], None]
    shows: Outcome


def published(stand: Stand) -> None:
    """80 blocks, a claim of 60, active work of 70. Source: arXiv 2605.24259, the litmus case."""
    stand.open(Setting(capacity=80, min_active=20))
    answer = stand.ask(hard("prompt", keys("p", 60)))["prompt"]
    stand.run("fill", keys("p", 60))
    admitted = stand.run("prefill", keys("a", 70))
    if answer is Answer.UNSUPPORTED:
        return
    stand.expect(2, answer is Answer.ACCEPTED, "60 of 80 blocks are not granted")
    stand.expect(5, not admitted, "70 active blocks are admitted beside 60 claimed of 80")
    denied = stand.said(Kind.DENIED, for_whom="prefill", reason=Reason.CLAIMED)
    named = [event.blockers for event in denied] == [("prompt",)]
    stand.expect(6, named, "the refusal does not name the claim `prompt`")
    kept = stand.there().issuperset(keys("p", 60))
    stand.expect(4, kept, "blocks of the hard claim `prompt` are gone")
    progress = stand.run("small", keys("b", 20))
    stand.expect(3, progress, "20 active blocks, the least that is needed, are not admitted")


def full(stand: Stand) -> None:
    """Fill the pool, then claim: a full pool is healthy."""
    stand.open(Setting(capacity=8))
    stand.run("old", keys("o", 8))
    answers = stand.claim(hard("new", keys("n", 6)))
    stand.expect(2, answers["new"] is Answer.ACCEPTED, "a full pool refuses a claim that fits")
    stand.expect(2, stand.run("fill", keys("n", 6)), "the claim's own blocks find no room")
    stand.expect(4, stand.there().issuperset(keys("n", 6)), "a claimed block is not there")


def progress(stand: Stand) -> None:
    """Claim what active work needs at least, and then as much as it leaves."""
    stand.open(Setting(capacity=8, min_active=3))
    most = stand.claim(hard("most", keys("m", 6)))["most"]
    stand.expect(3, most is Answer.REFUSED, "a claim leaves active work less than it needs")
    reasons = {event.reason for event in stand.said(Kind.REFUSED, claim="most")}
    stand.expect(6, reasons == {Reason.ACTIVE_NEEDS}, f"the refusal's reasons are {reasons}")
    fits = stand.claim(hard("fits", keys("f", 5)))["fits"]
    stand.expect(2, fits is Answer.ACCEPTED, "a claim is refused that leaves active work enough")
    stand.run("fill", keys("f", 5))
    stand.expect(3, stand.run("small", keys("s", 3)), "the least active work finds no room")


def yielding(stand: Stand) -> None:
    """Press blocks that nobody claims, and two claims of different priority."""
    stand.open(Setting(capacity=8))
    stand.claim(
        claim("weak", keys("w", 3), priority=10), claim("strong", keys("s", 3), priority=80)
    )
    for name, key in (("strong", "s"), ("weak", "w")):
        stand.run(name, keys(key, 3))
    stand.run("nobody", keys("n", 2))
    gone = _gone(stand, "one", keys("x", 2))
    stand.expect(8, gone == {*keys("n", 2)}, f"before what nobody claims, {_told(gone)} yield")
    gone = _gone(stand, "two", keys("y", 4)) - {*keys("x", 2)}
    stand.expect(8, gone == {"w1", "w2"}, f"of priorities 80 and 10, {_told(gone)} yield")
    lost = stand.said(Kind.LOST, claim="weak", for_whom="two")
    losses = {block.key for event in lost for block in event.blocks}
    stand.expect(7, losses == {"w1", "w2"}, f"events tell of the loss of {_told(losses)}")


def demotion(stand: Stand) -> None:
    """Press a claim that asks for the lower tier, then use its blocks again."""
    stand.open(Setting(capacity=4, lower=8))
    stand.claim(claim("kept", keys("k", 3), on_loss=ClaimLoss.DEMOTE))
    stand.run("fill", keys("k", 3))
    stand.run("other", keys("o", 3))
    told = [block.key for event in stand.said(Kind.DEMOTED) for block in event.blocks]
    stand.expect(9, told == ["k2", "k1"], f"events tell of the demotion of {_told(told)}")
    places = {event.to != "" for event in stand.said(Kind.DEMOTED)}
    stand.expect(9, places == {True}, "the events of demotion name no tier")
    stand.run("again", keys("k", 3))
    back = stand.there().issuperset(keys("k", 3))
    stand.expect(9, back, "the demoted blocks do not come back")
    times = len(stand.said(Kind.MATERIALIZED, claim="kept"))
    stand.expect(10, times == 2, f"the claim materialized {times} times, not twice")


def materialization(stand: Stand) -> None:
    """Claim what is not there, then what is."""
    stand.open(Setting(capacity=8))
    stand.claim(hard("late", keys("l", 4)))
    stand.active("fill", keys("l", 4))
    early = stand.said(Kind.MATERIALIZED)
    stand.expect(10, not early, "a claim materializes before its blocks can be read")
    stand.finish("fill")
    stand.claim(claim("at_once", keys("l", 2)))
    for name in ("late", "at_once"):
        times = len(stand.said(Kind.MATERIALIZED, claim=name))
        stand.expect(10, times == 1, f"`{name}` materialized {times} times, not once")


def failure(stand: Stand) -> None:
    """Fail to make the blocks of a claim."""
    stand.open(Setting(capacity=8))
    stand.claim(hard("doomed", keys("d", 6)))
    stand.run("part", keys("d", 2))
    answer = stand.fail("doomed", "LINK_DOWN")
    stand.expect(11, answer is Answer.APPLIED, f"the answer to a failure is {answer}")
    reasons = [event.reason for event in stand.said(Kind.FAILED, claim="doomed")]
    stand.expect(11, reasons == ["LINK_DOWN"], f"the failure's events give {reasons}")
    stand.expect(11, stand.run("other", keys("o", 8)), "the room of a failed claim is not free")


def expiry(stand: Stand) -> None:
    """Let time pass, and events come, up to the end of claims and over it."""
    stand.open(Setting(capacity=8))
    timed = hard("timed", keys("t", 3), lasts=12)
    stand.claim(timed, hard("until", keys("u", 3), until="SEQUENCE_END"))
    stand.run("fill_t", keys("t", 3))
    stand.run("fill_u", keys("u", 3))
    stand.advance(11)
    early = stand.run("early", keys("e", 3)) or bool(stand.said(Kind.EXPIRED))
    stand.expect(12, not early, "a claim of 12 has ended at 11")
    stand.advance(12)
    times = [event.at for event in stand.said(Kind.EXPIRED, claim="timed")]
    stand.expect(12, times == [12], f"a claim of 12 expires at {times}")
    stand.expect(14, stand.run("then", keys("h", 5)), "an expired claim still keeps its room")
    stand.signal("OTHER")
    stand.expect(12, not stand.said(Kind.EXPIRED, claim="until"), "another event ends a claim")
    stand.signal("SEQUENCE_END")
    told = len(stand.said(Kind.EXPIRED, claim="until"))
    stand.expect(12, told == 1, f"the event that ends a claim is told {told} times")
    stand.expect(14, stand.run("all", keys("z", 8)), "what an event ended still keeps its room")


def directives(stand: Stand) -> None:
    """Let the time of the second of two ranges of a claim pass."""
    stand.open(Setting(capacity=6))
    ranges = (
        Directive(start=0, end=2, priority=90, lasts=9),
        Directive(start=2, end=4, priority=20, lasts=3),
    )
    stand.claim(claim("ranged", keys("r", 4), directives=ranges))
    stand.run("fill", keys("r", 4))
    stand.advance(3)
    over = {block.key for event in stand.said(Kind.EXPIRED) for block in event.blocks}
    stand.expect(12, over == {"r2", "r3"}, f"at 3, the time is over of {_told(over)}")
    gone = _gone(stand, "press", keys("x", 4))
    stand.expect(14, gone == {"r2", "r3"}, f"after their time, {_told(gone)} yield")


def release(stand: Stand) -> None:
    """Release a claim as someone else, as its holder, and again."""
    stand.open(Setting(capacity=8))
    stand.claim(hard("mine", keys("m", 6)))
    stand.run("fill", keys("m", 6))
    answer = stand.release("mine", "someone")
    stand.expect(13, answer is Answer.REFUSED, f"someone else's release is {answer}")
    stand.expect(13, not stand.run("early", keys("e", 3)), "someone else's release frees room")
    answer = stand.release("mine", "app")
    stand.expect(13, answer is Answer.APPLIED, f"the holder's release is {answer}")
    stand.expect(13, stand.run("other", keys("o", 8)), "released room is not free at once")
    stand.expect(14, not stand.there() & {*keys("m", 6)}, "a released claim protects its blocks")
    answer = stand.release("mine", "app")
    stand.expect(13, answer is Answer.MISSING, f"a second release is {answer}")


def together(stand: Stand) -> None:
    """Ask for three claims at once, with room for two, in several orders."""
    batch = (
        hard("low", keys("l", 3), priority=10),
        hard("middle", keys("m", 3), priority=20),
        hard("high", keys("h", 3), priority=30),
    )
    answers = []
    for order in (batch, batch[::-1], (batch[1], batch[2], batch[0])):
        stand.open(Setting(capacity=6))
        answers.append(dict(stand.claim(*order)))
    same = all(each == answers[0] for each in answers)
    stand.expect(15, same, "the order in which claims are asked for decides which is granted")
    refused = answers[0]["low"] is Answer.REFUSED
    stand.expect(15, refused, "a lower priority has the room of a higher one")


def revision(stand: Stand) -> None:
    """Ask again for a claim: the same, older, too large, and later."""
    stand.open(Setting(capacity=8))
    first = hard("r", keys("r", 4))
    stand.claim(first)
    again = stand.claim(first)["r"]
    stand.expect(16, again is Answer.DUPLICATE, f"the same claim again is {again}")
    stale = stand.claim(hard("r", keys("r", 5)))["r"]
    stand.expect(16, stale is Answer.REFUSED, f"another edition of the same number is {stale}")
    large = stand.claim(hard("r", keys("r", 9), revision=1))["r"]
    stand.expect(16, large is Answer.REFUSED, f"an edition that cannot fit is {large}")
    stand.expect(16, not stand.run("other", keys("o", 5)), "a refused edition ends the claim")
    later = stand.claim(hard("r", keys("r", 2), revision=1))["r"]
    stand.expect(16, later is Answer.APPLIED, f"a later edition is {later}")
    stand.expect(16, stand.run("room", keys("x", 6)), "an edition keeps the room of the one before")


def shared(stand: Stand) -> None:
    """Share the first blocks between two claims, and release one after the other."""
    stand.open(Setting(capacity=8))
    stem = keys("s", 3)
    answers = stand.claim(hard("a", (*stem, "a3")), hard("b", (*stem, "b3", "b4", "b5")))
    granted = set(answers.values()) == {Answer.ACCEPTED}
    stand.expect(17, granted, "claims over 7 different blocks do not fit in 8")
    stand.run("fill_a", (*stem, "a3"))
    stand.run("fill_b", (*stem, "b3", "b4", "b5"))
    stand.release("a", "app")
    stand.expect(17, stand.run("other", keys("o", 2)), "the block of the one alone is not free")
    stand.expect(17, not stand.run("more", keys("m", 3)), "the shared blocks went with the first")
    stand.expect(17, stand.there().issuperset(stem), "a block that is still claimed is gone")
    stand.release("b", "app")
    stand.expect(17, stand.run("all", keys("z", 8)), "the shared blocks outlast both claims")


def clipped(stand: Stand) -> None:
    """Ask for more than there is, ready to take less, or to wait."""
    stand.open(Setting(capacity=8))
    stand.claim(hard("first", keys("f", 5)))
    answer = stand.claim(hard("less", keys("l", 6), least=2))["less"]
    stand.expect(
        18, answer is Answer.CLIPPED, f"a claim of 6 or at least 2, with room for 3, is {answer}"
    )
    sizes = [len(event.blocks) for event in stand.said(Kind.CLIPPED, claim="less")]
    stand.expect(18, sizes == [3], f"the claim is clipped to {sizes}")
    answer = stand.claim(hard("none", keys("n", 4), least=2))["none"]
    stand.expect(18, answer is Answer.REFUSED, f"a claim of at least 2, without room, is {answer}")
    waits = stand.claim(hard("waits", keys("w", 4), patience=9))["waits"]
    stand.expect(18, waits is Answer.DEFERRED, f"a patient claim without room is {waits}")
    late = stand.claim(hard("late", keys("t", 7), patience=4))["late"]
    stand.expect(18, late is Answer.DEFERRED, f"a patient claim without room is {late}")
    stand.release("first", "app")
    granted = len(stand.said(Kind.ACCEPTED, claim="waits"))
    stand.expect(18, granted == 1, "room comes, and what waited for it is not granted")
    stand.advance(4)
    told = [event.at for event in stand.said(Kind.REFUSED, claim="late")]
    stand.expect(18, told == [4], f"a claim that waits until 4 is refused at {told}")


def bound(stand: Stand) -> None:
    """Ask for a claim that an event binds, and raise it."""
    stand.open(Setting(capacity=8))
    answer = stand.claim(hard("later", keys("l", 6), binds_on="PREFILL_DONE"))["later"]
    stand.expect(18, answer is Answer.DEFERRED, f"a claim that its event does not bind is {answer}")
    stand.expect(18, stand.run("before", keys("b", 8)), "a claim keeps room before it binds")
    stand.signal("PREFILL_DONE")
    granted = len(stand.said(Kind.ACCEPTED, claim="later"))
    stand.expect(18, granted == 1, "its event comes, and the claim does not bind")
    stand.expect(4, not stand.run("after", keys("a", 3)), "a claim that binds keeps no room")


def quota(stand: Stand) -> None:
    """Claim more than a tenant's quota, with room to spare."""
    stand.open(Setting(capacity=20, quotas={"t": 5}))
    stand.claim(hard("one", keys("o", 3), tenant="t"))
    answer = stand.claim(hard("two", keys("w", 3), tenant="t"))["two"]
    stand.expect(20, answer is Answer.REFUSED, f"6 blocks under a quota of 5 are {answer}")
    named = [event.blockers for event in stand.said(Kind.REFUSED, claim="two")]
    stand.expect(20, named == [("one",)], f"the refusal names {named}")
    other = stand.claim(hard("three", keys("h", 6), tenant="u"))["three"]
    stand.expect(20, other is Answer.ACCEPTED, f"another tenant's claim is {other}")


def determinism(stand: Stand) -> None:
    """Ask the same questions twice."""
    logs = []
    for _ in range(2):
        stand.open(Setting(capacity=6, min_active=1, lower=4))
        stand.claim(
            claim("s", keys("s", 3), on_loss=ClaimLoss.DEMOTE), hard("h", keys("h", 2), lasts=2)
        )
        for name in ("s", "h", "x", "y"):
            stand.run(f"fill_{name}", keys(name, 3))
        stand.advance(2)
        stand.run("last", keys("z", 5))
        logs.append(list(stand.log))
    stand.expect(21, logs[0] == logs[1], "the same questions have other answers the second time")


def ordinary(stand: Stand) -> None:
    """Press blocks that nobody claims."""
    stand.open(Setting(capacity=4))
    stand.run("old", keys("o", 4))
    gone = _gone(stand, "new", keys("n", 2))
    told = {block.key for event in stand.said(Kind.EVICTED) for block in event.blocks}
    stand.expect(19, gone == told, f"{_told(gone)} yield, and events tell of {_told(told)}")


def _gone(stand: Stand, name: str, over: tuple[object, ...]) -> set[object]:
    before = stand.there()
    stand.run(name, [str(key) for key in over])
    return set(before - stand.there())


def _told(found: object) -> str:
    return ", ".join(sorted(map(str, found))) if isinstance(found, set | list) and found else "none"


SUITE = (
    Litmus(title="80 blocks, 60 claimed, 70 active", play=published, shows=Outcome.ACTIVE_REFUSAL),
    Litmus(title="nothing is claimed", play=ordinary, shows=Outcome.ORDINARY_EVICTION),
    Litmus(title="a full pool", play=full, shows=Outcome.HARD_CLAIM),
    Litmus(title="the least of active work", play=progress, shows=Outcome.HARD_CLAIM),
    Litmus(title="who yields first", play=yielding, shows=Outcome.SOFT_PRIORITY),
    Litmus(title="demotion and return", play=demotion, shows=Outcome.DEMOTION),
    Litmus(title="materialization", play=materialization, shows=Outcome.HARD_CLAIM),
    Litmus(title="blocks that are never made", play=failure, shows=Outcome.MATERIALIZATION_FAILURE),
    Litmus(title="time and events", play=expiry, shows=Outcome.EXPIRY),
    Litmus(title="ranges with terms of their own", play=directives, shows=Outcome.EXPIRY),
    Litmus(title="release", play=release, shows=Outcome.ORDINARY_EVICTION),
    Litmus(title="asked for together", play=together, shows=Outcome.HARD_CLAIM),
    Litmus(title="later editions", play=revision, shows=Outcome.ACTIVE_REFUSAL),
    Litmus(title="a shared beginning", play=shared, shows=Outcome.ACTIVE_REFUSAL),
    Litmus(title="less, or later", play=clipped, shows=Outcome.HARD_CLAIM),
    Litmus(title="binding on an event", play=bound, shows=Outcome.ACTIVE_REFUSAL),
    Litmus(title="a tenant's quota", play=quota, shows=Outcome.HARD_CLAIM),
    Litmus(title="the same twice", play=determinism, shows=Outcome.DEMOTION),
)
