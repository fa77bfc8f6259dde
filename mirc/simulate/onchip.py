"""The same decode on a wired array, an advisory one, a scratchpad and a plain cache: its bytes."""

from collections.abc import Callable, Mapping

import attrs
from attrs import validators as v

from mirc.machine import Organisation, Replacement
from mirc.sram import DRIVER, BindFlags, Device, Geometry, Handle, Range, ReleaseMode

_TENANT = "decode"
_HOT, _FIRST, _SECOND = "hot", "first", "second"


@attrs.frozen(kw_only=True)
class Decode:
    """A step runs two kernels, each of which reads the hot set; each then streams other bytes.

    Sizes are in whole lines: ``hot`` that both kernels read, ``first`` streamed between the
    kernels of a step, ``second`` between two steps.
    """

    steps: int = attrs.field(validator=v.gt(0))
    hot: int = attrs.field(validator=v.gt(0))
    first: int = attrs.field(validator=v.ge(0))
    second: int = attrs.field(validator=v.ge(0))

    @property
    def streamed(self) -> int:
        """Lines that each step streams, whatever holds the hot set."""
        return self.first + self.second


@attrs.frozen(kw_only=True)
class Array:
    """An array of ``sets`` x ``ways`` lines of ``line_bytes``."""

    line_bytes: int
    sets: int
    ways: int

    def device(
        self, decode: Decode, organisation: Organisation, replacement: Replacement
    ) -> Device:
        """Return a device whose one tenant may wire all but the open way of each set."""
        geometry = Geometry(
            line_bytes=self.line_bytes,
            ways=self.ways,
            sets=self.sets,
            wired_bytes=self.sets * (self.ways - 1) * self.line_bytes,
            organisation=organisation,
            replacement=replacement,
        )
        sizes = {_HOT: decode.hot, _FIRST: decode.first, _SECOND: decode.second}
        memories = {name: max(1, lines) * self.line_bytes for name, lines in sizes.items()}
        return Device(geometry, {_TENANT: geometry.wired_bytes}, memories)


def wired(decode: Decode, array: Array) -> int:
    """Bind the hot set once; return the bytes loaded over the whole decode."""
    device = array.device(decode, Organisation.SET_ASSOCIATIVE, Replacement.LRU)
    _bound(device, decode)
    return _run(device, decode)


def hint(decode: Decode, array: Array) -> int:
    """Let replacement prefer the hot set, which was read before and is predicted near.

    Nothing is promised: the array evicts it silently, as much as what streams by makes it.
    """
    device = array.device(decode, Organisation.SET_ASSOCIATIVE, Replacement.RRIP)
    device.read(_whole(device, _HOT, decode.hot))
    return _run(device, decode)


def scratchpad(decode: Decode, array: Array) -> int:
    """Load the hot set at the start of each kernel, which is all that it outlives."""
    device = array.device(decode, Organisation.SET_ASSOCIATIVE, Replacement.LRU)
    held: Handle | None = None
    for _ in range(decode.steps):
        for kernel in _kernels(device, decode):
            if held is not None:
                device.release(DRIVER, held, ReleaseMode.INVALIDATE)
            held = _bound(device, decode)
            device.read_all(kernel)
    return device.traffic.loaded_bytes


def cache(decode: Decode, array: Array) -> int:
    """Leave it to LRU."""
    device = array.device(decode, Organisation.SET_ASSOCIATIVE, Replacement.LRU)
    return _run(device, decode)


MODES: Mapping[str, Callable[[Decode, Array], int]] = {
    "wired": wired,
    "hint": hint,
    "scratchpad": scratchpad,
    "nothing": cache,
}


def closed_form(mode: str, decode: Decode, array: Array) -> int | None:
    """Return the bytes that a mode must load over the whole decode, or None for a hint.

    Every step streams its other bytes. The hot set is loaded once if it is wired, once a kernel
    (two a step) into a scratchpad; by LRU once a step where what streams between the kernels
    leaves it there and what streams between the steps does not, which is what must hold:
    hot + first within the array, second at least all of it. Raises ValueError otherwise.
    """
    lines = array.sets * array.ways
    if decode.hot + decode.first > lines or decode.second < lines:
        raise ValueError("LRU has this closed form only for a short first and a long second stream")
    times = {"wired": 1, "scratchpad": 2 * decode.steps, "nothing": decode.steps}.get(mode)
    if times is None:
        return None
    return (times * decode.hot + decode.steps * decode.streamed) * array.line_bytes


def step_s(loaded_bytes: float, compute_s: float, bytes_per_s: float) -> tuple[float, float]:
    """Return a step's seconds without and with prefetch: the sum, and the longer of the two.

    Prefetch moves the same bytes: it hides their time behind computing, as far as that goes.
    """
    loading = loaded_bytes / bytes_per_s
    return loading + compute_s, max(loading, compute_s)


def _run(device: Device, decode: Decode) -> int:
    device.read_all([read for kernel in _kernels(device, decode) for read in kernel] * decode.steps)
    return device.traffic.loaded_bytes


def _kernels(device: Device, decode: Decode) -> list[list[Range]]:
    """Return what each kernel of a step reads, with what streams by after it."""
    hot = _whole(device, _HOT, decode.hot)
    streams = ((_FIRST, decode.first), (_SECOND, decode.second))
    streamed = ([_whole(device, name, lines)] if lines else [] for name, lines in streams)
    return [[hot, *after] for after in streamed]


def _whole(device: Device, memory: str, lines: int) -> Range:
    return Range(memory, 0, lines * device.geometry.line_bytes)


def _bound(device: Device, decode: Decode) -> Handle:
    target = _whole(device, _HOT, decode.hot)
    answer = device.bind(DRIVER, target, _TENANT, BindFlags.PREFETCH | BindFlags.IMMUTABLE)
    if isinstance(answer, Handle):
        return answer
    raise ValueError(f"the hot set cannot be bound: {answer}")
