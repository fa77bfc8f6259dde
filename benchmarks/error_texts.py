"""Right texts and their tokens: the samples, and small modules drawn at random."""

from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from random import Random

import attrs
from lark import Token

from mirc.grammar.parser import lark

SAMPLES = Path(__file__).parent.parent / "samples"
CLASSES = ("WEIGHT_TILE", "ACTIVATION", "KV_BLOCK", "EXPERT_WEIGHT")
MODULES = 60


@attrs.frozen
class Damage:
    """What is written where, and the offsets (in the right text) whose lines are the exact ones."""

    edits: tuple[tuple[int, int, str], ...]
    places: tuple[int, ...]


@attrs.frozen
class Text:
    """A right text and its tokens."""

    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        """All tokens, without blanks and comments."""
        return list(lark().lex(self.text))

    @cached_property
    def depths(self) -> list[int]:
        """How many braces are open before each token."""
        depths, depth = [], 0
        for token in self.tokens:
            depth -= token.type == "RBRACE"
            depths.append(depth)
            depth += token.type == "LBRACE"
        return depths

    @cached_property
    def partners(self) -> dict[int, int]:
        """The index of each bracket's partner."""
        found, open_ = {}, []
        for i, token in enumerate(self.tokens):
            if token.type in ("LBRACE", "LSQB", "LPAR"):
                open_.append(i)
            elif token.type in ("RBRACE", "RSQB", "RPAR"):
                found[i] = open_.pop()
                found[found[i]] = i
        return found

    @cached_property
    def declarations(self) -> list[int]:
        """Offsets at which the declarations on top begin."""
        starts = [0]
        for i, token in enumerate(self.tokens[1:], 1):
            if (
                self.depths[i] == 0
                and token.type != "RBRACE"
                and self.tokens[i - 1].type == "RBRACE"
            ):
                starts.append(int(token.start_pos or 0))
        return starts

    def declaration(self, offset: int) -> int:
        """Return the index of the declaration in which an offset lies."""
        return bisect_right(self.declarations, offset)

    def line_end(self, offset: int) -> int:
        """Return where the line of an offset ends."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def pick(self, random: Random, fits: Callable[[int], bool]) -> int | None:
        """Return the index of any token that fits."""
        indices = [i for i in range(len(self.tokens)) if fits(i)]
        return random.choice(indices) if indices else None

    def kind(self, i: int) -> str:
        """Return the terminal of a token; nothing outside the text."""
        return self.tokens[i].type if 0 <= i < len(self.tokens) else ""

    def span(self, i: int) -> tuple[int, int]:
        """Return where a token stands."""
        return self.tokens[i].start_pos or 0, self.tokens[i].end_pos or 0

    def multiline(self, i: int) -> bool:
        """Whether a bracket and its partner stand on different lines."""
        a, b = sorted((i, self.partners[i]))
        return "\n" in self.text[self.span(a)[0] : self.span(b)[0]]


def texts(random: Random) -> list[str]:
    """Return the samples and as many drawn modules."""
    samples = [path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob("*.mir"))]
    return samples + [drawn(random) for _ in range(MODULES)]


def drawn(random: Random) -> str:
    """Return one module of about 100 lines."""
    layers = random.randint(2, 4)
    objects = [f"layers.{i}.{part}" for i in range(layers) for part in ("mlp.w", "attention.qkv")]
    parts = ["mir 1.0", _module(random), *(_object(random, name) for name in objects)]
    parts.append(f"extern object {random.choice(('shared', 'lm_head.weight'))}")
    parts.append(_block("template kv.layers.0", [
        ("class", "KV_BLOCK"), ("instance", "[SEQUENCE, BLOCK]"), ("block_tokens", "16"),
        ("size_bytes", f"PER_TOKEN({random.choice((2, 4, 8))}KiB)"),
        ("retire", "SEQUENCE_END"),
    ]))  # fmt: skip
    parts.append(_block("tenant support", [("quota_bytes", "6GiB"), ("priority", "60")]))
    members = ", ".join(random.sample(objects, 2))
    parts.append(_block("coalition together", [("members", f"[{members}]")]))
    parts += [_phase(random, name, objects) for name in ("prefill", "decode_step")]
    parts.append(_plan(random, objects))
    random.shuffle(parts[2:])
    return "\n\n".join(parts) + "\n"


def _block(head: str, fields: list[tuple[str, str]], *inner: str, indent: int = 0) -> str:
    pad = " " * indent
    width = max((len(key) for key, _ in fields), default=0)
    lines = [f"{pad}  {key:{width}} = {value}" for key, value in fields]
    return "\n".join([f"{pad}{head} {{", *lines, *inner, f"{pad}}}"])


def _module(random: Random) -> str:
    return _block("module small", [
        ("producer", '"by hand"'),
        ("model", f'"small-{random.randint(1, 9)}b"'),
        ("schedule", f"[prefill, REPEAT({random.randint(2, 200)}, decode_step)]"),
    ])  # fmt: skip


def _object(random: Random, name: str) -> str:
    note = random.choice(("", "  // as measured", "  // the master copy stays"))
    fields = [
        ("class", "WEIGHT_TILE"),
        ("size_bytes", random.choice(("64MiB", "1_048_576", "24MiB")) + note),
        ("backing", "[DRAM]"),
        ("reuse", random.choice(("EVERY(ITERATION)", "HIGH @ 0.9", "EVERY(ITERATION) @ 1.0"))),
        ("preferred_tiers", "[HBM]"),
        ("fallback_tiers", "[DRAM, NVME]"),
        ("spill_policy", "SEVERE_PRESSURE_ONLY"),
    ]
    kept = [field for field in fields if field[0] == "class" or random.random() < 0.8]
    comment = random.choice(("", f"// {name}\n"))
    return comment + _block(f"object {name}", kept)


def _phase(random: Random, name: str, objects: list[str]) -> str:
    steps = []
    for i in range(random.randint(2, 4)):
        reads = ", ".join(random.sample(objects, random.randint(1, 3)))
        fields = [("reads", f"[{reads}]"), ("flops", f"PER_TOKEN({random.randint(1, 9)}_000_000)")]
        steps.append(_block(f"step layers.{i}.mlp", fields, indent=2))
    target = random.choice(objects)
    if random.random() < 0.5:
        steps.append(f"  override {target} {{ spill_policy = NEVER }}")
    else:
        steps.append(_block(f"override {target}", [("preferred_tiers", "[DRAM]")], indent=2))
    return _block(f"phase {name}", [("scope", "SEQUENCE")], *steps)


def _plan(random: Random, objects: list[str]) -> str:
    residency = "[HBM(layers.0.mlp, layers.1.mlp), DRAM]"
    inner = _block(
        f"override {random.choice(objects)}",
        [("residency", residency), ("prefetch_horizon_us", random.choice(("2_140", "3ms")))],
        indent=4,
    )
    return _block(
        "plan small", [("machine", '"h100-sxm"')], _block("phase decode_step", [], inner, indent=2)
    )
