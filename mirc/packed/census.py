"""The tables of a packed file into what its bytes are spent on."""

import attrs

from mirc.packed.codec import HEADER_BYTES, SECTIONS
from mirc.packed.tables import Tables


@attrs.frozen(kw_only=True)
class Share:
    """What one section holds: ``count`` of ``what``, in so many bytes."""

    what: str
    count: int
    size_bytes: int


_WHAT = {
    "rows": "objects and templates, in rows of 32 bytes",
    "blocks": "other declarations, overrides and named steps",
    "fields": "different fields of theirs, and of objects what no row holds",
    "cells": "elements of lists and calls",
    "confidences": "confidences",
    "domains": "security domains",
    "keys": "keys",
}


def census(tables: Tables) -> tuple[Share, ...]:
    """Return what each section of the file has: together, with the header, all its bytes."""
    shares = [Share(what="header", count=1, size_bytes=HEADER_BYTES)]
    for name, kind in SECTIONS:
        count = len(getattr(tables, name))
        shares.append(Share(what=_WHAT[name], count=count, size_bytes=count * kind.itemsize))
    texts = sum(len(text.encode()) + 4 for text in tables.strings)
    return (*shares, Share(what="strings", count=len(tables.strings), size_bytes=texts))
