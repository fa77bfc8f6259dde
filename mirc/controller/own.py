"""A rule of replacement that a user writes, in Python, and what it is held to."""

import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mirc.diagnostics import CouldNotRun

_FAULTS = (Exception, SystemExit)  # what a stranger's code may end with


class Policy(ABC):
    """Who leaves a cache first; subclass it, and name it by ``--policy my.py:Mine``.

    Ids are whole numbers from 0; ``capacity`` and ``size`` are in the same unit, which the
    workload sets: bytes for a schedule, blocks for a trace. Everything else is told as it happens,
    and nothing of the future is. A rule must be as deterministic as its results are to be.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._sizes: dict[int, int] = {}
        self._held: set[int] = set()

    @abstractmethod
    def choose(self) -> int | None:
        """Return the id that leaves next, of those that are there and ``may_leave``, or None.

        It stays until ``evicted`` says that it left.
        """

    def missed(self, x: int) -> None:  # noqa: B027 - deaf, unless it wants to hear
        """Hear that an id was asked for and is not there; nothing has left for it yet."""

    def admitted(self, x: int) -> None:  # noqa: B027 - deaf, unless it wants to hear
        """Hear that an id came in: it had been missed, or is fetched ahead of its use."""

    def touched(self, x: int) -> None:  # noqa: B027 - deaf, unless it wants to hear
        """Hear that an id was used, and was there."""

    def evicted(self, x: int) -> None:  # noqa: B027 - deaf, unless it wants to hear
        """Hear that an id left to make room."""

    def removed(self, x: int) -> None:  # noqa: B027 - deaf, unless it wants to hear
        """Hear that an id, there or not, ended: nobody will ask for it again."""

    def may_leave(self, x: int) -> bool:
        """Tell whether nobody holds an id now."""
        return x not in self._held

    def size(self, x: int) -> int:
        """Return the size of an id, 1 where all are alike."""
        return self._sizes.get(x, 1)


class Guarded:
    """A user's rule, which is told of whole numbers and answers for what it does.

    Raises CouldNotRun where it fails, chooses what is not there or held, or chooses nothing
    although something may leave.
    """

    def __init__(self, spelled: str, policy: Policy) -> None:
        self._spelled = spelled
        self._policy = policy
        self._in: set[int] = set()
        self._free: set[int] = set()  # what is in and may leave

    def missed(self, x: int) -> None:
        """Hear that an id was asked for and is not there."""
        self._call(self._policy.missed, int(x))

    def admitted(self, x: int) -> None:
        """Hear that an id came in."""
        self._in.add(int(x))
        if int(x) not in self._policy._held:  # noqa: SLF001
            self._free.add(int(x))
        self._call(self._policy.admitted, int(x))

    def touched(self, x: int) -> None:
        """Hear that an id was used, and was there."""
        self._call(self._policy.touched, int(x))

    def evicted(self, x: int) -> None:
        """Hear that an id left to make room."""
        self._left(int(x))
        self._call(self._policy.evicted, int(x))

    def removed(self, x: int) -> None:
        """Hear that an id ended."""
        self._left(int(x))
        self._call(self._policy.removed, int(x))

    def choose(self) -> int | None:
        """Return the id that leaves next, None without one."""
        x: object = self._call(self._policy.choose)
        if x is None:
            if self._free:
                raise self._failure(f"chose nothing, and {min(self._free)} may leave")
            return None
        if not isinstance(x, int) or x not in self._in:
            raise self._failure(f"chose {x!r}, which is not there")
        if x not in self._free:
            raise self._failure(f"chose {x}, which is held and may not leave")
        return x

    def forbid(self, x: int) -> None:
        """Let an id not leave."""
        self._policy._held.add(int(x))  # noqa: SLF001 - the one who writes what it reads
        self._free.discard(int(x))

    def allow(self, x: int) -> None:
        """Let an id leave again."""
        self._policy._held.discard(int(x))  # noqa: SLF001
        if int(x) in self._in:
            self._free.add(int(x))

    def sized(self, x: int, size: int) -> None:
        """Set the size of an id."""
        self._policy._sizes[x] = size  # noqa: SLF001

    def here(self, x: int) -> bool:
        """Tell whether an id is there."""
        return int(x) in self._in

    def _left(self, x: int) -> None:
        self._in.discard(x)
        self._free.discard(x)

    def _call(self, method: Callable[..., Any], *told: int) -> Any:
        try:
            return method(*told)
        except _FAULTS as error:
            raise self._failure(f"failed in `{method.__name__}`: {_said(error)}") from error

    def _failure(self, what: str) -> CouldNotRun:
        return CouldNotRun(
            f"the policy `{self._spelled}` {what}", "see docs/policies.md for what a rule must do"
        )


def is_own(name: str) -> bool:
    """Tell whether a policy's name is that of a class in a file: ``FILE.py:CLASS``."""
    return ".py:" in name


def own_policy(spelled: str, capacity: int) -> Guarded:
    """Import ``FILE.py:CLASS``, which runs the file, and make one; raises CouldNotRun."""
    path, _, name = spelled.rpartition(":")
    found = getattr(_imported(Path(path), spelled), name, None)
    if not (isinstance(found, type) and issubclass(found, Policy)):
        raise CouldNotRun(
            f"`{path}` has no policy `{name}`",
            "write a class that derives from `mirc.controller.own.Policy`",
        )
    try:
        made = found(capacity)
        made.may_leave(0)  # fails where `__init__` left out that of the class above
    except _FAULTS as error:
        raise CouldNotRun(
            f"the policy `{spelled}` cannot be made: {_said(error)}",
            "its `__init__` takes the capacity, and calls `super().__init__(capacity)`",
        ) from error
    return Guarded(spelled, made)


def _imported(path: Path, spelled: str) -> object:
    if not path.is_file():
        raise CouldNotRun(f"there is no file `{path}`", f"check the policy `{spelled}`")
    known = f"mirc_policy_{path.stem}"
    spec = importlib.util.spec_from_file_location(known, path)
    if spec is None or spec.loader is None:
        raise CouldNotRun(f"`{path}` is not a Python file", "name one that ends in `.py`")
    module = importlib.util.module_from_spec(spec)
    sys.modules[known] = module
    try:
        spec.loader.exec_module(module)
    except _FAULTS as error:
        raise CouldNotRun(
            f"`{path}` cannot be imported: {_said(error)}",
            "let it import without the simulation first",
        ) from error
    return module


def _said(error: BaseException) -> str:
    """Return an error's kind and what it says, where it can say it."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - its `__str__` is a stranger's too
        return type(error).__name__
