"""Claim: a few errors in 25 MB cost less than reading the file right twice more.

Times `parse` of a right text, then of the same with 1, 20 and 200 errors, each at a line of its
own; checks that each is reported on its line.

    python benchmarks/large_errors.py [--megabytes 25]
"""

import argparse
import re
import sys
import time
from random import Random

from error_texts import drawn

from mirc.diagnostics import Diagnostic, Source
from mirc.grammar.parse import parse
from mirc.grammar.parser import lark

_LIST = re.compile(r" = \[")


def large(megabytes: int, random: Random) -> str:
    """Return that many different small modules in one file."""
    parts: list[str] = []
    size = 0
    while size < megabytes * 1_000_000:
        part = drawn(random).replace("mir 1.0\n", "").replace("layers.", f"m{len(parts)}.layers.")
        parts.append(part)
        size += len(part)
    return "".join(parts)


def timed(text: str) -> tuple[float, tuple[Diagnostic, ...]]:
    """Return the seconds of one parse, and what it found."""
    begin = time.perf_counter()
    found = parse(Source("large.mir", text)).diagnostics
    return time.perf_counter() - begin, found


def main() -> None:
    """Print a Markdown table; fail where an error is not on its line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=25)
    random = Random(1)  # noqa: S311 - for draws that can be repeated
    text = large(parser.parse_args().megabytes, random)
    parse(Source("warm.mir", "object"))  # the first error of a process loads Lark
    lark()
    seconds, found = timed(text)
    missed = len(found)
    print("| errors | seconds | on the exact line |")
    print("|---:|---:|---:|")
    print(f"| 0 | {seconds:.2f} | |")
    for count in (1, 20, 200):
        broken = list(text)
        for match in random.sample(list(_LIST.finditer(text)), count):
            broken[match.start() + 1] = ":"
        source = Source("large.mir", "".join(broken))
        wrong = {n for n, line in enumerate(source.text.split("\n"), 1) if " : [" in line}
        seconds, found = timed(source.text)
        exact = len({source.position(each.span.start)[0] for each in found} & wrong)
        missed += count - exact + abs(len(found) - count)
        print(f"| {count} | {seconds:.2f} | {exact} of {count} |")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
