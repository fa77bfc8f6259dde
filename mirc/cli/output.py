"""A command's text into a file, whole or not at all, or onto standard output."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mirc.diagnostics.errors import CouldNotRun

STDOUT = "-"
_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def write_text(path: str, text: str) -> None:
    """Write ``text`` as UTF-8, line ends as they are, to ``path``; ``-`` is standard output.

    Nothing is left out on the way: these are contents, where a control character may be meant.

    A reader of ``path`` sees the old file or the whole new one: the text goes to a temporary file
    in the same folder, which then takes the name. If anything interrupts, the temporary file is
    removed. Devices and pipes are written in place. Raises ``CouldNotRun``.
    """
    if path == STDOUT:
        _print(text)
    else:
        _write(path, text.encode("utf-8", "surrogateescape"))


def write_bytes(path: str, data: bytes) -> None:
    """Write ``data`` as ``write_text`` does; raise ``CouldNotRun`` instead of filling a terminal.

    ``-`` is standard output.
    """
    if path != STDOUT:
        _write(path, data)
        return
    if sys.stdout.isatty():
        raise CouldNotRun("bytes are of no use on a terminal", "name a file: `-o FILE`")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@contextmanager
def writing(path: str) -> Iterator[BinaryIO]:
    """Open ``path`` for bytes that come little by little; it has its name when all have come.

    As with ``write_text`` nobody ever sees half a file. ``-`` is standard output. Raises
    ``CouldNotRun``.
    """
    check_writable(path)
    if path == STDOUT:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        if _is_special(path):
            with Path(path).open("wb") as file:
                yield file
        else:
            with _replacing(Path(os.path.realpath(path))) as file:
                yield file
    except OSError as error:
        raise _refusal(path, error) from error


def _write(path: str, data: bytes) -> None:
    check_writable(path)
    try:
        if _is_special(path):
            Path(path).write_bytes(data)
        else:
            # A link keeps pointing where it did: the file behind it is the one replaced.
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise _refusal(path, error) from error


def spare_inputs(outputs: Iterable[str | None], inputs: Iterable[str] = ()) -> None:
    """Raise ``CouldNotRun`` if an output would replace an input, or another output.

    Inputs are paths, or targets: ``hf:FOLDER`` reads the configuration in it, ``FILE.py:NAME`` the
    file.
    """
    # No file's name holds a NUL: who opens such a path says so.
    taken = {
        os.path.realpath(path)
        for each in inputs
        for path in _files_of(each)
        if path != STDOUT and "\0" not in path
    }
    for path in outputs:
        if path is None or "\0" in path:
            continue
        place = path if path == STDOUT else os.path.realpath(path)
        if place in taken:
            raise CouldNotRun(
                f"`{path}` is read or written already by this command", "choose another output"
            )
        taken.add(place)


def _files_of(target: str) -> tuple[str, ...]:
    kind, _, rest = target.partition(":")
    if kind == "hf":
        return (rest, str(Path(rest) / "config.json"))
    file, _, name = target.rpartition(":")
    return (target, file) if file and name.isidentifier() else (target,)


def check_writable(path: str) -> None:
    """Raise ``CouldNotRun`` if ``path`` can be seen not to be writable: before work, not after."""
    if path == STDOUT:
        return
    if not path:
        raise CouldNotRun("the output has an empty name", "name a file, or `-` for standard output")
    try:
        # What stands behind `/dev/stdout` may be a pipe, which has no name of its own.
        target = Path(path if _is_special(path) else os.path.realpath(path))
        if target.is_dir():
            raise CouldNotRun(f"`{path}` is a directory", "name a file in it")
        if target.parent.exists() and not target.parent.is_dir():
            raise CouldNotRun(f"`{target.parent}` is not a directory", "choose another output")
        if not target.parent.exists():
            raise CouldNotRun(
                f"the folder of `{path}` does not exist", f"create it: mkdir -p {target.parent}"
            )
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error
    # A new file takes the old one's place, so the system would not ask whether the old one may go;
    # and to root it never says no.
    if target.exists() and not (target.stat().st_mode & _WRITABLE and os.access(target, os.W_OK)):
        raise CouldNotRun(f"`{path}` is write-protected", f"allow it: chmod u+w {path}")
    if not target.exists() and not os.access(target.parent, os.W_OK | os.X_OK):
        raise CouldNotRun(
            f"no permission to write into `{target.parent}`", "choose another output folder"
        )


def _is_special(path: str) -> bool:
    """Whether a device, a pipe or a socket is there: what is written in place, by this name."""
    target = Path(path)
    return target.exists() and not target.is_file() and not target.is_dir()


def _print(text: str) -> None:
    stream = sys.stdout
    binary = getattr(stream, "buffer", None)
    if binary is None or stream.isatty():
        stream.write(text)  # a terminal shows what its encoding has, and nothing keeps the bytes
    else:
        stream.flush()
        binary.write(text.encode("utf-8", "surrogateescape"))
    stream.flush()


def _replace(target: Path, data: bytes) -> None:
    with _replacing(target) as file:
        file.write(data)


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    # O_EXCL and mode 0666: the umask decides, as it does for any file that a shell makes.
    temporary = target.parent / f".mirc-{os.urandom(8).hex()}.tmp"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb") as file:
            yield file
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _refusal(path: str, error: OSError | ValueError) -> CouldNotRun:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return CouldNotRun(f"cannot write `{path}`: {reason.lower()}", "choose another output")
