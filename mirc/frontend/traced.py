"""A captured fx graph with what its placeholders and results are to the model."""

from typing import Any

import attrs
from torch import Tensor, fx

from mirc.frontend.entry import Entry
from mirc.graph.model import Role


@attrs.frozen(slots=True)
class Given:
    """What a placeholder stands for: its final name (of an input: without the phase)."""

    name: str
    role: Role


@attrs.frozen(kw_only=True)
class Traced:
    """An fx graph whose nodes carry ``meta["val"]``, and the entry that it was captured from.

    ``inputs`` are by placeholder name; ``arguments`` are the placeholders of the caller's tensors
    in flat order (``None`` for other leaves), ``outputs`` the results in flat order.
    """

    entry: Entry
    graph: fx.Graph
    inputs: dict[str, Given]
    arguments: tuple[fx.Node | None, ...]
    outputs: tuple[fx.Node, ...]
    _modules: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Give constants their value, which not every tracer notes."""
        for node in self.graph.find_nodes(op="get_attr"):
            value = self.attribute(node)
            if isinstance(value, Tensor):
                node.meta.setdefault("val", value)

    def module_of(self, node: fx.Node) -> str:
        """Give the path, in the user's module, of the innermost module that ran ``node``."""
        stack = node.meta.get("nn_module_stack")
        if not stack:
            return ""
        path: str = stack[next(reversed(stack))][0]
        known = self._modules.get(path)
        if known is None:
            known = self._modules[path] = _below(path, self.entry.inner)
        return known

    def attribute(self, node: fx.Node) -> Any:
        """Follow a ``get_attr`` node to its tensor or subgraph; ``None`` where there is none."""
        found: Any = node.graph.owning_module
        for name in str(node.target).split("."):
            found = getattr(found, name, None)
        return found


def _below(path: str, inner: str) -> str:
    called = path.split("@", 1)[0]  # export marks a module's second call `path@1`
    if inner and (called == inner or called.startswith(f"{inner}.")):
        return called[len(inner) + 1 :]
    return "" if inner else called.removeprefix("L['self'].").removeprefix("L['self']")
