"""Claim: `mirc check` ends within 40 s and 1.3 GB on files made to hurt it, with an answer.

Each case is written to a temporary file and checked in a process of its own; prints what it cost,
the exit code (1: findings, 2: refused) and the first line of what is said. Never a traceback.

    python benchmarks/hostile.py [CASE ...]
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MOST_SECONDS = 40.0
MOST_MB = 1300
MILLION = 10**6


def _in(value: str) -> str:
    return f"mir 1.0\nobject a {{\n  class = INPUT\n  size_bytes = {value}\n}}\n"


def _many(count: int, text: str) -> Iterator[str]:
    for _ in range(count // 1000):
        yield text * 1000


def _numbered(count: int, text: str) -> Iterator[str]:
    for start in range(0, count, 1000):
        yield "".join(text.format(i) for i in range(start, start + 1000))


def _used_beyond(count: int) -> Iterator[str]:
    """Objects that are read after what they say is the last step, all by one long step."""
    yield from _numbered(count, "object w{} {{ class = ACTIVATION  latest_use = a }}\n")
    yield "phase p {\n  step a { reads = [w0] }\n  step b {\n    reads = ["
    yield from _numbered(count, "w{},\n")
    yield "]\n  }\n}\n"


def _in_turn(count: int) -> Iterator[str]:
    """Write the same in two long steps, to which the findings point in turn."""
    yield from _numbered(count, "object w{} {{ class = ACTIVATION  latest_use = a }}\n")
    yield "phase p {\n  step a { reads = [w0] }\n"
    for step in range(2):
        yield f"  step b{step} {{\n    reads = ["
        yield "".join(f"w{i}, // {'x' * 40}\n" for i in range(step, count, 2))
        yield "]\n  }\n"
    yield "}\n"


CASES: dict[str, Callable[[], Iterator[str]]] = {
    "100 MB of one line: a": lambda: _many(100 * MILLION, "a"),
    "100 MB of one line: fields": lambda: iter(
        ["object a { ", *_many(16 * MILLION, "x = 1 "), "}"]
    ),
    "100 MB of one line: brackets": lambda: _many(100 * MILLION, "["),
    "100 MB of one line: string": lambda: iter(['object "', *_many(100 * MILLION, "a"), '" {}']),
    "100 MB of one line: comment": lambda: iter(["//", *_many(100 * MILLION, "/")]),
    "100 MB of one line: blanks": lambda: _many(100 * MILLION, " "),
    "100 MB of line breaks": lambda: _many(100 * MILLION, "\n"),
    "100 MB of NUL": lambda: _many(100 * MILLION, "\0"),
    "100 MB of braces": lambda: _many(50 * MILLION, "}{"),
    "100 MB of short lines": lambda: _many(25 * MILLION, "x=1\n"),
    "100 MB of one field": lambda: iter(["object a {\n", *_many(25 * MILLION, "x=1\n"), "}"]),
    "30 MB of unlike fields": lambda: iter(["object a {", *_numbered(3 * MILLION, "k{}=1\n"), "}"]),
    "10^6 nested brackets": lambda: iter([_in("[" * MILLION + "]" * MILLION)]),
    "10^6 nested brackets, one a line": lambda: iter([_in("[\n" * MILLION + "]\n" * MILLION)]),
    "10^6 nested blocks": lambda: _many(MILLION, "phase a {\n"),
    "10^5 duplicate declarations": lambda: _many(10**5, "object a { class = INPUT }\n"),
    "10^5 duplicate fields": lambda: iter(["object a {\n", *_many(10**5, "class = INPUT\n"), "}"]),
    "10^5 unknown keys": lambda: iter(["object a {\n", *_numbered(10**5, "k{} = 1\n"), "}"]),
    "10^5 undeclared names": lambda: iter(
        ["phase p { step s { reads = [", *_numbered(10**5, "n{},\n"), "] } }"]
    ),
    "10^5 open strings": lambda: _many(10**5, 'object a { class = "x\n'),
    "10^6 digits": lambda: iter([_in("9" * MILLION)]),
    "10^6 digits and a slip": lambda: iter([_in("9" * MILLION), "object b { class : INPUT }"]),
    "10^6 digits with underscores": lambda: iter([_in("9_" * MILLION + "9")]),
    "10^6 digits and a unit": lambda: iter([_in("9" * MILLION + "MiB")]),
    "10^6 dots in a name": lambda: iter([_in("a" + ".a" * MILLION)]),
    "10^6 elements": lambda: iter([_in(f"[{'1, ' * MILLION}]")]),
    "10^6 bad characters": lambda: iter([_in("?" * MILLION)]),
    "10^6 names in other scripts": lambda: iter([_in("größe " * MILLION)]),
    "10^5 comments that open": lambda: _many(10**5, "/* object a {\n"),
    "10^5 equal bodies and one unclosed": lambda: iter(
        [*_many(10**5, "object a {\n  class = INPUT\n}\n"), "object b {\n  class = INPUT\n "]
    ),
    "20,000 findings about one step": lambda: _used_beyond(20_000),
    "20,000 findings about two steps in turn": lambda: _in_turn(20_000),
    "30,000 findings on one line": lambda: iter(
        [
            *_numbered(30_000, "object w{} {{ class = INPUT reuse = LOW }} "),
            "phase p { step s { } ",
            *_numbered(30_000, "override w{} {{ reuse = LOW }} "),
            "}",
        ]
    ),
    "10^5 stacked ignores": lambda: iter(
        [*_many(10**5, "// mirc: ignore[MIR401] why\n"), "object a { class = INPUT }\n"]
    ),
}


def text_of(case: str, path: Path) -> None:
    """Write a case, piece by piece: this process must stay small."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(CASES[case]())


# The peak is asked of the process itself: what its parent sees includes the parent's own.
_CHECK = """
import atexit
@atexit.register
def said():
    with open("/proc/self/status") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
from mirc.cli.main import main
main()
"""


def checked(path: Path) -> tuple[float, float, int, str]:
    """Return seconds, peak MB, the exit code and the first line of `mirc check`."""
    out = path.with_suffix(".out")
    command = [sys.executable, "-c", _CHECK, "check", str(path), "--output-format", "concise"]
    begin = time.perf_counter()
    with out.open("wb") as sink:
        code = subprocess.run(
            command, check=False, stdout=sink, stderr=subprocess.STDOUT
        ).returncode
    seconds = time.perf_counter() - begin
    with out.open("rb") as file:
        first = file.readline(400).decode("utf-8", "replace").strip().replace(str(path), "x")
        rest = file.read()
    peak = rest.split()[-1] if rest.split() else b"0"
    return seconds, int(peak) / 1024, 99 if b"Traceback" in rest else code, first


def main() -> None:
    """Check each case and print a Markdown table."""
    wrong = 0
    print("| file | MB | seconds | peak MB | exit | first line |")
    print("|---|---:|---:|---:|---:|---|")
    for case in sys.argv[1:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x.mir")
            text_of(case, path)
            seconds, peak, code, first = checked(path)
            size = path.stat().st_size / 1e6
        wrong += code not in (1, 2) or seconds > MOST_SECONDS or peak > MOST_MB
        shown = first[:100].replace("|", "\\|")
        print(
            f"| {case} | {size:.1f} | {seconds:.1f} | {peak:.0f} | {code} | {shown} |", flush=True
        )
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
