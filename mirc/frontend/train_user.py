"""What the user's ``mirc_training()`` gives into a training entry."""

import copy
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend.entry import Entry
from mirc.frontend.train_form import TRAIN, MakesOptimizer, Training, own_loss

KEYS = ("module", "args", "loss", "optimizer", "kwargs", "targets")
FORM = (
    "return (module, args, loss, optimizer), or a dict of these and `kwargs`, `targets`; "
    "all but `module` may be left out"
)
SLOW = {"foreach": False, "fused": False}
"""One parameter after the other: what every optimizer can do without an accelerator."""


def training_entry(given: Any, where: str) -> Entry:
    """Read what ``mirc_training()`` of ``where`` returned.

    ``loss(result, *targets)`` gives a scalar; without one the module's own result is it.
    ``optimizer`` is one over the module's parameters, or a function of them that makes one.
    Raises CouldNotRun for anything else.
    """
    parts = _parts(given, where)
    module, loss = parts["module"], parts.get("loss")
    if not isinstance(module, nn.Module):
        raise CouldNotRun(f"`mirc_training()` of `{where}` gives no module", FORM)
    if loss is not None and not callable(loss):
        raise CouldNotRun(f"the `loss` of `{where}` is no function", FORM)
    kwargs = parts.get("kwargs") or {}
    if not isinstance(kwargs, Mapping):
        raise CouldNotRun(f"the `kwargs` of `{where}` are no mapping", FORM)
    return Entry(
        phase=TRAIN,
        module=module,
        args=_tuple(parts.get("args")),
        kwargs=dict(kwargs),
        training=Training(
            loss=loss or own_loss,
            targets=_tuple(parts.get("targets")),
            optimizer=_optimizer(parts.get("optimizer"), module, where),
        ),
    )


def _parts(given: Any, where: str) -> dict[str, Any]:
    if isinstance(given, nn.Module):
        return {"module": given}
    if isinstance(given, Mapping):
        unknown = [str(key) for key in given if key not in KEYS]
        if unknown or "module" not in given:
            what = f"has the key `{unknown[0]}`" if unknown else "has no `module`"
            raise CouldNotRun(f"`mirc_training()` of `{where}` {what}", FORM)
        return {str(key): value for key, value in given.items()}
    if isinstance(given, tuple | list) and 0 < len(given) <= 4:
        return dict(zip(KEYS, given, strict=False))
    raise CouldNotRun(f"`mirc_training()` of `{where}` returned a {type(given).__name__}", FORM)


def _tuple(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _optimizer(given: Any, module: nn.Module, where: str) -> MakesOptimizer | None:
    if isinstance(given, Optimizer):
        return _restated(given, module)
    if given is None:
        return None
    if not callable(given):
        raise CouldNotRun(f"the `optimizer` of `{where}` is a {type(given).__name__}", FORM)
    return _made(given)


def _made(make: Callable[..., Any]) -> MakesOptimizer:
    def made(weights: Mapping[str, Tensor]) -> Optimizer:
        found = make(list(weights.values()))
        if not isinstance(found, Optimizer):
            raise CouldNotRun(f"the `optimizer` made a {type(found).__name__}", FORM)
        return found

    return made


def _restated(given: Optimizer, module: nn.Module) -> MakesOptimizer:
    """Make optimizers like ``given``, over the same parameters by path, with no states yet."""
    paths = {id(one): path for path, one in module.named_parameters()}
    groups = [
        ({**group, **{key: value for key, value in SLOW.items() if key in group}}, names)
        for group in given.param_groups
        for names in ([paths.get(id(one), "") for one in group["params"]],)
    ]

    def made(weights: Mapping[str, Tensor]) -> Optimizer:
        found = copy.copy(given)
        found.state = defaultdict(dict)
        found.param_groups = [
            {**group, "params": [weights[name] for name in names if name in weights]}
            for group, names in groups
        ]
        return found

    return made
