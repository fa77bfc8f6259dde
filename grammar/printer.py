"""An ir.Module into its canonical text: one field a line, ``=`` aligned, comments kept."""

import attrs

from mirc.grammar.alignment import starts_of, with_tails
from mirc.grammar.literals import print_name, print_value
from mirc.grammar.memory import collection_paused
from mirc.ir.module import (
    Block,
    Claim,
    Coalition,
    Declaration,
    Field,
    Module,
    Object,
    Phase,
    Plan,
    PlanPhase,
    Signal,
    Template,
    Tenant,
    Trivia,
)

_INDENT = "  "
_KEYWORDS: dict[type[Block], str] = {
    Block: "module",
    Template: "template",
    Coalition: "coalition",
    Tenant: "tenant",
    Claim: "claim",
    Phase: "phase",
    Signal: "on",
    Plan: "plan",
}


def print_module(module: Module) -> str:
    """Return the text that parses back to an equal module, with the same comments."""
    printer = Printer()
    with collection_paused():
        printer.module(module)
    return "\n".join(printer.lines) + "\n"


def print_declaration(declaration: Declaration) -> str:
    """Return one declaration as it stands in a canonical file."""
    printer = Printer()
    printer.declaration(declaration)
    return "\n".join(printer.lines) + "\n"


class Printer:
    """Lines so far; each method adds one thing's lines at a depth of indentation."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def module(self, module: Module) -> None:
        """Add a whole file."""
        major, minor = module.version
        self.line(f"mir {major}.{minor}", module.header, "")
        if module.info is not None:
            self.lines.append("")
            self.block("module", module.info, "")
        for declaration in module.declarations:
            self.lines.append("")
            self.declaration(declaration)
        if module.trailing is not None and module.trailing.above:
            self.lines.append("")
            self.comments(module.trailing.above, "")

    def declaration(self, declaration: Declaration) -> None:
        """Add one declaration on top."""
        if not isinstance(declaration, Object):
            self.block(_KEYWORDS[type(declaration)], declaration, "")
        elif not declaration.extern:
            self.block("object", declaration, "")
        elif declaration.fields or declaration.closing is not None:
            self.block("extern object", declaration, "")
        else:
            self.line(f"extern object {print_name(declaration.name)}", declaration.trivia, "")

    def block(self, keyword: str, block: Block, indent: str) -> None:
        """Add a braced block and all that is in it."""
        self.line(f"{keyword} {print_name(block.name)} {{", block.trivia, indent)
        inner = indent + _INDENT
        self.fields(block.fields, inner)
        if isinstance(block, Phase):
            for step in block.steps:
                self.block("step", step, inner)
        if isinstance(block, Phase | Signal | Plan | PlanPhase):
            for override in block.overrides:
                self.block("override", override, inner)
        if isinstance(block, Plan):
            for phase in block.phases:
                self.block("phase", phase, inner)
        if block.closing is None:
            self.lines.append(indent + "}")
            return
        self.comments(block.closing.above, inner)
        self.line("}", attrs.evolve(block.closing, above=()), indent)

    def fields(self, fields: tuple[Field, ...], indent: str) -> None:
        """Add fields with their ``=`` in one column."""
        starts = starts_of([field.key for field in fields], indent)
        texts = [start + _text(field) for start, field in zip(starts, fields, strict=True)]
        if not any(field.trivia for field in fields):
            self.lines += texts
            return
        texts = with_tails(texts, [_beside(field.trivia) for field in fields])
        for text, field in zip(texts, fields, strict=True):
            if field.trivia is not None:
                self.comments(field.trivia.above, indent)
            self.lines.append(text)

    def line(self, text: str, trivia: Trivia | None, indent: str) -> None:
        """Add a line with the comments around it."""
        if trivia is None:
            self.lines.append(indent + text)
            return
        self.comments(trivia.above, indent)
        beside = _beside(trivia)
        self.lines.append(f"{indent}{text}  {beside}" if beside else indent + text)

    def comments(self, comments: tuple[str, ...], indent: str) -> None:
        """Add comments on lines of their own; an empty one is a blank line."""
        for comment in comments:
            self.lines += [indent + line if line else "" for line in _lines(comment)]


def _text(field: Field) -> str:
    text = print_value(field.value)
    return text if field.confidence is None else f"{text} @ {print_value(field.confidence)}"


def _beside(trivia: Trivia | None) -> str:
    """Return the comment at a line's end, on one line; empty if there is none."""
    if trivia is None or trivia.trailing is None:
        return ""
    return " ".join(_lines(trivia.trailing))


def _lines(comment: str) -> list[str]:
    """Return a comment's lines, each beginning with ``//``."""
    if not comment:
        return [""]
    lines = [line.rstrip() for line in comment.split("\n")]
    return [line if line.startswith("//") else f"// {line}".rstrip() for line in lines]
