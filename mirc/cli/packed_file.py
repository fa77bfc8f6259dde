"""A packed file on the command line into what it says."""

from mirc.diagnostics import CouldNotRun
from mirc.lint.sources import read_bytes
from mirc.packed import essay
from mirc.packed.codec import MAX_BYTES
from mirc.packed.model import Packed
from mirc.packed.unpack import read


def read_packed(name: str) -> Packed:
    """Read a packed file, or standard input for ``-``; raise CouldNotRun for what is none."""
    data = read_bytes(name, MAX_BYTES + 1)
    shown = "<stdin>" if name == "-" else name
    if len(data) > MAX_BYTES:
        raise CouldNotRun(f"`{shown}` is larger than {MAX_BYTES >> 20} MiB", "pack a smaller file")
    if data.startswith(essay.MAGIC):
        raise CouldNotRun(
            f"`{shown}` holds the essay's records, which have no names",
            "pack it without `--form essay`",
        )
    return read(data, shown)
