"""Arguments into a command: the list of commands, and what happens when one cannot go on."""

import errno
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

import mirc
from mirc.diagnostics.errors import CouldNotRun

# (name, where it is, what it does), in the order of --help. A room is imported only when its
# command runs: `mirc --help` and `mirc check` start without numpy and torch.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("check", "mirc.cli.check:check", "Report what is wrong in .mir files."),
    ("fmt", "mirc.cli.fmt:fmt", "Write .mir files in the one canonical form."),
    ("explain", "mirc.cli.explain:explain", "Explain a rule, a key, a word, or one object."),
    ("diff", "mirc.cli.diff:diff", "Say what changed between two .mir files, and how risky it is."),
    ("convert", "mirc.cli.convert:convert", "Turn .mir into JSON, and JSON into .mir."),
    ("pack", "mirc.cli.pack:pack", "Turn a .mir file into what a controller ingests."),
    ("unpack", "mirc.cli.unpack:unpack", "Turn a packed file back into .mir."),
    ("schema", "mirc.cli.schema:schema", "Print the JSON Schema of the JSON form."),
    ("completion", "mirc.cli.completion:completion", "Print the script for a shell's Tab key."),
    ("lsp", "mirc.cli.lsp:lsp", "Serve editors over the Language Server Protocol."),
    ("compile", "mirc.cli.compile:compile_", "Turn a model into memory intent (.mir)."),
    ("opt", "mirc.cli.opt:opt", "Fill in what a .mir file leaves open."),
    ("graph", "mirc.cli.graph:graph", "Draw what steps read and write."),
    ("fit", "mirc.cli.fit:fit", "Say which batch and context fit on a machine."),
    ("simulate", "mirc.cli.simulate:simulate", "Run a .mir file on a modeled machine."),
    (
        "replay",
        "mirc.cli.replay:replay",
        "Play a trace of accesses through caches, or tiers of a machine.",
    ),
    ("trace", "mirc.cli.trace:trace", "Make a trace, or say what one holds."),
    ("sweep", "mirc.cli.sweep:sweep", "Simulate many combinations into one table."),
    ("observe", "mirc.cli.observe:observe", "Run a small model, and write what it used when."),
    ("compare", "mirc.cli.compare:compare", "Compare what a .mir file declares with a run."),
    ("refine", "mirc.cli.refine:refine", "Bring a .mir file's estimates to what a run showed."),
    ("conform", "mirc.cli.conform:conform", "Hold a controller to the contract of claims."),
    ("machine", "mirc.cli.machine:machine", "List the machines, or show one."),
)

COULD_NOT_RUN = 2
INTERRUPTED = 130  # as shells report SIGINT
BROKEN_PIPE = 141  # as shells report SIGPIPE; 1 would mean findings


class _PipeClosedError(Exception):
    """Whoever read our output has left."""


@contextmanager
def _naming_closed_pipes() -> Iterator[None]:
    # click would turn a closed pipe into exit code 1, which here means findings.
    try:
        yield
    except BrokenPipeError as error:
        raise _PipeClosedError from error


class Commands(click.Group):
    """The group ``mirc``: commands imported on demand, every error one sentence.

    Commands end with ``ctx.exit(code)``: 0 clean, 1 findings; whatever stops them is 2.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help page."""
        del ctx
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; ``None`` if there is no such."""
        del ctx
        for name, target, _ in COMMANDS:
            if name == cmd_name:
                module, _, attribute = target.partition(":")
                command = getattr(import_module(module), attribute)
                assert isinstance(command, click.Command)  # noqa: S101 - the table above is ours
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begins with; an unknown one gets the nearest name."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            import difflib  # noqa: PLC0415 - start-up: only a wrong name needs it

            near = difflib.get_close_matches(args[0], names, n=1)
            advice = f"did you mean `{near[0]}`?" if near else f"choose from {', '.join(names)}"
            raise click.UsageError(f"there is no command `{args[0]}`: {advice}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Offer the commands that begin so, without importing any, and the options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - where Tab was pressed

        found = [
            CompletionItem(name, help=summary)
            for name, _, summary in COMMANDS
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, _, summary in COMMANDS])

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments (``--help`` and ``--version`` answer here)."""
        with _naming_closed_pipes():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the arguments name."""
        try:
            with _naming_closed_pipes():
                return super().invoke(ctx)
        except click.UsageError as error:
            if error.ctx is None and ctx.invoked_subcommand is not None:
                # The parser does not say whose option it is: its help is the command's.
                name = ctx.invoked_subcommand
                command = self.get_command(ctx, name)
                error.ctx = click.Context(command, ctx, name) if command else ctx
            raise

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line and exit; nothing but exit codes leaves here."""
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
            sys.stdout.flush()
        except (click.Abort, KeyboardInterrupt):
            _say("interrupted")
            sys.exit(INTERRUPTED)
        except (BrokenPipeError, _PipeClosedError):
            _discard_output()
            sys.exit(BROKEN_PIPE)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            _say(*_sentences(error))
            if os.environ.get("MIRC_DEBUG"):
                import traceback  # noqa: PLC0415 - only a bug needs it

                traceback.print_exc()
            _discard_output()
            sys.exit(COULD_NOT_RUN)
        sys.exit(code if isinstance(code, int) else 0)


@click.command("mirc", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mirc.__version__, prog_name="mirc", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Memory Intent IR: compile a model into it, check it, simulate it."""
    # The one place that reads these two (no-color.org; NO_COLOR wins, as in Python itself).
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    elif forced := os.environ.get("FORCE_COLOR"):
        ctx.color = forced.lower() not in ("0", "false")
    elif os.environ.get("TERM") == "dumb":
        ctx.color = False


def main() -> None:
    """Run the process's own arguments."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot show must not end the command.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        cli(prog_name="mirc")
    finally:
        gc.freeze()  # all memory goes back at once: no need to search a million objects for cycles


def _sentences(error: Exception) -> tuple[str, str | None]:  # noqa: PLR0911 - one row per case
    match error:
        case CouldNotRun():
            return f"error: {error.message}", error.hint
        case click.exceptions.NoArgsIsHelpError():
            return error.format_message(), None
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "mirc"
            return f"error: {_lowered(error.format_message())}", f"see `{path} --help`"
        case click.ClickException():
            return f"error: {_lowered(error.format_message())}", None
        case MemoryError():
            return "error: out of memory", "use a smaller input, or a machine with more memory"
        case OverflowError():
            return "error: a number is too large to compute with", "use smaller sizes and counts"
        case RecursionError():
            return "error: the input nests too deeply", "flatten it"
        case OSError(errno=errno.ENOSPC):
            return f"error: {_lowered(str(error.strerror))}", "make room, or write elsewhere"
        case OSError() if error.strerror:
            name = f" `{error.filename}`" if error.filename else ""
            return f"error: the system refused{name}: {_lowered(error.strerror)}", None
        case _:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return (
                f"error: this is a bug in mirc: {text[:500]}",
                "run it again with MIRC_DEBUG=1 and report the traceback",
            )


def _lowered(message: str) -> str:
    return (message[:1].lower() + message[1:]).rstrip(".")


def _say(message: str, hint: str | None = None) -> None:
    try:
        click.echo(message, err=True)
        if hint:
            click.echo(f"help: {hint}", err=True)
    except OSError:
        # Standard error is gone as well: the exit code is all that is left to say.
        return


def _discard_output() -> None:
    # What is still buffered cannot be written: without this, Python complains as it exits.
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
