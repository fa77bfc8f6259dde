"""Findings into a JUnit report: a suite for each file, a case for each finding."""

from xml.etree import ElementTree as ET

from mirc.diagnostics.addresses import portable, relative
from mirc.diagnostics.excerpt import safe
from mirc.diagnostics.findings import FileFindings, Findings
from mirc.diagnostics.model import Diagnostic


def as_text(findings: Findings, *, root: str) -> str:
    """Return the report; a file without findings is one case that passed.

    A finding below the fail level is a case that passed and has something to say.
    """
    suites = ET.Element(
        "testsuites",
        name="mirc check",
        tests=str(sum(max(1, len(file.diagnostics)) for file in findings.files)),
        failures=str(sum(map(_failures, findings.files))),
    )
    for file in findings.files:
        suites.append(_suite(file, root))
    ET.indent(suites)
    body: str = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _failures(file: FileFindings) -> int:
    return sum(map(file.is_failure, file.diagnostics))


def _suite(file: FileFindings, root: str) -> ET.Element:
    path = relative(file.source.name, root)
    count = len(file.diagnostics)
    suite = ET.Element(
        "testsuite",
        name=_plain(path),
        tests=str(max(1, count)),
        failures=str(_failures(file)),
        errors="0",
    )
    for diagnostic in file.diagnostics:
        suite.append(_case(file, path, diagnostic))
    if not count:
        ET.SubElement(suite, "testcase", name="mirc check", classname=_plain(path))
    return suite


def _case(file: FileFindings, path: str, diagnostic: Diagnostic) -> ET.Element:
    rule = diagnostic.rule
    line, column = file.source.position(min(diagnostic.span.start, len(file.source.text)))
    case = ET.Element(
        "testcase",
        name=f"{rule.code} {rule.name} {line}:{column}",
        classname=_plain(path),
        file=_plain(path),
        line=str(line),
    )
    help_ = f"\nhelp: {_plain(diagnostic.hint)}" if diagnostic.hint else ""
    words = f"{_plain(path)}:{line}:{column}: {_plain(diagnostic.message)}{help_}"
    if file.is_failure(diagnostic):
        message = _plain(diagnostic.message)
        ET.SubElement(case, "failure", type=rule.severity.value, message=message).text = words
    else:
        ET.SubElement(case, "system-out").text = f"{rule.severity.value}: {words}"
    return case


def _plain(text: str) -> str:
    # XML has no way to write most control characters, and no lone surrogates.
    return safe(portable(text))
