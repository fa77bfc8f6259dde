"""The name of a preset, or the path of a TOML file, into a Machine."""

import os
from functools import cache
from pathlib import Path

from mirc.diagnostics.errors import CouldNotRun
from mirc.machine.decode import decode
from mirc.machine.model import Machine
from mirc.machine.verify import InvalidMachineError

# The largest of the presets has some 5 KB.
LARGEST_FILE_BYTES = 1 << 20
_PRESETS = Path(__file__).parent / "presets"


@cache
def names() -> tuple[str, ...]:
    """Return the names of the presets, sorted."""
    found = os.listdir(_PRESETS)  # noqa: PTH208 - every check asks: names are enough
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def load(name_or_path: str) -> Machine:
    """Return the machine of a preset's name, or of a file (anything with a ``/`` or ``.toml``).

    Raises ``CouldNotRun`` with the file, the key, what is wrong and what to do.
    """
    return parse(name_or_path, source(name_or_path))


def source(name_or_path: str) -> str:
    """Return the TOML text behind a preset's name or a path; raises ``CouldNotRun``."""
    if _is_path(name_or_path):
        return _read(Path(name_or_path))
    if name_or_path in names():
        return (_PRESETS / f"{name_or_path}.toml").read_text("utf-8")
    raise _no_such(name_or_path)


def _is_path(text: str) -> bool:
    return text.endswith(".toml") or "/" in text or os.sep in text


def _read(path: Path) -> str:
    try:
        # A pipe has no size to ask for: one byte too many is read instead.
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise CouldNotRun(
                f"`{path}` is larger than {LARGEST_FILE_BYTES >> 20} MiB",
                "give a machine file; `mirc machine show h100-sxm --toml` prints one",
            )
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CouldNotRun(
            f"`{path}` is not UTF-8 text (byte {error.start})", "save it as UTF-8"
        ) from error
    except IsADirectoryError as error:
        raise CouldNotRun(f"`{path}` is a directory", "name a .toml file in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CouldNotRun(
            f"cannot read the machine `{path}`: {reason.lower()}",
            f"give the path of a .toml file, or one of {', '.join(names())}",
        ) from error


def parse(label: str, text: str) -> Machine:
    """Return the machine that a TOML text describes; ``label`` names it in messages."""
    import tomllib  # noqa: PLC0415 - start-up: most checks read no machine

    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise CouldNotRun(f"machine `{label}` nests too deeply", "flatten it") from error
    except ValueError as error:
        # TOMLDecodeError, and what int() says of a number of thousands of digits.
        message = str(error)
        raise CouldNotRun(
            f"machine `{label}` is not TOML: {message[:1].lower()}{message[1:]}",
            "see docs/machine.md for the format",
        ) from error
    try:
        return decode(data)
    except InvalidMachineError as error:
        problem = error.problem
        raise CouldNotRun(
            f"machine `{label}`: `{problem.key}` {_joined(problem.message)}", problem.hint
        ) from error


def _joined(message: str) -> str:
    # "`compute.peak_flops` is empty", but "`link[0].source`: there is no memory `dram`".
    verbs = ("is ", "has ", "does ")
    return message if message.startswith(verbs) else f"is wrong: {message}"


def _no_such(name: str) -> CouldNotRun:
    import difflib  # noqa: PLC0415 - start-up: only a wrong name needs it

    near = difflib.get_close_matches(name[:64].lower(), names(), n=3, cutoff=0.5)
    if Path(f"{name}.toml").is_file():
        advice = f"write `{name}.toml` for the file"
    elif near:
        advice = f"did you mean {' or '.join(f'`{word}`' for word in near)}?"
    else:
        advice = "give the path of a .toml file, or a preset"
    return CouldNotRun(f"there is no machine `{name}`", f"{advice} (presets: {', '.join(names())})")
