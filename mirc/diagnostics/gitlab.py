"""Findings into GitLab's code quality report."""

import hashlib
import json

from mirc.diagnostics.addresses import portable, relative
from mirc.diagnostics.findings import Findings
from mirc.diagnostics.fingerprints import identities
from mirc.diagnostics.model import Severity

# GitLab knows info, minor, major, critical and blocker.
_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.HINT: "info"}


def as_text(findings: Findings, *, root: str) -> str:
    """Return the report; paths are those below ``root``, fingerprints those of the baseline."""
    issues = []
    for file in findings.files:
        path = relative(file.source.name, root)
        for identity, diagnostic in identities(file):
            line, _ = file.source.position(min(diagnostic.span.start, len(file.source.text)))
            place = f"{path}\0{identity.fingerprint}".encode()
            issues.append(
                {
                    "description": portable(f"{diagnostic.rule.name}: {diagnostic.message}"),
                    "check_name": diagnostic.rule.code,
                    "fingerprint": hashlib.sha256(place).hexdigest()[:32],
                    "severity": _SEVERITY[diagnostic.rule.severity],
                    "location": {"path": path, "lines": {"begin": line}},
                }
            )
    return json.dumps(issues, indent=2) + "\n"
