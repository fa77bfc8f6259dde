"""A name of a file into what its declaration says of it, where the cursor stands."""

from collections import Counter

from mirc.diagnostics.markup import code
from mirc.grammar.shown import shown
from mirc.ir.fields import FIELD_BY_KEY
from mirc.ir.module import Block, Coalition, Module, Object, Phase, Template
from mirc.ir.resolve import Layer, Resolved, View
from mirc.ir.types import RefKind
from mirc.lsp.analysis import noun_of
from mirc.lsp.cursor import Frame
from mirc.lsp.symbols import Symbol, Symbols

_TOLD = (
    "size_bytes",
    "preferred_tiers",
    "fallback_tiers",
    "residency",
    "reuse",
    "persistence_scope",
    "deadline_class",
    "spill_policy",
    "pin_level",
    "anti_evict_rule",
)
_MOST = 8  # places or names listed before the rest is counted


def described(symbols: Symbols, symbol: Symbol, frames: tuple[Frame, ...]) -> str | None:
    """Return Markdown about a declared name; None for one that nothing declares.

    Of an object: what holds for it in the phase, signal and plan around the cursor.
    """
    meant = [m for m in symbols.meant(symbol) if m in symbols.declarations]
    if not meant:
        return None
    block = symbols.declarations[meant[0]][0]
    family = meant[0] != symbol
    noun = f"family of {len(meant):,} parts" if family else noun_of(block)
    parts = [f"**{noun}** {code(symbol.name)}{_where(symbols, block)}"]
    if symbol.kind is RefKind.DATA:
        rows = _values(symbols.analysis.module, meant[0].name, frames)
        if rows:
            first = f" of {code(meant[0].name)}" if family else ""
            parts.append(f"{_when(frames)}{first}:\n\n" + "\n".join(rows))
    elif isinstance(block, Phase):
        parts.append(f"{len(block.steps):,} steps, {len(block.overrides):,} overrides")
    elif isinstance(block, Coalition):
        members = [s.name for s in _members(symbols, block)]
        parts.append(_listed(members))
    uses = _uses(symbols, symbol)
    if uses:
        parts.append(uses)
    return "\n\n".join(parts) + "\n"


def _where(symbols: Symbols, block: Block) -> str:
    line = symbols.analysis.lines.place(symbols.analysis.name_span(block).start).line
    return f", line {line + 1}"


def _members(symbols: Symbols, block: Coalition) -> list[Symbol]:
    return [
        symbol
        for symbol, uses in symbols.uses.items()
        if any(use.block is block and use.key == "members" for use in uses)
    ]


def _listed(names: list[str]) -> str:
    some = ", ".join(code(name) for name in names[:_MOST])
    return some + (f" and {len(names) - _MOST:,} more" if len(names) > _MOST else "")


def view_at(module: Module, frames: tuple[Frame, ...]) -> View:
    """Return the view that holds inside the blocks around a cursor, as far as they are right."""
    named = {frame.keyword: frame.name for frame in frames}
    phase, signal, plan = named.get("phase"), named.get("on"), named.get("plan")
    return View(
        module,
        phase if phase in module.phases else None,
        signal if signal in module.signals else None,
        plan if plan in module.plans else None,
    )


def _when(frames: tuple[Frame, ...]) -> str:
    words = [f"{f.keyword} {code(f.name)}" for f in frames if f.keyword in ("phase", "on", "plan")]
    return f"holds in {', '.join(words)}" if words else "holds"


def _values(module: Module, name: str, frames: tuple[Frame, ...]) -> list[str]:
    declared = module.data.get(name)
    if not isinstance(declared, Object | Template):
        return []
    view = view_at(module, frames)
    rows = []
    klass = view.class_of(name)
    if klass is not None:
        rows.append(f"- class: {code(klass)}")
    for key in _TOLD:
        resolved = view.get(name, key)
        text = text_of(view, name, key, resolved)
        if text is not None:
            rows.append(f"- {key}: {code(text)}{_origin(resolved)}")
    return rows


def text_of(view: View, name: str, key: str, resolved: Resolved) -> str | None:
    """Return a resolved value as it would be written; None where nothing holds."""
    spec = FIELD_BY_KEY[key]
    field = resolved.origin.field
    value = field.value if field is not None else spec.default_for(view.class_of(name))
    return None if value is None else shown(spec, value)


def origin_of(resolved: Resolved) -> str:
    """Say who said so: ``default of KV_BLOCK``, ``object``, ``phase decode_step``."""
    origin = resolved.origin
    if origin.layer is Layer.DEFAULT:
        return f"default of {origin.name}" if origin.name else "default"
    if origin.layer is Layer.OBJECT:
        return "object"
    return f"{origin.layer} {origin.name}"


def _origin(resolved: Resolved) -> str:
    origin = resolved.origin
    if origin.layer is Layer.OBJECT:
        return ""
    named = origin.layer is not Layer.DEFAULT
    return f" ({origin.layer} {code(origin.name)})" if named else f" ({origin_of(resolved)})"


def _uses(symbols: Symbols, symbol: Symbol) -> str:
    """Count the uses by the key or the block that makes them."""
    counts = Counter(
        use.key or noun_of(use.block) for use in symbols.concerning(symbol) if not use.declares
    )
    said = ", ".join(f"{n:,} {code(key)}" for key, n in counts.items())
    return f"used in {said}" if said else ""
