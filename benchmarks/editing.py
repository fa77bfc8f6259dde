"""Claim: on a file of 1,000 objects the language server answers a question in a few milliseconds.

``python benchmarks/editing.py [OBJECTS]`` times each feature on a text that was just read, best of
five, and checks that each found what it should; the reference in the same run is one parse.
"""

import sys
import time
from collections.abc import Callable

from mirc.diagnostics import Source, Span
from mirc.grammar import parse
from mirc.lsp import actions, complete, hints, hover, navigate, outline, rename
from mirc.lsp.opened import Opened, Texts

_OBJECT = """
object layers.{i}.w {{
  class           = WEIGHT_TILE
  size_bytes      = {size}
  backing         = [DRAM]
  preferred_tiers = [HBM]
  fallback_tiers  = [DRAM]
}}
"""
_STEP = "  step s{i} {{\n    reads = [layers.{i}.w]\n    flops = PER_TOKEN(1_000)\n  }}\n"
_PLANNED = "    override layers.{i}.w {{ residency = [HBM(s0, s{i}), DRAM] }}\n"


def text_of(count: int) -> str:
    """Return a text of so many objects, as many steps, and a plan for some of them."""
    return "".join(
        [
            "mir 1.0\n\nmodule m { schedule = [LOOP(decode)] }\n",
            *(_OBJECT.format(i=i, size=1_000_000 + i) for i in range(count)),
            "\nphase decode {\n",
            *(_STEP.format(i=i) for i in range(count)),
            '}\n\nplan p {\n  machine = "card-24g"\n  phase decode {\n',
            *(_PLANNED.format(i=i) for i in range(0, count, 7)),
            "  }\n}\n",
        ]
    )


def opened(text: str) -> tuple[Texts, Opened]:
    """Return a version of a text about which nothing is known yet."""
    texts = Texts()
    texts.put("a", "a.mir", text, 1)
    found = texts.get("a")
    if found is None:
        raise SystemExit("the text is not open")
    return texts, found


def best(call: Callable[[], object], times: int = 5) -> float:
    """Return the least of several times, in milliseconds; the call must find something."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        found = call()
        took.append(time.perf_counter() - begun)
        if not found:
            raise SystemExit("nothing was found: the figure would mean nothing")
    return 1e3 * min(took)


def main() -> None:
    """Print one line for each feature."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    text = text_of(count)
    print(f"{count:,} objects, {text.count(chr(10)):,} lines, {len(text):,} characters\n")
    texts, version = opened(text)
    names, analysis = version.symbols, version.analysis
    used = text.index(f"[layers.{count // 2}.w]") + 3
    key = text.index("  fallback_tiers", text.index(f"object layers.{count // 2}.w")) + 2
    plan = Span(len(text) - 2_000, len(text))
    rows: dict[str, Callable[[], object]] = {
        "parse alone (the reference)": lambda: parse(Source("a.mir", text)).blocks,
        "a new version read": lambda: opened(text)[1].symbols.declarations,
        "a new version judged": lambda: opened(text)[0].judge(analysis.source).source,
        "hover on a name": lambda: hover.hover(names, used),
        "hover on a key": lambda: hover.hover(names, key),
        "completion of keys": lambda: complete.completion(names, key).items,
        "completion of names": lambda: complete.completion(names, used - 2).items,
        "definition": lambda: navigate.definition(names, used),
        "references": lambda: navigate.references(names, used, declarations=True),
        "rename": lambda: rename.rename(names, used, "renamed"),
        "hints of 60 lines": lambda: hints.hints(analysis, plan),
        "outline": lambda: outline.outline(analysis),
        "folding": lambda: outline.folds(analysis),
        "quick fixes": lambda: actions.quick_fixes(texts.findings(version), plan) == (),
    }
    for name, call in rows.items():
        print(f"{name:30} {best(call):9.2f} ms")


if __name__ == "__main__":
    main()
