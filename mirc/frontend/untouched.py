"""A user's module lent to a tracer and given back as it was."""

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def lent(module: nn.Module) -> Iterator[None]:
    """Put ``module`` into evaluation for a while, quietly, and then restore every attribute.

    Tracers leave proxies and fake tensors in attributes that ``forward`` assigns, and evaluation
    mode is ours, not the user's. What user code prints goes to stderr.
    """
    held = [(part, dict(vars(part))) for part in module.modules()]
    stores = [
        (part, {name: dict(value) for name, value in before.items() if name in STORES})
        for part, before in held
    ]
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            torch.no_grad(),
            warnings.catch_warnings(),
            contextlib.redirect_stdout(sys.stderr),
        ):
            warnings.simplefilter("ignore")
            for part, _ in held:
                part.training = False
            yield
    finally:
        logging.disable(level)
        for part, before in held:
            vars(part).clear()
            vars(part).update(before)
        for part, contents in stores:
            for name, content in contents.items():
                store = vars(part)[name]
                store.clear()
                store.update(content)


@contextlib.contextmanager
def undumped() -> Iterator[None]:
    """Keep out of stderr the unfinished graph that ``torch.export`` prints when it gives up.

    What else is written there meanwhile follows at the end.
    """
    held = io.StringIO()
    graph = ""
    try:
        with contextlib.redirect_stderr(held):
            yield
    except Exception as error:
        graph = f"{getattr(error, 'partial_fx_graph', '')}\n"
        raise
    finally:
        rest = held.getvalue()
        sys.stderr.write(rest.replace(graph, "") if graph.strip() else rest)


STORES = ("_parameters", "_buffers", "_modules")
