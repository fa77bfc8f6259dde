from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings

from mirc.diagnostics import Source
from mirc.grammar import bind, parse, print_declaration, print_module
from mirc.grammar.comments import attach
from mirc.ir import Block, Field, Module, Name, Object, Phase, Plan, PlanPhase, Signal, Step, Trivia
from tests.strategies import modules, raw_modules

slow = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _load(text: str) -> Module:
    bound = bind(attach(parse(Source("drawn.mir", text))))
    assert bound.diagnostics == ()
    return bound.module


@slow
@given(modules())
def test_a_printed_module_parses_back_to_an_equal_module(module: Module) -> None:
    back = _load(print_module(module))
    assert back == module
    assert repr(back) == repr(module)  # 1, 1.0 and true are equal in Python, not in the language


@slow
@given(modules())
def test_printing_what_was_printed_changes_no_byte(module: Module) -> None:
    text = print_module(module)
    assert print_module(_load(text)) == text


@slow
@given(raw_modules())
def test_whatever_can_be_built_can_be_written_and_read_even_if_it_means_nothing(
    module: Module,
) -> None:
    document = parse(Source("drawn.mir", print_module(module)))
    assert not document.diagnostics
    assert repr(document.blocks) == repr(module.declarations)


def _comments(trivia: Trivia | None) -> Iterator[str]:
    if trivia is not None:
        yield from (comment for comment in trivia.above if comment)
        yield from () if trivia.trailing is None else (trivia.trailing,)


def _block_comments(block: Block) -> Iterator[str]:
    yield from _comments(block.trivia)
    for field in block.fields:
        yield from _comments(field.trivia)
    inner: tuple[Block, ...] = ()
    if isinstance(block, Phase):
        inner = (*block.steps, *block.overrides)
    elif isinstance(block, Plan):
        inner = (*block.overrides, *block.phases)
    elif isinstance(block, Signal | PlanPhase):
        inner = block.overrides
    for child in inner:
        yield from _block_comments(child)
    yield from _comments(block.closing)


def _all_comments(module: Module) -> list[str]:
    found = list(_comments(module.header))
    if module.info is not None:
        found += _block_comments(module.info)
    for declaration in module.declarations:
        found += _block_comments(declaration)
    return [*found, *_comments(module.trailing)]


@slow
@given(modules())
def test_comments_survive_in_their_order(module: Module) -> None:
    assert _all_comments(_load(print_module(module))) == _all_comments(module)


def test_comments_stay_beside_what_they_were_written_for() -> None:
    text = """\
// a licence

mir 1.0  // the version

// the only object

object w {  // its head
  // above the class
  class      = WEIGHT_TILE  // beside the class
  size_bytes = 1MiB
  // before the brace
}  // after the brace

// the end
"""
    assert print_module(_load(text)) == text


def test_a_comment_inside_a_list_moves_above_its_field() -> None:
    text = "object w {\n class = WEIGHT_TILE\n backing = [DRAM, // slow\n NVME]\n}\n"
    assert "  // slow\n  backing = [DRAM, NVME]\n" in print_module(_load(text))


def test_a_comment_without_slashes_gets_them() -> None:
    made = Object("w", (Field("class", Name("INPUT")),), trivia=Trivia(("made by hand",)))
    assert print_declaration(made).startswith("// made by hand\nobject w {\n")


def test_fields_stand_one_to_a_line_with_their_equals_signs_in_a_column() -> None:
    step = Step("s", (Field("flops", 4096), Field("work", Name("MATMUL"), None)))
    assert print_declaration(Phase("p", steps=(step,))) == (
        "phase p {\n  step s {\n    flops = 4_096\n    work  = MATMUL\n  }\n}\n"
    )
