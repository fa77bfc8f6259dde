"""Syntax rules about characters, words, numbers and fields, with the examples that test them."""

from mirc.grammar.syntax_examples import SIZED, TIERS, an_object, syntax_rule

UNEXPECTED = syntax_rule(
    100,
    "unexpected",
    "object w = {\n  class = WEIGHT_TILE\n}\n",
    "object my weights {\n  class = WEIGHT_TILE\n}\n",
    an_object("reuse = HIGH @ LOW"),
    '{"objects": []}\n',
    about="A word, number or sign stands where the language has no place for it, and no more"
    " particular rule knows what was meant.",
    message="expected {expected}, found {found}",
    good=an_object(),
    fixable=True,
)
BAD_CHARACTER = syntax_rule(
    101,
    "bad-character",
    "object my-weights {\n  class = WEIGHT_TILE\n}\n",
    "object größe {\n  class = WEIGHT_TILE\n}\n",
    an_object("backing = [DRAM/0]"),
    about="Names are made of ASCII letters, digits, `_`, dots and indices in brackets; whatever"
    " else a name holds, it is written in double quotes.",
    message="the character {found} is not allowed here",
    hint="put the whole name in double quotes",
    good='object "my-weights" {\n  class = WEIGHT_TILE\n}\n',
    fixable=True,
)
COLON = syntax_rule(
    102,
    "colon-for-equals",
    an_object("size_bytes: 1MiB"),
    an_object("size_bytes:1MiB", "dtype = bfloat16"),
    about="A key and its value are joined by `=`, unlike in YAML or JSON.",
    message="`:` is not used here",
    hint="write `=` between a key and its value",
    good=SIZED,
    fixable=True,
)
SEMICOLON = syntax_rule(
    103,
    "semicolon",
    an_object("size_bytes = 1MiB;"),
    an_object("dtype = bfloat16; size_bytes = 1MiB"),
    an_object("preferred_tiers = [HBM; DRAM]"),
    about="A field ends where the next one begins; several may share a line.",
    message="`;` is not used here",
    hint="end a field with a line break",
    good=SIZED,
    fixable=True,
)
HASH_COMMENT = syntax_rule(
    104,
    "hash-comment",
    "# weights\n" + SIZED,
    an_object("size_bytes = 1MiB  # the whole tile"),
    about="Comments start with `//` and run to the end of the line.",
    message="`#` does not start a comment",
    hint="write `//`",
    good="// weights\n" + SIZED,
    fixable=True,
)
BLOCK_COMMENT = syntax_rule(
    105,
    "block-comment",
    "/* weights */\n" + SIZED,
    "/* weights,\n * all of them */\n" + SIZED,
    an_object("size_bytes = /* a tile */ 1MiB"),
    about="No token crosses a line end, so that a broken line harms no other; a comment of several"
    " lines begins each with `//`.",
    message="there are no block comments",
    hint="begin each line with `//`",
    good="// weights\n" + SIZED,
    fixable=True,
)
OPEN_STRING = syntax_rule(
    106,
    "open-string",
    'object "w {\n  class = WEIGHT_TILE\n}\n',
    'module m {\n  producer = "by hand\n}\n',
    'module m {\n  mesh = ["data, "model"]\n}\n',
    about='A string begins and ends with `"` on one line.',
    message="the string is not closed",
    hint='add the missing `"`',
    good='object "w" {\n  class = WEIGHT_TILE\n}\n',
    fixable=True,
)
WRONG_QUOTES = syntax_rule(
    107,
    "wrong-quotes",
    "module m {\n  producer = 'by hand'\n}\n",
    "module m {\n  producer = \u201cby hand\u201d\n}\n",
    "object `w` {\n  class = WEIGHT_TILE\n}\n",
    about="Word processors and web pages turn straight quotes into typographic ones.",
    message="strings stand in straight double quotes",
    hint='write `"{inner}"`',
    good='module m {\n  producer = "by hand"\n}\n',
    fixable=True,
)
BAD_ESCAPE = syntax_rule(
    108,
    "bad-escape",
    'module m {\n  producer = "by\\_hand"\n}\n',
    'module m {\n  producer = "\\u12"\n}\n',
    about='In a string a backslash stands before `"`, `\\`, `n`, `r`, `t`, or `u` and four hex'
    " digits.",
    message="`{found}` is not an escape",
    hint="double the backslash, or write `\\u` and four hex digits",
    good='module m {\n  producer = "by\\\\_hand"\n}\n',
    fixable=True,
)
WRONG_EQUALS = syntax_rule(
    109,
    "wrong-equals",
    an_object("size_bytes == 1MiB"),
    an_object("size_bytes => 1MiB"),
    an_object("size_bytes <- 1MiB"),
    an_object("size_bytes := 1MiB"),
    about="A key and its value are joined by a single `=`.",
    message="`{found}` does not give a key its value",
    hint="write a single `=`",
    good=SIZED,
    fixable=True,
)
MISSING_EQUALS = syntax_rule(
    110,
    "missing-equals",
    an_object("size_bytes 1MiB"),
    an_object("preferred_tiers [HBM, DRAM]"),
    an_object("immutable", "size_bytes = 1MiB"),
    about="A field is `key = value`; there are no bare flags.",
    message="`=` is missing before {found}",
    hint="write `key = value`",
    good=SIZED,
    fixable=True,
)
MISSING_VALUE = syntax_rule(
    111,
    "missing-value",
    an_object("size_bytes ="),
    an_object("dtype =", "size_bytes = 1MiB"),
    an_object("reuse = @ 0.5"),
    an_object("reuse = HIGH @", "size_bytes = 1MiB"),
    about="A key without a value says nothing; leave the field out to have its default.",
    message="`{key}` has no value",
    hint="write it after the `=`, or remove the field",
    good=SIZED,
)
MISSING_COMMA = syntax_rule(
    112,
    "missing-comma",
    an_object("preferred_tiers = [HBM DRAM]"),
    an_object("preferred_tiers = [HBM", "  DRAM]"),
    about="The values of a list and the arguments of a call are separated by commas.",
    message="`,` is missing before {found}",
    hint="separate the values with commas",
    good=TIERS,
    fixable=True,
)
MISSING_NAME = syntax_rule(
    113,
    "missing-name",
    "object {\n  class = WEIGHT_TILE\n}\n",
    "phase decode {\n  step { }\n}\n",
    about="Every declaration has a name, by which others refer to it.",
    message="this `{keyword}` has no name",
    hint="write `{keyword} NAME {{`",
    good=SIZED,
)
MISSING_BRACE = syntax_rule(
    114,
    "missing-brace",
    "object w\n  class = WEIGHT_TILE\n}\n",
    "object w:\n  class = WEIGHT_TILE\n}\n",
    "phase decode\n  step mlp { }\n}\n",
    "tenant t\n\ntenant u { }\n",
    about="The fields of a declaration stand between braces, even if there are none.",
    message="`{{` is missing after `{owner}`",
    hint="add it",
    good=an_object(),
    fixable=True,
)
BARE_LIST = syntax_rule(
    115,
    "bare-list",
    an_object("preferred_tiers = HBM, DRAM"),
    an_object("preferred_tiers = HBM DRAM"),
    about="Several values are one list, in brackets.",
    message="several values stand without brackets",
    hint="put them in `[ ]`",
    good=TIERS,
    fixable=True,
)
FIELD_SEPARATOR = syntax_rule(
    116,
    "field-separator",
    an_object("size_bytes = 1MiB,"),
    "object w { class = WEIGHT_TILE, size_bytes = 1MiB }\n",
    about="A field ends where the next one begins; commas stand only in lists and calls.",
    message="`,` does not separate fields",
    hint="end a field with a line break",
    good=SIZED,
    fixable=True,
)
BAD_UNIT = syntax_rule(
    117,
    "bad-unit",
    an_object("size_bytes = 128 MiB"),
    an_object("size_bytes = 128mb"),
    an_object("size_bytes = 128QB"),
    about="A unit follows its number without a blank and is spelled as the standards have it:"
    " `KiB` is 1024 bytes, `KB` is 1000.",
    message="`{found}` is not a number with a unit",
    hint="sizes end in B, KiB, MiB, GiB, KB, MB, GB; times in ns, us, ms, s",
    good=an_object("size_bytes = 128MiB"),
    fixable=True,
)
RESERVED_WORD = syntax_rule(
    118,
    "reserved-word",
    "object plan {\n  class = WEIGHT_TILE\n}\n",
    "tenant t {\n  security_domain = module\n}\n",
    an_object("tenant = a"),
    about="The words that begin declarations are nothing else, so that a missing brace is found"
    " where the next declaration begins.",
    message="`{found}` is a reserved word and cannot be a name",
    hint="choose another name",
    good='object "plan" {\n  class = WEIGHT_TILE\n}\n',
    fixable=True,
)
EXTRA_COMMA = syntax_rule(
    119,
    "extra-comma",
    an_object("preferred_tiers = [HBM,, DRAM]"),
    an_object("preferred_tiers = [, HBM]"),
    about="Commas separate values, and one may follow the last; nothing is no value.",
    message="this `,` separates nothing",
    hint="remove it, or write the missing value",
    good=TIERS,
    fixable=True,
)
BAD_NUMBER = syntax_rule(
    126,
    "bad-number",
    an_object("size_bytes = 0x100000"),
    an_object("size_bytes = 1_048__576"),
    an_object("reuse = HIGH @ .5"),
    an_object("retention_priority = +5"),
    an_object("size_bytes = 1,048,576"),
    about="Numbers are decimal; a single `_` may stand between digits, and digits stand on both"
    " sides of a point.",
    message="`{found}` is not how a number is written here",
    hint="write decimal digits, as in `1_048_576`, `0.5` or `2.5e9`",
    good=an_object("size_bytes = 1048576"),
    fixable=True,
)
VALUE_WITHOUT_KEY = syntax_rule(
    127,
    "value-without-key",
    an_object("= 1MiB"),
    "tenant t { = 1MiB }\n",
    about="A field is `key = value`, and the key is missing.",
    message="`=` has no key before it",
    hint="write `key = value`",
    good=SIZED,
)
BRACES_FOR_LIST = syntax_rule(
    128,
    "braces-for-list",
    an_object("preferred_tiers = {HBM, DRAM}"),
    about="Braces hold fields; a list stands in `[ ]`.",
    message="`{{` does not begin a value",
    hint="put the values in `[ ]`",
    good=TIERS,
    fixable=True,
)
QUOTED_KEY = syntax_rule(
    129,
    "quoted-key",
    an_object('"size_bytes" = 1MiB'),
    an_object('"size_bytes": 1MiB'),
    about="Keys are bare words, unlike in JSON.",
    message="keys stand without quotes",
    hint="write `{key} =`",
    good=SIZED,
    fixable=True,
)
