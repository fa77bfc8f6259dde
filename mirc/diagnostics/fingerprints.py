"""Findings into names that stay when lines move: rule, subject and which of them it is."""

import re
from collections import Counter
from collections.abc import Iterator

import attrs

from mirc.diagnostics.findings import FileFindings
from mirc.diagnostics.model import Diagnostic, Source


@attrs.frozen(slots=True, order=True)
class Identity:
    """What makes a finding the same one after an edit elsewhere; ``occurrence`` counts from 0."""

    rule: str
    subject: str
    occurrence: int

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits."""
        import hashlib  # noqa: PLC0415 - only forms for machines print it

        words = "\0".join((self.rule, self.subject, str(self.occurrence)))
        data = words.encode("utf-8", "surrogatepass")
        return hashlib.sha256(data).hexdigest()[:32]


def identities(file: FileFindings) -> Iterator[tuple[Identity, Diagnostic]]:
    """Yield each finding of a file with its identity, in order of place."""
    met: Counter[tuple[str, str]] = Counter()
    for diagnostic in file.diagnostics:
        key = (diagnostic.rule.code, subject_of(file.source, diagnostic))
        yield Identity(*key, met[key]), diagnostic
        met[key] += 1


def subject_of(source: Source, diagnostic: Diagnostic) -> str:
    """Return what a finding is about; where nothing has a name, the words of its line."""
    if diagnostic.subject:
        return diagnostic.subject
    number, _ = source.position(min(diagnostic.span.start, len(source.text)))
    return re.sub(r"\s+", " ", source.line(number).strip())[:200]
