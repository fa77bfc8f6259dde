"""Keywords, calls and units into what they mean."""

from collections.abc import Iterator

import attrs

from mirc.explain.kinds import calls_of
from mirc.explain.members import meanings
from mirc.explain.model import Example, Meaning, Subject, Table
from mirc.ir.clauses import Predicate
from mirc.ir.fields import FIELDS, KEYS_WHERE, Where
from mirc.ir.units import PS_PER_US, Unreadable, parse_size, parse_time

_KEYWORDS: tuple[tuple[str, str, tuple[Where, ...], str], ...] = (
    (
        "module",
        "What the file is about, and the schedule of phases; at most one.",
        (Where.MODULE,),
        "module llama_8b { schedule = [prefill, REPEAT(128, decode_step)] }",
    ),
    ("object", "One piece of data.", (Where.OBJECT,), "object w { class = WEIGHT_TILE }"),
    (
        "extern",
        "`extern object NAME`: an object that another file declares and this one uses.",
        (Where.OBJECT,),
        "extern object w",
    ),
    (
        "template",
        "One object for each instance (a sequence's block), made as the run goes.",
        (Where.TEMPLATE,),
        "template kv { class = KV_BLOCK  instance = [SEQUENCE, BLOCK]  block_tokens = 16 }",
    ),
    (
        "coalition",
        "Objects that are used together: a hint, never an atomic fetch.",
        (Where.COALITION,),
        "coalition layer_0 { members = [w, kv] }",
    ),
    (
        "tenant",
        "A holder of quota and security domain.",
        (Where.TENANT,),
        "tenant support { quota_bytes = 6GiB  security_domain = support }",
    ),
    (
        "claim",
        "A promise about resident blocks, with its holder and terms.",
        (Where.CLAIM,),
        "claim prompt { holder = gateway  objects = [kv]  guarantee = SOFT }",
    ),
    (
        "phase",
        "A stretch of execution; inside a plan, what the plan decides for it.",
        (Where.PHASE, Where.PLAN_PHASE),
        "phase decode_step { step layers.0.mlp { reads = [w] } }",
    ),
    (
        "step",
        "One unit of progress inside a phase: a leaf module's run of operations.",
        (Where.STEP,),
        "step layers.0.mlp { reads = [w]  flops = PER_TOKEN(117_440_512) }",
    ),
    (
        "override",
        "What changes for one object or family inside the phase, signal or plan around it.",
        (Where.OVERRIDE, Where.PLAN_OVERRIDE, Where.PLAN_PHASE_OVERRIDE),
        "override kv { anti_evict_rule = WHILE_FANOUT_GT_1 }",
    ),
    (
        "on",
        "`on EVENT`: like a phase, begun by an event of the run.",
        (Where.SIGNAL,),
        "on tool_wait { override kv { preferred_tiers = [DRAM] } }",
    ),
    (
        "plan",
        "What was chosen for one machine; the intent beside it stays true on every machine.",
        (Where.PLAN,),
        'plan small { machine = "card-24g" }',
    ),
    ("true", "Yes, for the keys that take `true` or `false`.", (), "replication_allowed = true"),
    ("false", "No, for the keys that take `true` or `false`.", (), "critical = false"),
)

_CALLS: tuple[tuple[str, str, str], ...] = (
    (
        "PER_TOKEN(n)",
        "`n` bytes or FLOPs for each new token of the step's batch.",
        "size_bytes = PER_TOKEN(4KiB)",
    ),
    (
        "PER_SEQUENCE(n)",
        "`n` bytes or FLOPs for each sequence of the step's batch.",
        "size_bytes = PER_SEQUENCE(2MiB)",
    ),
    (
        "TOUCH(object, bytes)",
        "A use of a part: only so many bytes of the object.",
        "reads = [TOUCH(embed, PER_TOKEN(16KiB))]",
    ),
    (
        "ROUTED(family, k)",
        "A use of the `k` parts of a family that the router chooses for each token.",
        "reads = [ROUTED(layers.3.mlp.experts, 8)]",
    ),
    (
        "EVERY(unit), EVERY(n, phase)",
        "As `reuse`, how regularly it is read; in a schedule, the phase at each n-th time.",
        "reuse = EVERY(ITERATION)",
    ),
    (
        "WINDOW(n)",
        "It must not be used again after `n` further tokens.",
        "retire = WINDOW(4_096)",
    ),
    (
        "AFTER(step)",
        "It must not be used again after the step.",
        "retire = AFTER(layers.0.mlp)",
    ),
    (
        "PAGED(fragments, bytes)",
        "It lies in so many pieces of that size.",
        "layout = PAGED(4, 64KiB)",
    ),
    (
        "NEAR(processor)",
        "It can be consumed by a processor beside it.",
        "access = [STAGE, NEAR(CPU)]",
    ),
    (
        "SPLIT(dimension, axis)",
        "Each accelerator of the mesh axis holds its share.",
        "shard = SPLIT(0, tp)",
    ),
    (
        "SEQUENCE_GROUP(sequence, ...)",
        "Exactly these sequences share the bytes.",
        "sharing_scope = SEQUENCE_GROUP(17, 18)",
    ),
    (
        "AXIS(name, size)",
        "One axis of the mesh of accelerators.",
        "mesh = [AXIS(tp, 8)]",
    ),
    (
        "RANGE(start, end), RANGE(start, end, priority, time)",
        "Tokens from `start` to before `end`; in directives with their priority and time.",
        "token_range = RANGE(0, 1_024)",
    ),
    (
        "REPEAT(n, phase, ...)",
        "The phases `n` times, one after the other.",
        "schedule = [prefill, REPEAT(128, decode_step)]",
    ),
    (
        "LOOP(phase, ...)",
        "The phases again and again, without end.",
        "schedule = [prefill, LOOP(decode_step)]",
    ),
)

_BARE = {
    "CONTIGUOUS": ("layout", "It lies in one piece."),
    "REPLICATED": ("shard", "Every accelerator of the mesh holds all of it."),
    "ONCE": ("reuse", "It is read once."),
}

_UNITS = ("B", "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB", "ps", "ns", "us", "ms", "s")


def keywords() -> Iterator[Meaning]:
    """Explain every reserved word."""
    for name, summary, places, example in _KEYWORDS:
        tables = tuple(
            Table(f"keys of {where}", ("key", "says"), _keys(where))
            for where in places
            if KEYS_WHERE[where]
        )
        yield Meaning(
            subject=Subject.KEYWORD,
            name=name,
            summary=summary,
            tables=tables,
            examples=(Example("example", example),),
        )


def _keys(where: Where) -> tuple[tuple[str, str], ...]:
    return tuple((spec.key, spec.doc) for spec in KEYS_WHERE[where].values())


def calls() -> Iterator[Meaning]:
    """Explain every word with arguments, and the words that stand beside them."""
    for form, summary, example in _CALLS:
        name = form.partition("(")[0]
        keys = ", ".join(
            spec.key for spec in FIELDS if any(call.word == name for call in calls_of(spec.type))
        )
        facts = [("written", form), *([("taken by", keys)] if keys else [])]
        yield Meaning(
            subject=Subject.CALL,
            name=name,
            summary=summary,
            facts=tuple(facts),
            examples=(Example("example", example),),
        )
    for name, (key, summary) in _BARE.items():
        facts = [("taken by", key)]
        yield Meaning(subject=Subject.WORD, name=name, summary=summary, facts=tuple(facts))
    for predicate in Predicate:
        yield protection(f"WHILE_{predicate}" + ("_1" if "FANOUT" in predicate else ""))
    yield protection("UNTIL_ALLREDUCE_COMPLETE")


def protection(name: str) -> Meaning:
    """Explain ``WHILE_FANOUT_GT_1``, ``UNTIL_EVENT``: what keeps an object in place."""
    predicate, _, bound = name.removeprefix("WHILE_").rpartition("_")
    if name.startswith("WHILE_") and bound.isdigit():
        said = meanings(Predicate)[predicate].partition(" (")[0].replace(" n ", f" {bound} ")
        summary = f"While it holds, the object stays where it is: {_lowered(said)}."
    elif name.startswith("WHILE_"):
        said = meanings(Predicate)[name.removeprefix("WHILE_")]
        summary = f"While it holds, the object stays where it is: {_lowered(said)}."
    else:
        event = name.removeprefix("UNTIL_").lower()
        summary = f"The object stays where it is until `{event}` happens or a step raises it."
    return Meaning(
        subject=Subject.WORD,
        name=name,
        summary=summary,
        facts=(("taken by", "anti_evict_rule, materialized"),),
        examples=(Example("example", f"anti_evict_rule = {name}"),),
    )


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def units() -> Iterator[Meaning]:
    """Explain every unit."""
    for unit in _UNITS:
        meaning = quantity(f"1{unit}")
        if meaning is not None:
            yield attrs.evolve(meaning, name=unit)


def quantity(text: str) -> Meaning | None:
    """Explain a number with its unit, ``128MiB``; None for any other text."""
    try:
        said = f"{parse_size(text):,} bytes"
        kind = "size"
    except Unreadable:
        try:
            said = f"{parse_time(text) / PS_PER_US:,.12g} microseconds"
            kind = "time"
        except Unreadable:
            return None
    said = said.removesuffix("s") if said.startswith("1 ") else said
    return Meaning(subject=Subject.UNIT, name=text, noun=f"a {kind}", summary=f"It is {said}.")
