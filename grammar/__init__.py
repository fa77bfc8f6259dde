from mirc.grammar.bind import Bound, bind
from mirc.grammar.document import Document
from mirc.grammar.literals import print_value
from mirc.grammar.load import MirRejected, load
from mirc.grammar.locate import SourcePlaces
from mirc.grammar.parse import parse
from mirc.grammar.printer import print_declaration, print_module
from mirc.grammar.schedule_text import parse_schedule

__all__ = [
    "Bound",
    "Document",
    "MirRejected",
    "SourcePlaces",
    "bind",
    "load",
    "parse",
    "parse_schedule",
    "print_declaration",
    "print_module",
    "print_value",
]
