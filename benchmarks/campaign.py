"""Claim: no text makes `mirc` crash or hang: a Hypothesis campaign over all that reads a text.

Texts are canonical modules, damaged ones, and the language's words in any order; each is parsed,
checked by every rule, rendered in every form, fixed, formatted, turned into JSON and back, and
compared with the one before. Prints how many of each were tried, how many were right, and the
first crash with its text; a text that takes more than 20 s is one.

    python benchmarks/campaign.py [--seconds 600]
"""

import argparse
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the strategies of the tests

from mirc.changes import diff
from mirc.diagnostics import CouldNotRun, Findings, Source, github, junit, render, sarif
from mirc.grammar import MirRejected, json_form, json_read, load, print_module
from mirc.grammar.format import formatted
from mirc.ir import KEYWORDS, Module
from mirc.ir.fields import FIELD_BY_KEY
from mirc.lint.check import check_source
from mirc.lint.fixing import fixed
from mirc.lint.registry import ALL_RULES
from tests.grammar.texts import damaged
from tests.strategies import modules, raw_modules

WORDS = st.sampled_from(
    (
        *(
            *KEYWORDS,
            *FIELD_BY_KEY,
            *"{}[]()=@,:;#?/\\\"'`\0",
            "\n",
            "\r\n",
            " ",
            "//",
            "/*",
            "mir 1.0",
        ),
        *(
            "1",
            "0.5",
            "128MiB",
            "12us",
            "-3",
            "9" * 50,
            "1e999",
            "HBM",
            "PER_TOKEN(",
            "é",
            "\ufeff",
        ),
        *(
            "\ud800",
            '"x"',
            '"\\ud800"',
            "a.b[3]",
            "[",
            "[HBM, DRAM]",
            "class = INPUT\n",
            "object w {\n",
        ),
    )
)
KINDS = {
    "right modules": modules().map(print_module),
    "modules without meaning": raw_modules().map(print_module),
    "damaged texts": st.integers(0, 2**40).map(damaged),
    "words": st.lists(WORDS, max_size=40).map(" ".join),
    "any text": st.text(max_size=80),
}


def campaign(kind: str, examples: int, run: int, counts: Counter[str]) -> None:
    """Check so many texts of a kind; whatever is raised but a refusal is a crash."""

    @seed(run)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(KINDS[kind])
    def check(text: str) -> None:
        counts[kind] += 1
        signal.alarm(20)
        try:
            findings = Findings((check_source(Source("x.mir", text)),))
        except CouldNotRun:
            counts["refused"] += 1
            return
        counts["without errors or warnings"] += findings.exit_code == 0
        render.full(findings, render.PLAIN)
        sarif.as_text(findings, ALL_RULES, version="0", root=".")
        github.as_text(findings, root=".")
        junit.as_text(findings, root=".")
        counts["formatted"] += _formatted(findings.files[0].source, before)
        fixes = any(found.fix for found in findings.files[0].diagnostics)
        if fixes and counts[kind] % 5 == 0:
            counts["fixed"] += 1
            fixed(findings.files[0].source, check_source)

    before = [load(Source("empty.mir", "mir 1.0\n"))]
    check()


def _formatted(source: Source, before: list[Module]) -> bool:
    """Format a text, turn it into JSON and back, and compare it with the one before."""
    try:
        formatted(source)
        module = load(source)
    except (MirRejected, CouldNotRun):
        return False
    json_read.read(Source("x.json", json_form.as_text(module)))
    diff(before[0], module)
    before[0] = module
    return True


def _too_long(*_: object) -> None:
    raise TimeoutError("20 s for one text")


def main() -> None:
    """Go through the kinds in turn until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    until = time.monotonic() + parser.parse_args().seconds
    counts: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _too_long)
    run = 0
    while time.monotonic() < until:
        run += 1
        for kind in KINDS:
            campaign(kind, 100 if "modules" in kind else 400, run, counts)
    signal.alarm(0)
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    print("no crash")


if __name__ == "__main__":
    main()
