"""Bytes as people say them."""

_BINARY = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_DECIMAL = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3))


def human(size_bytes: int) -> str:
    """Return ``128 MiB`` where that is exact, else the nearest decimal figure: ``50.3 MB``."""
    for unit, scale in _BINARY:
        if size_bytes and size_bytes % scale == 0 and size_bytes < 10_000 * scale:
            return f"{size_bytes // scale} {unit}"
    for unit, scale in _DECIMAL:
        if size_bytes >= scale:
            return f"{size_bytes / scale:.4g} {unit}"
    return f"{size_bytes} B"
