"""``mirc unpack``: a packed file back into .mir text."""

import click

from mirc.cli.options import output_option
from mirc.cli.output import spare_inputs, write_text


@click.command(no_args_is_help=True)
@click.argument("file", metavar="FILE|-", type=click.Path())
@output_option("Write the text there.")
def unpack(file: str, *, output: str) -> None:
    """Turn a packed file back into .mir text.

    Every field of every object holds as in the file that was packed, in each phase and plan, under
    each signal; steps do nothing, and there is no schedule. Exit code 2 means that FILE is no
    packed file, is damaged, or says what is not right.

    \b
    mirc unpack model.mirb -o declared.mir
    """  # noqa: D301 - click's own mark, not a backslash
    spare_inputs((output,), (file,))
    from mirc.cli.packed_file import read_packed  # noqa: PLC0415 - numpy: --help needs none
    from mirc.grammar import print_module  # noqa: PLC0415
    from mirc.packed.unpack import unpack as unpacked  # noqa: PLC0415

    write_text(output, print_module(unpacked(read_packed(file))))
