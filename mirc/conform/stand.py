"""What a controller is asked, and what it does and says, into findings on numbered clauses."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from mirc.claims import Answer, Block, Event, Key, Kind, Terms
from mirc.conform.protocol import Adapter, Setting
from mirc.conform.watch import Watch
from mirc.diagnostics import CouldNotRun
from mirc.ir.enums import Guarantee

MOST_EVENTS = 100_000  # of one case: a controller that says more is not telling but filling memory


@attrs.frozen(kw_only=True)
class Finding:
    """Whether one thing that a clause demands was so."""

    clause: int
    kept: bool
    sentence: str


class NotOffered(Exception):  # noqa: N818 - it says what is so, and nothing went wrong
    """A controller does not offer what a case is about."""


class Stand:
    """One adapter, the questions of one case, and what came of them."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.findings: list[Finding] = []
        self.log: list[Event] = []
        self._news: Sequence[Event] = ()
        self._watch = Watch()
        self._now = 0

    # What a case asks.

    def open(self, setting: Setting) -> None:
        """Begin anew."""
        self._call("open", setting)
        self.log = []
        self._watch = Watch(most=setting.capacity - setting.min_active)
        self._now = 0

    def ask(self, *batch: Terms) -> Mapping[str, Answer]:
        """Ask for claims at once; each must be answered."""
        answers = dict(self._ask("claim", batch))
        for terms in batch:
            self._answered(terms.name, answers.get(terms.name))
        if any(terms.name not in answers for terms in batch):
            raise NotOffered  # clause 1 is broken, and nothing else can be asked
        return answers

    def claim(self, *batch: Terms) -> Mapping[str, Answer]:
        """Ask for claims at once; raises ``NotOffered`` if this controller makes no such."""
        answers = self.ask(*batch)
        if Answer.UNSUPPORTED in answers.values():
            raise NotOffered
        return answers

    def release(self, name: str, holder: str) -> Answer:
        """Give a claim back; raises ``NotOffered`` if this controller takes none back."""
        answer: Answer = self._ask("release", name, holder)
        self._answered(name, answer)
        return _offered(answer)

    def fail(self, name: str, why: str) -> Answer:
        """Say that a claim's blocks cannot be made; raises ``NotOffered`` as ``release`` does."""
        answer: Answer = self._ask("fail", name, why)
        self._answered(name, answer)
        return _offered(answer)

    def active(self, name: str, keys: Sequence[Key]) -> bool:
        """Send a request; one that is refused must have changed nothing."""
        before = self.there()
        admitted: bool = self._ask("active", name, keys)
        if not admitted:
            self.expect(5, self.there() == before, f"the refusal of `{name}` changes the pool")
        return admitted

    def finish(self, name: str) -> None:
        """Let a request end."""
        self._ask("finish", name)

    def run(self, name: str, keys: Sequence[Key]) -> bool:
        """Send a request and let it end, if it is admitted."""
        admitted = self.active(name, keys)
        if admitted:
            self.finish(name)
        return admitted

    def advance(self, now: int) -> None:
        """Set the clock."""
        self._now = now
        self._ask("advance", now)

    def signal(self, event: str) -> None:
        """Raise an event."""
        self._ask("signal", event)

    # What a case sees.

    def there(self) -> frozenset[Key]:
        """Return the blocks that can be read."""
        return frozenset(self._call("resident"))

    def said(self, kind: Kind, **fields: Any) -> list[Event]:
        """Return the events of a kind with these fields."""
        return [
            event
            for event in self.log
            if event.kind is kind
            and all(getattr(event, key) == value for key, value in fields.items())
        ]

    def expect(self, clause: int, kept: object, sentence: str) -> None:
        """Find that a clause was kept, or that it was broken: ``sentence`` says by what."""
        self.findings.append(Finding(clause=clause, kept=bool(kept), sentence=sentence))

    # How it does so.

    def _call(self, what: str, *args: object) -> Any:
        method: Callable[..., Any] = getattr(self.adapter, what)
        try:
            return _fitting(what, method(*args))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise CouldNotRun(
                f"the adapter `{self.adapter.name}` failed in `{what}`: {text}",
                "an adapter answers every question; what it does not offer is UNSUPPORTED",
            ) from error

    def _ask(self, what: str, *args: object) -> Any:
        answer = self._call(what, *args)
        told = self._call("events")
        if len(told) > MOST_EVENTS:
            raise CouldNotRun(
                f"the adapter `{self.adapter.name}` said more than {MOST_EVENTS} things in a case",
                "events are those since `open`",
            )
        self._news = told[len(self.log) :]
        self.log += self._news
        for clause, sentence in self._watch.see(self._now, self._news, self.there()):
            self.expect(clause, kept=False, sentence=sentence)
        return answer

    def _answered(self, name: str, answer: Answer | None) -> None:
        told = [event.kind for event in self._news if event.claim == name]
        if answer is Answer.UNSUPPORTED and not told:
            return  # who makes no promise need not say so twice
        kept = answer is not None and any(kind in told for kind in _EVENTS_OF[answer])
        said = ", ".join(told) or "none"
        self.expect(1, kept, f"the answer on `{name}` is {answer}, its events are {said}")


def _offered(answer: Answer) -> Answer:
    if answer is Answer.UNSUPPORTED:
        raise NotOffered
    return answer


def _fitting(what: str, answer: Any) -> Any:
    if what in _FITS and not _FITS[what](answer):
        raise TypeError(f"{type(answer).__name__} is not what the protocol asks for")
    return answer


def _each(answer: Any, of: type) -> bool:
    return isinstance(answer, Collection) and all(isinstance(each, of) for each in answer)


_FITS: dict[str, Callable[[Any], bool]] = {
    "claim": lambda answer: isinstance(answer, Mapping) and _each(answer.values(), Answer),
    "release": lambda answer: isinstance(answer, Answer),
    "fail": lambda answer: isinstance(answer, Answer),
    "resident": lambda answer: _each(answer, Hashable),
    "events": lambda answer: isinstance(answer, Sequence) and _each(answer, Event),
}
_EVENTS_OF = {
    Answer.ACCEPTED: (Kind.ACCEPTED,),
    Answer.CLIPPED: (Kind.CLIPPED,),
    Answer.DEFERRED: (Kind.DEFERRED,),
    Answer.REFUSED: (Kind.REFUSED,),
    Answer.DUPLICATE: (Kind.DUPLICATE,),
    Answer.UNSUPPORTED: (Kind.UNSUPPORTED,),
    Answer.MISSING: (Kind.MISSING,),
    Answer.APPLIED: (Kind.ACCEPTED, Kind.RELEASED, Kind.FAILED),
}


def keys(prefix: str, count: int, first: int = 0) -> tuple[Key, ...]:
    """Return the keys of a chain of blocks."""
    return tuple(f"{prefix}{place}" for place in range(first, first + count))


def claim(name: str, over: Iterable[Key], **fields: Any) -> Terms:
    """Return the terms of a claim held by ``app``."""
    return Terms(**({"name": name, "holder": "app", "blocks": tuple(map(Block, over))} | fields))


def hard(name: str, over: Iterable[Key], **fields: Any) -> Terms:
    """Return the terms of a hard claim held by ``app``."""
    return claim(name, over, guarantee=Guarantee.HARD, **fields)
