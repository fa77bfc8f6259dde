"""An ir.Module into its canonical text: one field a line, ``=`` aligned, comments kept."""

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
        self.lines.append(indent + "}" + _tail(block.closing))

    def fields(self, fields: tuple[Field, ...], indent: str) -> None:
        """Add fields with their ``=`` in one column."""
        width = max((len(field.key) for field in fields), default=0)
        for field in fields:
            text = f"{field.key:<{width}} = {print_value(field.value)}"
            if field.confidence is not None:
                text += f" @ {print_value(field.confidence)}"
            if field.trivia is None:
                self.lines.append(indent + text)
            else:
                self.line(text, field.trivia, indent)

    def line(self, text: str, trivia: Trivia | None, indent: str) -> None:
        """Add a line with the comments around it."""
        if trivia is None:
            self.lines.append(indent + text)
            return
        self.comments(trivia.above, indent)
        self.lines.append(indent + text + _tail(trivia))

    def comments(self, comments: tuple[str, ...], indent: str) -> None:
        """Add comments on lines of their own; an empty one is a blank line."""
        for comment in comments:
            self.lines += [indent + line if line else "" for line in _lines(comment)]


def _tail(trivia: Trivia) -> str:
    if trivia.trailing is None:
        return ""
    return "  " + " ".join(_lines(trivia.trailing))


def _lines(comment: str) -> list[str]:
    """Return a comment's lines, each beginning with ``//``."""
    if not comment:
        return [""]
    lines = [line.rstrip() for line in comment.splitlines()]
    return [line if line.startswith("//") else f"// {line}".rstrip() for line in lines]
