"""An optimised LLVM module into machine code on disk, and that into a function: no compiler needed.

A call hands over one array of words: an array is seven or more of them, as numba lays it out (its
owner twice, which is nobody here; elements, bytes of one, address, shape, strides), an int is one,
a tuple all of its parts. What is on disk is loaded by LLVM alone, which is ready in a tenth of the
time that numba takes to be imported.
"""

import ctypes
import hashlib
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mirc.kernels.layout import words

_ENTRY = "mirc_entry"
_MOST_KEPT = 8  # of one kernel: those of former sources go
_DIGEST = hashlib.sha256().digest_size
_WORDS = {"i64": "i64", "ptr": "ptr", "double": "double", "i8": "i8", "i32": "i32"}

RESULTS = {"int64": "q", "bool": "?", "none": "", "float64": "d"}
"""How a result of each type lies in its eight bytes; these are the types that one may have."""


class Code:
    """A function in machine code, loaded for this process."""

    def __init__(self, stored: bytes) -> None:
        """Load what ``machine_code`` made; raise ValueError where it is not that."""
        digest, body = stored[:_DIGEST], stored[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            raise ValueError("not the code that was stored")
        import llvmlite.binding as llvm  # noqa: PLC0415 - paid only where code is run

        self._result = struct.Struct("=" + body[:1].decode().strip())
        _ready(llvm)
        module = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(module, _machine(llvm))
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(body[1:]))
        self._engine.finalize_object()
        kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
        self._call = kind(self._engine.get_function_address(_ENTRY))

    def __call__(self, *values: Any) -> Any:
        """Call it; raise RuntimeError where it raised."""
        handed = words(values)
        result = ctypes.create_string_buffer(8)
        status = self._call(handed.buffer_info()[0], ctypes.addressof(result))
        if status not in (0, -2):  # -2: it returned None
            raise RuntimeError("a kernel raised an exception: run it in Python to see which")
        found = self._result.unpack_from(result)
        return found[0] if found else None


def machine_code(ir: str, name: str, result: str) -> bytes:
    """Return the code of a function of an LLVM module, given as text, to be stored.

    Its callees are hidden first: what is theirs alone is optimised away, most of all the hundreds
    of arguments that a tuple of arrays is, of which each of them uses a few. Raises TypeError for a
    result that is none of ``RESULTS``, and for what cannot be called without numba beside it.
    """
    import llvmlite.binding as llvm  # noqa: PLC0415 - paid only where code is made

    if result not in RESULTS:
        raise TypeError(f"a kernel returns {', '.join(RESULTS)}, and not {result}")
    _ready(llvm)
    module = llvm.parse_assembly(ir)
    module.link_in(llvm.parse_assembly(_entry(module.get_function(name), module)))
    for each in (*module.functions, *module.global_variables):
        if not each.is_declaration and each.name != _ENTRY:
            each.linkage = "internal"
    machine = _machine(llvm)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    missing = [f.name for f in module.functions if f.is_declaration]
    foreign = [each for each in missing if each.startswith(("Py", "numba_", "NRT_"))]
    if foreign:
        raise TypeError(f"a kernel cannot use {', '.join(foreign)}")
    code: bytes = machine.emit_object(module)
    body = (RESULTS[result] or " ").encode() + code
    return hashlib.sha256(body).digest() + body


def stored(folders: Iterable[Path], name: str) -> bytes | None:
    """Return what is kept under a name in the first of the folders that has it."""
    for folder in folders:
        with suppress(OSError):
            return (folder / name).read_bytes()
    return None


def store(folders: Sequence[Path], name: str, content: bytes) -> None:
    """Keep content in the first folder that takes it; of its kernel's former sources a few stay."""
    for folder in folders:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            written = folder / f".{name}.{id(content)}.tmp"
            written.write_bytes(content)
            written.replace(folder / name)
            kernel = name.rpartition("-")[0]
            kept = sorted(folder.glob(f"{kernel}-*"), key=lambda file: -file.stat().st_mtime)
            for old in kept[_MOST_KEPT:]:
                old.unlink(missing_ok=True)
            return


def platform() -> str:
    """Return what decides which machine code can be run, and which is made."""
    import llvmlite.binding as llvm  # noqa: PLC0415 - as above

    _ready(llvm)
    features = llvm.get_host_cpu_features().flatten()
    compiler = Path(str(getattr(find_spec("numba"), "origin", ""))).parent / "_version.py"
    made = compiler.read_text(encoding="utf-8")  # to import numba for it takes half a second
    return f"{made} {llvm.get_process_triple()} {llvm.get_host_cpu_name()} {features}"


def _entry(callee: Any, module: Any) -> str:
    """Return a module with one function: it takes the words apart and calls ``callee``."""
    kinds = [str(argument.type) for argument in callee.arguments]
    unknown = set(kinds) - _WORDS.keys()
    if unknown or kinds[:2] != ["ptr", "ptr"]:
        raise TypeError(f"a kernel cannot be handed {', '.join(sorted(unknown))}")
    lines, handed = [], ["ptr %result", "ptr %raised"]
    for at, kind in enumerate(kinds[2:]):
        lines.append(f"  %p{at} = getelementptr i64, ptr %words, i64 {at}")
        lines.append(f"  %v{at} = load {kind}, ptr %p{at}")
        handed.append(f"{kind} %v{at}")
    body = "\n".join(lines)
    return f"""target triple = "{module.triple}"
target datalayout = "{module.data_layout}"
declare i32 @{callee.name}({", ".join(kinds)})
define i32 @{_ENTRY}(ptr %words, ptr %result) {{
  %raised = alloca ptr
{body}
  %status = call i32 @{callee.name}({", ".join(handed)})
  ret i32 %status
}}
"""


def _ready(llvm: Any) -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _machine(llvm: Any) -> Any:
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )
