"""Diagnostics of several files into one ordered whole with counts and an exit code."""

from collections import Counter

import attrs

from mirc.diagnostics.model import Diagnostic, Severity, Source


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
    """What was found in one source: sorted by place, no finding twice."""

    source: Source
    diagnostics: tuple[Diagnostic, ...] = attrs.field(converter=_in_order)


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
        """0 when nothing is worse than a hint, else 1."""
        counts = self.counts
        return int(counts[Severity.ERROR] + counts[Severity.WARNING] > 0)
