"""Old findings into a file, and that file into the findings that are new."""

import json
import os
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from mirc.diagnostics import CouldNotRun, FileFindings, Findings
from mirc.diagnostics.addresses import portable
from mirc.diagnostics.fingerprints import identities
from mirc.lint.registry import RULE_BY_CODE

FORMAT = "mirc-baseline"
FORMAT_VERSION = 1
LARGEST_FILE_BYTES = 256 << 20
_REWRITE = "write it again with `mirc check --write-baseline`"


@attrs.frozen
class Baseline:
    """Findings that were there when it was written: of each file, how many of (rule, subject).

    Lines take no part, so edits elsewhere in a file change nothing. ``folder`` is where the
    baseline lies; its files are named from there.
    """

    folder: str
    files: dict[str, dict[tuple[str, str], int]]

    def without(self, file: FileFindings) -> FileFindings:
        """Return the findings that are not in the baseline, and what in it no longer occurs.

        Only rules that ran on the file are judged, and none that speaks of a machine: another
        run, on another machine, may find it still.
        """
        old = self.files.get(_address(file.source.name, self.folder), {})
        if not old:
            return file
        met: Counter[tuple[str, str]] = Counter()
        new = []
        for identity, diagnostic in identities(file):
            key = (identity.rule, portable(identity.subject))
            met[key] += 1
            if identity.occurrence >= old.get(key, 0):
                new.append(diagnostic)
        gone = [
            f"{rule} of {subject}" + (f", {count - met[rule, subject]} times" * (count > 1))
            for (rule, subject), count in old.items()
            if met[rule, subject] < count and rule in file.ran and not RULE_BY_CODE[rule].machine
        ]
        return attrs.evolve(file, diagnostics=tuple(new), stale=tuple(gone))


def read(path: str) -> Baseline:
    """Return the baseline in a file; raises ``CouldNotRun``."""
    try:
        stamp = Path(path).stat().st_mtime_ns
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CouldNotRun(
            f"cannot read the baseline `{path}`: {reason}", "write it with `--write-baseline`"
        ) from error
    return _read(path, stamp)


def as_text(findings: Findings, path: str) -> str:
    """Return the text of a baseline that will lie at ``path``; syntax errors never enter one."""
    folder = str(Path(os.path.realpath(path)).parent)
    files: dict[str, list[dict[str, Any]]] = {}
    for file in findings.files:
        counts = Counter(
            (identity.rule, portable(identity.subject))
            for identity, diagnostic in identities(file)
            if not diagnostic.rule.is_syntax
        )
        if counts:
            files[_address(file.source.name, folder)] = [
                {"rule": rule, "subject": subject, "count": count}
                for (rule, subject), count in sorted(counts.items())
            ]
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "files": dict(sorted(files.items())),
    }
    return json.dumps(document, indent=2) + "\n"


def outside(findings: Findings) -> Findings:
    """Return what cannot stand in a baseline: syntax errors."""
    return Findings(
        tuple(
            attrs.evolve(
                file,
                diagnostics=tuple(d for d in file.diagnostics if d.rule.is_syntax),
            )
            for file in findings.files
        )
    )


@lru_cache(maxsize=16)
def _read(path: str, stamp: int) -> Baseline:
    del stamp  # a file that was written again is another
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise CouldNotRun(f"the baseline `{path}` is larger than 256 MiB", _REWRITE)
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CouldNotRun(f"the baseline `{path}` is not JSON", _REWRITE) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CouldNotRun(f"cannot read the baseline `{path}`: {reason}", _REWRITE) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CouldNotRun(f"`{path}` is no baseline of mirc", _REWRITE)
    if document.get("format_version") != FORMAT_VERSION:
        raise CouldNotRun(f"the baseline `{path}` was written by another mirc", _REWRITE)
    try:
        files = {
            str(name): {
                (str(entry["rule"]), str(entry["subject"])): int(entry["count"])
                for entry in entries
            }
            for name, entries in document["files"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CouldNotRun(f"the baseline `{path}` is damaged", _REWRITE) from error
    return Baseline(str(Path(os.path.realpath(path)).parent), files)


def _address(name: str, folder: str) -> str:
    return portable(os.path.relpath(os.path.realpath(name), folder).replace(os.sep, "/"))
