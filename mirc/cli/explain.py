"""``mirc explain``: what a word of the language means, or what holds for one object."""

import json
from pathlib import Path

import click

import mirc.explain as words
from mirc.cli.completion import complete_explain, complete_names
from mirc.cli.options import format_option
from mirc.diagnostics import CouldNotRun


@click.command()
@click.argument(
    "what", nargs=-1, metavar="[CODE|NAME|KEY|WORD | FILE OBJECT]", shell_complete=complete_explain
)
@click.option("--phase", metavar="NAME", shell_complete=complete_names, help="While it lasts.")
@click.option("--plan", metavar="NAME", shell_complete=complete_names, help="Under this plan.")
@click.option(
    "--signal", metavar="EVENT", shell_complete=complete_names, help="Once it has happened."
)
@format_option("text", "json")
@click.pass_context
def explain(
    ctx: click.Context,
    what: tuple[str, ...],
    *,
    phase: str | None,
    plan: str | None,
    signal: str | None,
    output_format: str,
) -> None:
    """Explain a rule, a key or a word of the language; or all that holds for an object of a file.

    Without an argument, list every word that can be explained. For an object each value is shown
    with who said so (the class's default, the object, a plan, phase or signal), on which line, and
    what it took the place of. Exit code 1 means that FILE has errors, 2 that there is no such word.

    \b
    mirc explain MIR401
    mirc explain deadline_class
    mirc explain model.mir kv.layers.0 --phase decode_step
    """  # noqa: D301 - click's own mark, not a backslash
    if len(what) > 2:
        raise click.UsageError("give one word, or a file and an object", ctx)
    if len(what) == 2:
        ctx.exit(_object(what[0], what[1], (phase, signal, plan), output_format))
    if phase or plan or signal:
        raise click.UsageError("--phase, --plan and --signal need a file and an object", ctx)
    click.echo(_listed(output_format) if not what else _word(what[0], output_format), nl=False)


def _listed(output_format: str) -> str:
    found = words.words()
    if output_format == "json":
        return json.dumps({str(s): list(map(str, n)) for s, n in found.items()}, indent=2) + "\n"
    return words.list_text(found)


def _word(text: str, output_format: str) -> str:
    found = words.word(text) or _kind_of_change(text)
    if found is None:
        raise _unknown(text)
    if output_format == "json":
        return json.dumps(words.as_object(found), indent=2) + "\n"
    return words.as_text(found)


def _kind_of_change(text: str) -> words.Explanation | None:
    from mirc.changes.explained import word  # noqa: PLC0415 - only where nothing else has the word

    return word(text)


def _unknown(text: str) -> CouldNotRun:
    if text.endswith(".mir") or Path(text).is_file():
        return CouldNotRun(
            f"`{text}` is a file, and no object of it is named",
            f"add the object's name: `mirc explain {text} NAME`",
        )
    near = words.near(text)
    advice = f"did you mean {' or '.join(f'`{word}`' for word in near)}?" if near else None
    return CouldNotRun(
        f"nothing in the language is called `{text[:100]}`",
        advice or "run `mirc explain` for the list of all words",
    )


def _object(
    path: str, name: str, when: tuple[str | None, str | None, str | None], output_format: str
) -> int:
    """Print the object of a file, or what is wrong in the file; return the exit code."""
    # Start-up: a word needs no parser.
    from mirc.diagnostics import FileFindings, Findings, render  # noqa: PLC0415
    from mirc.explain import object_text, objects  # noqa: PLC0415
    from mirc.grammar import SourcePlaces, bind, parse  # noqa: PLC0415
    from mirc.lint.sources import read  # noqa: PLC0415

    if Path(path).is_dir():
        raise CouldNotRun(f"`{path}` is a folder", "name a file in it")
    source = read(path)
    document = parse(source)
    bound = bind(document)
    if bound.diagnostics:
        findings = Findings((FileFindings(source, bound.diagnostics),))
        click.echo(render.full(findings), nl=False)
        return 1
    phase, signal, plan = when
    query = objects.Query(name=name, phase=phase, signal=signal, plan=plan)
    view = objects.view_of(bound.module, query, source, SourcePlaces(document.text))
    if output_format == "json":
        click.echo(json.dumps(object_text.as_object(view), indent=2))
    else:
        click.echo(object_text.as_text(view), nl=False)
    return 0
