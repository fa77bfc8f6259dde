"""``mirc lsp``: a language server for editors, over standard input and output."""

import os
import sys

import click

from mirc.diagnostics import CouldNotRun


@click.command()
@click.option("--stdio", is_flag=True, help="What editors add; it is what happens anyway.")
@click.pass_context
def lsp(ctx: click.Context, *, stdio: bool) -> None:
    """Serve editors over the Language Server Protocol, on standard input and output.

    Findings as you type, what a word means, completion, go to definition, references, rename,
    outline, folding, fixes, formatting and hints. Editors start it; see docs/editors.md.

    \b
    pip install 'mirc[lsp]'
    mirc lsp
    """  # noqa: D301 - click's own mark, not a backslash
    del stdio
    try:
        # An optional extra, and 300 ms of start-up that no other command should pay.
        from mirc.lsp.features import server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol", "cattrs"):
            raise
        raise CouldNotRun(
            "the language server needs pygls", "install it: pip install 'mirc[lsp]'"
        ) from None
    if sys.stdin.isatty():
        click.echo("note: editors start this and talk to it; see docs/editors.md", err=True)
    served = server()
    # The server closes what it wrote to; the process still has a standard output to flush.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as pipe:
        served.start_io(stdout=pipe)
    ctx.exit(0 if served.was_shut_down else 1)
