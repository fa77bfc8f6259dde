"""The user's own Python, imported and run, into a model and its inputs."""

import contextlib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import attrs
import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map

from mirc.diagnostics.errors import CouldNotRun
from mirc.frontend import phases
from mirc.frontend.blame import blame
from mirc.frontend.entry import CaptureOptions, Entry
from mirc.frontend.lazy import Lazily, emptied
from mirc.frontend.phases import PhaseSizes
from mirc.frontend.resize import elsewhere, sizes_of
from mirc.frontend.table import UNNEST
from mirc.frontend.train_form import TRAIN
from mirc.frontend.train_user import training_entry

FORMS = (
    "give `mirc_entries()` returning {phase: (module, args, kwargs)}, or `mirc_training()` "
    "returning (module, args, loss, optimizer), or `build()`, "
    "or `model` with `example_inputs`, or `Model` with `get_init_inputs()` and `get_inputs()`"
)
SMALL_BYTES = 256 << 20
"""What building a model may make before its large tensors are left without bytes."""
LARGE_BYTES = 4 << 30
"""The same for code that turns out to look at its weights while it builds."""
Calls: TypeAlias = Mapping[str, tuple[nn.Module, tuple[Any, ...], dict[str, Any]]]


@attrs.frozen(kw_only=True)
class UserModel:
    """What the user's code gives: phases by name, each a module with its inputs.

    ``trained`` is the training step of a file that has one, its phase is ``train``.
    """

    name: str
    calls: Calls
    trained: Entry | None = None

    def entries(self, options: CaptureOptions) -> list[Entry]:
        """Give the requested phases; their sizes are those of the user's own inputs."""
        phases.refuse_batch(options.batch)
        known = {name: PhaseSizes(name=name) for name in self.calls}
        if self.trained is not None:
            known[TRAIN] = PhaseSizes(name=TRAIN)
        wanted = phases.requested(options.phases, known, dict.fromkeys(known, ()))
        entries = [
            Entry(
                phase=sizes.name,
                module=module,
                args=args,
                kwargs=kwargs,
                batch=batch,
                tokens=tokens,
                device="meta" if _on_meta(module) else None,
            )
            for sizes in wanted
            if sizes.name in self.calls
            for module, args, kwargs in (self.calls[sizes.name],)
            for batch, tokens in (sizes_of((args, kwargs)),)
        ]
        asked = any(sizes.name == TRAIN for sizes in wanted)
        return [*entries, self.trained] if asked and self.trained is not None else entries

    def resized(self, options: CaptureOptions) -> "Iterator[UserModel]":
        """Yield the same model with inputs of other sizes; nothing where a training step is asked.

        First with other batches and tokens, then with other batches alone.
        """
        if any(entry.training is not None for entry in self.entries(options)):
            return
        ways = {name: list(elsewhere((args, kw))) for name, (_, args, kw) in self.calls.items()}
        if not all(ways.values()):
            return
        for place in range(max(map(len, ways.values()))):
            calls = {}
            for name, found in ways.items():
                args, kwargs = found[min(place, len(found) - 1)]
                calls[name] = (self.calls[name][0], args, dict(kwargs))
            yield attrs.evolve(self, calls=calls)


def from_file(path: Path, name: str | None) -> UserModel:
    """Import ``path``, which runs it, and take ``name`` from it, or what the file offers."""
    if path.is_dir():
        raise CouldNotRun(f"`{path}` is a directory", "give a Python file in it")
    if not path.is_file():
        raise CouldNotRun(f"no such file: `{path}`", "check the path")
    sys.path.insert(0, str(path.parent.resolve()))  # as `python file.py` does
    return _lazily(lambda: _offered(_executed(path), str(path), name, path.stem))


def _executed(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mirc_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CouldNotRun(f"`{path}` is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # what pickle and dataclasses look for while it runs
    with _blaming(str(path)):
        spec.loader.exec_module(module)
    return module


def from_module(dotted: str, name: str) -> UserModel:
    """Import the installed module ``dotted`` and take ``name`` from it."""
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.util.find_spec(dotted)
    except (ImportError, ValueError, AttributeError):
        found = None
    if found is None:
        raise CouldNotRun(
            f"no module named `{dotted}`", "give a path ending in .py, or install the package"
        )
    return _lazily(
        lambda: _offered(_imported(dotted), dotted, name or None, dotted.rpartition(".")[2])
    )


def _imported(dotted: str) -> ModuleType:
    with _blaming(dotted):
        return importlib.import_module(dotted)


def _lazily(make: Callable[[], UserModel]) -> UserModel:
    """Run the user's code so that a model of any size can be built, on a machine without it all."""
    lazily = Lazily(SMALL_BYTES)
    try:
        with lazily:
            return make()
    except CouldNotRun:
        if not lazily.exceeded:
            raise
    with Lazily(LARGE_BYTES):  # it may have looked at what was not there
        return make()


def _offered(module: ModuleType, where: str, name: str | None, title: str) -> UserModel:
    if name is not None:
        if not hasattr(module, name):
            raise CouldNotRun(f"`{where}` has no `{name}`", _found(module))
        return _made(getattr(module, name), module, where, f"{title}_{name}")
    if callable(getattr(module, "mirc_training", None)):
        return _with_training(module, where, title)
    for attribute in ("mirc_entries", "build"):
        if callable(getattr(module, attribute, None)):
            return _made(getattr(module, attribute), module, where, title)
    for attribute in ("model", "Model"):
        if hasattr(module, attribute):
            return _made(getattr(module, attribute), module, where, title)
    raise CouldNotRun(f"no model in `{where}`", f"{_found(module)}; {FORMS}")


def _with_training(module: ModuleType, where: str, title: str) -> UserModel:
    """Take the training step of a file, beside the phases of its ``mirc_entries()``."""
    entries = getattr(module, "mirc_entries", None)
    calls = _made(entries, module, where, title).calls if callable(entries) else {}
    trained = training_entry(_run(module.mirc_training, where), where)
    if _on_meta(trained.module):
        emptied((trained.module,))
    args, kwargs = _beside(trained.module, (trained.args, trained.kwargs))
    batch, tokens = sizes_of((args, kwargs))
    return UserModel(
        name=title,
        calls=calls,
        trained=attrs.evolve(trained, args=args, kwargs=kwargs, batch=batch, tokens=tokens),
    )


def _made(thing: Any, module: ModuleType, where: str, title: str) -> UserModel:
    """Turn an object of the user's into calls: a module, a class, a function, a mapping."""
    if isinstance(thing, type) and issubclass(thing, nn.Module):
        first = _called(module, "get_init_inputs", where, otherwise=())
        thing = _run(functools.partial(thing, *first), where)
    elif callable(thing) and not isinstance(thing, nn.Module):
        thing = _run(thing, where)
    return UserModel(name=title, calls=_settled(_calls(thing, module, where)))


def _settled(calls: Calls) -> Calls:
    """Put each call on one device: where any weight was left without bytes, all of them are."""
    modules = [module for module, _, _ in calls.values()]
    if any(map(_on_meta, modules)):
        emptied(modules)
    return {
        name: (module, *_beside(module, (args, kwargs)))
        for name, (module, args, kwargs) in calls.items()
    }


def _calls(thing: Any, module: ModuleType, where: str) -> Calls:
    if isinstance(thing, Mapping):
        if not thing:
            raise CouldNotRun(f"`mirc_entries()` of `{where}` names no phase")
        return {str(name): _call(f"phase `{name}`", value, where) for name, value in thing.items()}
    if isinstance(thing, nn.Module):
        inputs = _inputs(module, where)
        kwargs = getattr(module, "example_kwargs", {})
        return {"forward": _call("`forward`", (thing, inputs, kwargs), where)}
    return {"forward": _call("the result", thing, where)}


def _call(what: str, value: Any, where: str) -> tuple[nn.Module, tuple[Any, ...], dict[str, Any]]:
    parts = tuple(value) if isinstance(value, tuple | list) else (value,)
    module = parts[0] if parts else None
    args = parts[1] if len(parts) > 1 else ()
    kwargs = parts[2] if len(parts) > 2 else {}
    if isinstance(args, torch.Tensor):
        args = (args,)
    if (
        not isinstance(module, nn.Module)
        or not isinstance(args, tuple | list)
        or not isinstance(kwargs, Mapping)
        or len(parts) > 3
    ):
        raise CouldNotRun(
            f"{what} of `{where}` is {_kind(value)}, not (module, args, kwargs)", FORMS
        )
    if any(getattr(leaf, "is_nested", False) for leaf in tree_leaves((args, dict(kwargs)))):
        raise CouldNotRun(f"an input of {what} of `{where}` is a nested tensor", UNNEST)
    return module, tuple(args), dict(kwargs)


def _inputs(module: ModuleType, where: str) -> tuple[Any, ...]:
    if hasattr(module, "example_inputs"):
        given = module.example_inputs
        given = _run(given, where) if callable(given) else given
    elif hasattr(module, "get_inputs"):
        given = _called(module, "get_inputs", where, otherwise=())
    elif hasattr(module, "example_kwargs"):
        given = ()
    else:
        raise CouldNotRun(
            f"`{where}` has a model and no inputs for it",
            "add `example_inputs = (tensor, ...)` or `get_inputs()`",
        )
    return (given,) if isinstance(given, torch.Tensor) else tuple(given)


def _called(module: ModuleType, name: str, where: str, *, otherwise: Any) -> Any:
    function = getattr(module, name, None)
    return _run(function, where) if callable(function) else otherwise


def _run(function: Callable[[], Any], where: str) -> Any:
    with _blaming(where):
        return function()


def _beside(module: nn.Module, inputs: Any) -> Any:
    """Put the inputs where the weights are: export takes a mixture without complaint."""
    first = next(iter((*module.parameters(), *module.buffers())), None)
    if first is None:
        return inputs

    def moved(one: Any) -> Any:
        if not isinstance(one, torch.Tensor) or one.device == first.device:
            return one
        return torch.zeros_like(one, device=first.device) if one.is_meta else one.to(first.device)

    return tree_map(moved, inputs)


def _on_meta(module: nn.Module) -> bool:
    return any(one.is_meta for one in (*module.parameters(), *module.buffers()))


@contextlib.contextmanager
def _blaming(where: str) -> Iterator[None]:
    """Turn an exception of the user's code into one sentence that names it and its line."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except CouldNotRun:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code may raise anything
        raise CouldNotRun(
            f"`{where}` raised {blame(error, where)}",
            "see whether that line runs in plain Python",
        ) from None


def _found(module: ModuleType) -> str:
    names = [
        f"`{name}` ({_kind(value)})"
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__) == module.__name__
    ]
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"it has {listed}" if names else "it defines nothing"


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "a module class" if issubclass(value, nn.Module) else "a class"
    if isinstance(value, nn.Module):
        return "a module"
    return "a function" if callable(value) else f"a {type(value).__name__}"
