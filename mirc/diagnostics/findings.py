"""Diagnostics of several files into one ordered whole with counts and an exit code."""

from collections import Counter

import attrs

from mirc.diagnostics.model import Diagnostic, Severity, Source

_RANK = {severity: rank for rank, severity in enumerate(Severity)}  # an error comes first


def _in_order(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Return each finding once, by place, then code, then words."""
    return tuple(
        sorted(
            dict.fromkeys(diagnostics),
            key=lambda d: (d.span.start, d.span.end, d.rule.code, d.message),
        )
    )


@attrs.frozen
class FileFindings:
    """What was found in one source: sorted by place, no finding twice.

    Findings at ``fail_level`` or above fail the run. ``stale`` says, one line each, which entries
    of a baseline no longer occur. ``reported`` is the number of findings after which the rest of
    the file was not looked at. ``ran`` are the codes of the rules that have said all they had to
    say: only their silence means something.
    """

    source: Source
    diagnostics: tuple[Diagnostic, ...] = attrs.field(converter=_in_order)
    fail_level: Severity = attrs.field(default=Severity.WARNING, kw_only=True)
    reported: int | None = attrs.field(default=None, kw_only=True)
    stale: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    ran: frozenset[str] = attrs.field(default=frozenset(), kw_only=True, repr=False)

    @property
    def fails(self) -> bool:
        """Whether any finding is at the fail level or above."""
        return any(map(self.is_failure, self.diagnostics))

    def is_failure(self, diagnostic: Diagnostic) -> bool:
        """Whether a finding is at the fail level or above."""
        return _RANK[diagnostic.rule.severity] <= _RANK[self.fail_level]


@attrs.frozen
class Findings:
    """What was found in all sources, in the order in which they were given."""

    files: tuple[FileFindings, ...] = ()

    @property
    def counts(self) -> Counter[Severity]:
        """How many findings there are of each severity."""
        return Counter(d.rule.severity for file in self.files for d in file.diagnostics)

    @property
    def exit_code(self) -> int:
        """1 when any file fails, else 0."""
        return int(any(file.fails for file in self.files))

    def worst_first(self) -> tuple[tuple[FileFindings, Diagnostic], ...]:
        """Return all findings with their files: errors first, else in order."""
        found = [(file, d) for file in self.files for d in file.diagnostics]
        return tuple(sorted(found, key=lambda pair: _RANK[pair[1].rule.severity]))
