from mirc.explain.lookup import near, word, words
from mirc.explain.model import Example, Explanation, Meaning, Subject, Table
from mirc.explain.render import as_markdown, as_object, as_text, list_text

__all__ = [
    "Example",
    "Explanation",
    "Meaning",
    "Subject",
    "Table",
    "as_markdown",
    "as_object",
    "as_text",
    "list_text",
    "near",
    "word",
    "words",
]
