"""Syntax rules about brackets, blocks and the file as a whole, with the examples that test them."""

from mirc.grammar.syntax_examples import SIZED, TIERS, an_object, syntax_rule

UNCLOSED_BRACKET = syntax_rule(
    120,
    "unclosed-bracket",
    an_object("preferred_tiers = [HBM, DRAM"),
    an_object("preferred_tiers = [HBM, DRAM", "size_bytes = 1MiB"),
    an_object("size_bytes = PER_TOKEN(4KiB"),
    "phase decode {\n  step mlp { raises = [DONE(1] }\n}\n",
    about="A list ends with `]`, a call with `)`. The finding stands at the opener, which is where"
    " to look; what follows is read as if the bracket had been closed.",
    message="`{opener}` is never closed",
    hint="add the missing `{closer}`",
    good=TIERS,
    fixable=True,
)
MISMATCHED_BRACKET = syntax_rule(
    121,
    "mismatched-bracket",
    an_object("preferred_tiers = [HBM, DRAM)"),
    an_object("size_bytes = PER_TOKEN(4KiB]"),
    an_object("preferred_tiers = [HBM, DRAM}"),
    about="A list stands in `[ ]`, the arguments of a call in `( )`, fields in `{ }`.",
    message="`{found}` does not close `{opener}`",
    hint="write `{closer}`",
    good=TIERS,
    fixable=True,
)
UNCLOSED_DECLARATION = syntax_rule(
    122,
    "unclosed-declaration",
    "object w {\n  class = WEIGHT_TILE\n\ntenant t { quota_bytes = 1GiB }\n",
    "phase decode {\n  step a {\n  step b { }\n}\n",
    "object w {\n  class = WEIGHT_TILE\n",
    about="A `}` is missing. Where the next declaration shows it, the finding stands there and the"
    " note at the `{`; where the file just ends, at the `{`.",
    message="{found} comes before {owner} is closed",
    hint="add the missing `}}`",
    good="object w {\n  class = WEIGHT_TILE\n}\n\ntenant t { quota_bytes = 1GiB }\n",
    fixable=True,
)
STRAY_BRACKET = syntax_rule(
    123,
    "stray-bracket",
    an_object("size_bytes = 1MiB") + "}\n",
    an_object("preferred_tiers = [HBM]]"),
    "object w {\n  class = WEIGHT_TILE\n}\n  size_bytes = 1MiB\n}\n",
    about="A closing bracket or brace has no opener.",
    message="`{found}` closes nothing",
    hint="remove it",
    good=SIZED,
    fixable=True,
)
NESTED_TOO_DEEPLY = syntax_rule(
    124,
    "nested-too-deeply",
    an_object("preferred_tiers = " + "[" * 33 + "HBM" + "]" * 33),
    about="Brackets within brackets are bounded, so that no file exhausts a stack.",
    message="brackets nest more than {limit} deep",
    hint="flatten the value",
    good=TIERS,
)
UNOPENED_BRACKET = syntax_rule(
    125,
    "unopened-bracket",
    an_object("size_bytes = PER_TOKEN 4KiB)"),
    an_object("preferred_tiers = HBM, DRAM]"),
    about="A list or call is closed on its line and was not opened.",
    message="`{closer}` further on has no `{opener}` here",
    hint="add the missing `{opener}`",
    good=an_object("size_bytes = PER_TOKEN(4KiB)"),
    fixable=True,
)
UNKNOWN_BLOCK = syntax_rule(
    130,
    "unknown-block",
    "objct w {\n  class = WEIGHT_TILE\n}\n",
    "phase decode {\n  stp mlp { }\n}\n",
    "w {\n  class = WEIGHT_TILE\n}\n",
    an_object("tiers {", "}"),
    about="A declaration begins with one of a few reserved words.",
    message="`{found}` does not start a block",
    hint="begin with one of {keywords}",
    good=an_object(),
    fixable=True,
)
MISPLACED_BLOCK = syntax_rule(
    131,
    "misplaced-block",
    "override w {\n  size_bytes = 1MiB\n}\n",
    an_object("step mlp { }"),
    about="A `step` stands in a `phase`; an `override` in a `phase`, an `on` or a `plan`; all else"
    " on top of the file.",
    message="`{found}` may not stand here",
    hint="move it into {home}",
    good=an_object() + "\nphase decode {\n  step mlp { reads = [w] }\n}\n",
)
FIELD_OUTSIDE = syntax_rule(
    132,
    "field-outside",
    "size_bytes = 1MiB\n\n" + TIERS,
    about="Fields stand between the braces of a declaration.",
    message="the field `{key}` stands outside any declaration",
    hint="put it between the braces of one",
    good=an_object("size_bytes = 1MiB", "preferred_tiers = [HBM, DRAM]"),
)
BAD_HEADER = syntax_rule(
    140,
    "bad-header",
    "mir 1\n" + SIZED,
    "mir v1.0\n" + SIZED,
    SIZED + "\nmir 1.0\n",
    about="The first line may say in which version of the language the file is written.",
    message="the version is not written as two numbers",
    hint="write `mir 1.0`",
    good="mir 1.0\n" + SIZED,
    fixable=True,
)
UNKNOWN_VERSION = syntax_rule(
    141,
    "unknown-version",
    "mir 2.0\n" + SIZED,
    about="A file of another major version may mean something else by the same words; nothing of"
    " it is read.",
    message="this file is written in version {found} of the language; this mirc reads version"
    " {supported}",
    hint="use a newer mirc, or have the file written again",
    good="mir 1.0\n" + SIZED,
)
EMPTY_FILE = syntax_rule(
    142,
    "empty-file",
    "",
    "// nothing yet\n",
    about="The file declares nothing; most likely the wrong one, or one cut short.",
    message="the file {state}",
    hint="begin with `mir 1.0` and declare an `object`",
    good=SIZED,
)
LLVM_MACHINE_IR = syntax_rule(
    143,
    "llvm-machine-ir",
    "--- |\n  define i32 @f() { ret i32 0 }\n...\n---\nname: f\n",
    "# RUN: llc -o - %s\n---\nname: f\n",
    "; ModuleID = 'f.ll'\n",
    about="LLVM keeps its Machine IR in files that end in `.mir` too, as YAML. Nothing of such a"
    " file is read.",
    message="this looks like LLVM's Machine IR, not Memory Intent IR",
    hint="leave the file out of what is checked, or begin it with `mir 1.0` if it is intent",
    good="mir 1.0\n" + SIZED,
)
TOO_MANY = syntax_rule(
    199,
    "too-many-errors",
    about="A file with so many errors is not one of ours; the rest of it was not read.",
    message="too many syntax errors: after {count} the rest of the file was not read",
    hint="correct these first",
    good=SIZED,
)
