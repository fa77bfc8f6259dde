"""A trace of requests, in any format that is known, into requests and what was not in it."""

import attrs

from mirc.diagnostics import CouldNotRun
from mirc.traces import azure, requests, vllm_events
from mirc.traces.detect import TraceFormat, detect
from mirc.traces.requests import Request

BLOCK_TOKENS = 512  # of Mooncake's traces


@attrs.frozen(kw_only=True)
class Arrivals:
    """Requests whose prompts are cut into blocks of ``block_tokens``.

    ``notes`` are sentences about what the format does not say, which a report repeats. ``cut`` says
    what was wrong after the last request, None if nothing was.
    """

    requests: tuple[Request, ...]
    block_tokens: int
    format: TraceFormat
    notes: tuple[str, ...] = ()
    cut: CouldNotRun | None = None


def arrivals(
    path: str, *, form: TraceFormat | None = None, block_tokens: int | None = None
) -> Arrivals:
    """Read a trace of requests; ``form`` forces a format, ``block_tokens`` says how blocks are cut.

    Raises CouldNotRun for a trace of accesses, and as the readers do.
    """
    found = arrivals_so_far(path, form=form, block_tokens=block_tokens)
    if found.cut is not None:
        raise found.cut
    return found


def arrivals_so_far(
    path: str, *, form: TraceFormat | None = None, block_tokens: int | None = None
) -> Arrivals:
    """Read the same, and of a trace that goes wrong somewhere what comes before that.

    Cache events, which say only together what was asked for, are still refused as a whole.
    """
    form = form or detect(path)
    if form is TraceFormat.AZURE:
        return _azure(path, block_tokens or BLOCK_TOKENS)
    if form is TraceFormat.VLLM_EVENTS:
        return _vllm(path, block_tokens)
    if form is TraceFormat.MOONCAKE:
        found, cut = requests.read_so_far(path)
        return Arrivals(
            requests=found,
            block_tokens=block_tokens or BLOCK_TOKENS,
            format=form,
            notes=_cut_short(cut),
            cut=cut,
        )
    raise CouldNotRun(
        f"`{path}` holds accesses ({form}), not requests", "play it with `mirc replay`"
    )


def _cut_short(cut: CouldNotRun | None) -> tuple[str, ...]:
    return () if cut is None else (f"cut short, only these were served: {cut.message}",)


def _azure(path: str, block_tokens: int) -> Arrivals:
    found, cut = azure.read_so_far(path, block_tokens)
    own = "the trace says nothing of what prompts share: every request has its own blocks"
    return Arrivals(
        requests=found,
        block_tokens=block_tokens,
        format=TraceFormat.AZURE,
        notes=(own, *_cut_short(cut)),
        cut=cut,
    )


def _vllm(path: str, block_tokens: int | None) -> Arrivals:
    found = vllm_events.read(path)
    if block_tokens is not None and block_tokens != found.block_tokens:
        raise CouldNotRun(
            f"the blocks of `{path}` hold {found.block_tokens} tokens, and not {block_tokens}",
            "leave out `--trace-block`: the trace says it",
        )
    notes = ["requests are read from what the engine stored: one that found all is not seen"]
    if found.skipped:
        notes.append(
            f"{found.skipped:_} events are of other cache groups, or of blocks whose beginning was "
            "not recorded: left out"
        )
    return Arrivals(
        requests=found.requests,
        block_tokens=found.block_tokens,
        format=TraceFormat.VLLM_EVENTS,
        notes=tuple(notes),
    )
