"""A model's modules into marks of a profile, by the names that steps have in its file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn
from torch.profiler import record_function


@contextmanager
def marked(model: nn.Module) -> Iterator[None]:
    """Let every module without children mark its run in whatever profile is being recorded.

    The second time in one call of ``model`` it is marked ``NAME.run_2``, as steps are named.
    """
    times: dict[str, int] = {}
    open_marks: list[ExitStack] = []

    def begin(name: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            times[name] = times.get(name, 0) + 1
            suffix = f".run_{times[name]}" if times[name] > 1 else ""
            mark = ExitStack()
            mark.enter_context(record_function(name + suffix))
            open_marks.append(mark)

        return hook

    def end(*_: Any) -> None:
        open_marks.pop().close()

    def forget(*_: Any) -> None:
        times.clear()

    handles = [model.register_forward_pre_hook(forget)]
    for name, module in model.named_modules():
        if name and not any(True for _ in module.children()):
            handles.append(module.register_forward_pre_hook(begin(name)))
            handles.append(module.register_forward_hook(end, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
