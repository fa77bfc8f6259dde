"""Steps, collectives and phases into the events that a run raises."""

from collections.abc import Iterator

import attrs

from mirc.ir.enums import PhaseKind, SignalKind
from mirc.ir.module import Step
from mirc.ir.resolve import read
from mirc.lint.context import Context

# What the runtime raises by itself only if something in the file brings it about.
_BY_PHASE = {
    PhaseKind.ALLREDUCE_WINDOW: SignalKind.ALLREDUCE_COMPLETE,
    PhaseKind.OPTIMIZER_UPDATE: SignalKind.UPDATE_COMPLETE,
    PhaseKind.CHECKPOINT: SignalKind.CHECKPOINT_COMPLETE,
}
_CAUSED = frozenset(_BY_PHASE.values())


@attrs.frozen(eq=False, repr=False)
class Events:
    """Events that happen: with any arguments, or with those that a step gives."""

    always: frozenset[str]
    given: frozenset[tuple[str, tuple[object, ...]]]

    def happens(self, word: str, args: tuple[object, ...] = ()) -> bool:
        """Say whether an event happens, upper or lower case; arguments must agree if both give."""
        name = word.lower()
        if name in self.always:
            return True
        return any(name == other and (not args or args == its) for other, its in self.given)


def events_of(context: Context) -> Events:
    """Collect what happens; in a file without steps, all that the runtime knows may."""
    always = {kind.value for kind in SignalKind if kind not in _CAUSED or not context.has_steps}
    always.update(signal.lower() for signal in context.module.signals)
    given: set[tuple[str, tuple[object, ...]]] = set()
    for phase in context.module.phases.values():
        caused = _BY_PHASE.get(read(phase, "kind"))
        if caused is not None:
            always.add(caused.value)
        for step in phase.steps:
            for word, args in _raised(step):
                if args:
                    given.add((word, args))
                else:
                    always.add(word)
    return Events(frozenset(always), frozenset(given))


def _raised(step: Step) -> Iterator[tuple[str, tuple[object, ...]]]:
    for field in step.fields:
        if field.key == "raises":
            for event in read(step, "raises"):
                yield event.word.lower(), event.args
        elif field.key == "collective":
            # Its end is the event; it has a bucket's name only where `raises` gives it one.
            yield SignalKind.ALLREDUCE_COMPLETE.value, ()
