"""Claim: a text of 64,000 objects loads within 4 times `json.loads` of the same module as JSON.

Takes what `mirc compile` emits, repeated under new names; then the same with every number
different, where the claim is 10 times. Each figure is the best of several processes that take
turns; the timed region of `load` ends after summing the resolved sizes of all objects and counting
all references. Lark itself reads a tenth of the text, scaled by 10.

    python benchmarks/load.py [MODEL.mir] [--objects 64000] [--runs 3] [--keep out]
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from mirc.diagnostics import Source
from mirc.grammar import json_form, load
from mirc.ir import Module
from mirc.ir.names import NAME_PATTERN

TARGET = "preset:deepseek-v3"
MOST_RSS_MB = 300
LIMITS = {"same": 4.0, "different": 10.0}

_PEAK = """
def PEAK():  # not ru_maxrss: a child inherits that of whoever started it
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
"""
_LOAD = """
import sys, time
from mirc.diagnostics import Source
from mirc.grammar import load
from mirc.ir import View, evaluate
from mirc.ir.references import count_references
with open(sys.argv[1], encoding="utf-8") as file:
    source = Source("x.mir", file.read())
begin = time.perf_counter()
module = load(source)
view = View(module)
sizes = (view.value(name, "size_bytes") for name in module.data)
total = sum(evaluate(size, sequences=1, tokens=1) for size in sizes)
references = count_references(module)
seconds = time.perf_counter() - begin
print(seconds, PEAK(), total, references)
"""
_JSON = """
import json, resource, sys, time
with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
begin = time.perf_counter()
made = json.loads(text)
seconds = time.perf_counter() - begin
print(seconds, PEAK(), len(made))
"""
_LARK = """
import sys, time
from mirc.grammar.parser import lark
with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
parser = lark()
begin = time.perf_counter()
made = parser.parse(text)
seconds = time.perf_counter() - begin
print(seconds, PEAK(), len(made.blocks))
"""


def measured(program: str, path: Path) -> tuple[float, float, list[str]]:
    """Return the seconds, the peak RSS in MB and what else one process reports."""
    command = [sys.executable, "-c", _PEAK + program, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, rss, *rest = done.stdout.split()
    return float(seconds), float(rss), rest


def checked(path: Path) -> float:
    """Return the wall seconds of `mirc check`, which may have findings but must end well."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "mirc", "check", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return time.perf_counter() - begin


def repeated(text: str, module: Module, objects: int) -> str:
    """Return the text with as many renamed copies as give so many objects; one module block."""
    once = len(module.data)
    declared = {*module.data, *module.families, *(block.name for block in module.declarations)}
    declared |= {step.name for phase in module.phases.values() for step in phase.steps}
    body = text.split("\n}\n", 1)[1] if module.info is not None else text.removeprefix("mir 1.0")
    parts = re.split(f"({NAME_PATTERN})", body)
    copies = [text]
    for copy in range(1, -(-objects // once)):
        renamed = [f"copy_{copy}.{part}" if part in declared else part for part in parts]
        copies.append("".join(renamed))
    return "\n".join(copies)


_DECLARED = re.compile(
    rf"^ *(?:object|template|coalition|tenant|claim|phase|step|plan) ({NAME_PATTERN}) \{{",
    re.MULTILINE,
)
_TOKEN = re.compile(
    rf'//[^\n]*|"[^"\n]*"|(?P<name>{NAME_PATTERN})'
    r"|(?P<at>@ )?(?P<whole>[0-9][0-9_]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?"
)


def different(text: str) -> str:
    """Return the text with every number and every declared name unlike any other.

    The version stays, and so do the indices in names: tiles of one tensor keep a name in common.
    """
    families = {match[1].partition("[")[0] for match in _DECLARED.finditer(text)}
    renamed = {name: f"n{count}.{name}" for count, name in enumerate(sorted(families))}
    count = 0

    def changed(match: re.Match[str]) -> str:
        nonlocal count
        if match["name"] is not None:
            family, bracket, index = match[0].partition("[")
            return renamed.get(family, family) + bracket + index
        if match["whole"] is None:
            return match[0]
        count += 1
        whole, fraction = match["whole"], match["fraction"]
        if match["exponent"] is not None:
            return f"{whole}{fraction or '.'}{count:07d}{match['exponent']}"
        if fraction is None and match["at"] is None:
            return f"{int(whole) + count:_}"
        if int(whole) == 1:  # what is at most 1 must stay so
            return f"{match['at'] or ''}0.9{count:07d}"
        return f"{match['at'] or ''}{whole}{fraction or '.'}{count:07d}"

    version, line_end, rest = text.partition("\n")
    return version + line_end + _TOKEN.sub(changed, rest)


def tenth(text: str) -> str:
    """Return about a tenth of the text: its first declarations."""
    return text[: text.index("\n}\n", len(text) // 10) + 3]


def emitted(folder: Path) -> Path:
    """Return what compile emits for the model, made once and kept."""
    path = folder / "deepseek-v3.mir"
    if not path.exists():
        command = [sys.executable, "-m", "mirc", "compile", TARGET, "-o", str(path)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return path


def row(name: str, text: str, folder: Path, runs: int) -> bool:
    """Measure one text, print its row and say whether the claims hold."""
    path, as_json, part = (folder / f"{name}{end}" for end in (".mir", ".json", ".tenth.mir"))
    path.write_text(text, encoding="utf-8")
    as_json.write_text(json_form.as_text(load(Source(name, text))), encoding="utf-8")
    part.write_text(tenth(text), encoding="utf-8")
    loads, plain = [], []
    for _ in range(runs):  # in turn, so that a busy moment meets both
        loads.append(measured(_LOAD, path))
        plain.append(measured(_JSON, as_json))
    lark = measured(_LARK, part)[0] * len(text) / part.stat().st_size
    check = min(checked(path) for _ in range(min(runs, 2)))
    best, json_best = min(loads)[0], min(plain)[0]
    rss, ratio, most = max(run[1] for run in loads), best / json_best, LIMITS[name]
    size = path.stat().st_size / 1e6
    objects = len(re.findall(r"^(?:object|template) ", text, re.MULTILINE))
    print(
        f"| {name} | {objects:,} | {size:.1f} | {as_json.stat().st_size / 1e6:.1f} | {best:.3f}"
        f" | {json_best:.3f} | {ratio:.1f} | {most:g} | {lark:.1f} | {check:.2f} | {rss:.0f} |"
    )
    return ratio <= most and rss < MOST_RSS_MB


def main() -> None:
    """Make the texts, time everything and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--objects", type=int, default=64_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, default=Path("out/load"))
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    path = options.model or emitted(options.keep)
    text = path.read_text(encoding="utf-8")
    same = repeated(text, load(Source(str(path), text)), options.objects)
    print(
        "| text | objects | MB | JSON MB | load, s | json.loads, s | ratio | at most"
        " | Lark x 10, s | mirc check, s | peak RSS, MB |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    held = [
        row("same", same, options.keep, options.runs),
        row("different", different(same), options.keep, options.runs),
    ]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
