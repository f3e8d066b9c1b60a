"""Which vectors the kernels are compiled for, and why: asked of LLVM, for the target that Numba compiles for.

What a target has follows from the name of a processor as well as from the features that are added to it. So a line of
16 numbers is multiplied and added for that target, and the registers in LLVM's answer are the ones that kernels use.

Lines have a fixed length, and products and convolutions consist of them. LLVM makes vectors of plain loops, too, such
as an optimizer's, and on some ARM processors takes those of SVE there, whose length is only known when the loop runs.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import llvmlite.binding as llvm
from llvmlite import ir

from npae.kernels.simd.llvm import FUSE, LINE, fused, loop

_llvm: Any = llvm

#: Settings of Numba that choose the target.
VARIABLES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX")

#: Registers in assembly, widest first, with their bytes and what has them.
REGISTERS = (
    (r"%zmm", 64, "AVX-512"),
    (r"%ymm", 32, "AVX"),
    (r"%xmm", 16, "SSE, which every x86-64 processor has"),
    (r"\bq\d+\b", 16, "NEON, which every 64-bit ARM processor has"),
)


class Vectors(NamedTuple):
    """The vectors of a target.

    Attributes
    ----------
    bytes : int or None
        Of a register; None where LLVM uses none that is known here.
    extension : str
        The instructions that have such registers; empty where there are none.
    is_fused : bool
        Whether multiplication and addition are one instruction.
    """

    bytes: int | None
    extension: str
    is_fused: bool


def vectors_of(target: tuple[str, str, str]) -> Vectors:
    """The vectors that LLVM uses for a triple, a processor's name and its features."""
    written = _assembly(target)
    is_fused = re.search(r"\s(vfn?madd\w+|fmla)[\s.]", written) is not None
    for pattern, nbytes, extension in REGISTERS:
        if re.search(pattern, written):
            return Vectors(nbytes, extension, is_fused)
    return Vectors(None, "", is_fused)


def uses_sve(target: tuple[str, str, str]) -> bool:
    """Whether LLVM makes vectors of SVE of a plain loop."""
    if not target[0].startswith(("aarch64", "arm64")):
        return False
    number = ir.FloatType()
    pointer, count = number.as_pointer(), ir.IntType(64)
    module, builder, (x, y, factor, n) = _function(target[0], [pointer, pointer, number, count])
    with loop(builder, n) as i:
        place = builder.gep(y, [i])
        builder.store(fused(builder, builder.load(place), factor, builder.load(builder.gep(x, [i]))), place)
    builder.ret_void()
    return re.search(r"\bz\d+\.s\b", _compiled(module, target)) is not None


def _assembly(target: tuple[str, str, str]) -> str:
    """A line multiplied by a line and added to a third, as LLVM writes it."""
    line = ir.VectorType(ir.FloatType(), LINE // 4)
    module, builder, places = _function(target[0], [line.as_pointer()] * 3)
    a, b, c = (builder.load(place, align=4) for place in places)
    builder.store(builder.fadd(builder.fmul(a, b, flags=FUSE), c, flags=FUSE), places[2], align=4)
    builder.ret_void()
    return _compiled(module, target)


def _function(triple: str, kinds: list[Any]) -> tuple[Any, Any, Any]:
    """A module with a function that has arguments of these types: the module, its builder and the arguments."""
    module: Any = ir.Module()
    module.triple = triple
    function: Any = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "call")
    return module, ir.IRBuilder(function.append_basic_block()), function.args


def _compiled(module: Any, target: tuple[str, str, str]) -> str:
    """The assembly of a module, optimized as kernels are."""
    triple, processor, features = target
    machine = _llvm.Target.from_triple(triple).create_target_machine(cpu=processor, features=features, opt=3)
    parsed = _llvm.parse_assembly(str(module))
    passes = _llvm.create_pass_builder(machine, _llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)
    return str(machine.emit_assembly(parsed))


def sentences(
    target: tuple[str, str, str], rows: int, host: tuple[str, str, str], environment: Mapping[str, str]
) -> list[str]:
    """What the kernels are compiled for, and why.

    Parameters
    ----------
    target : tuple of str
        Triple, processor and features that Numba compiles for.
    rows : int
        Of a tile.
    host : tuple of str
        As ``target``, of this machine with nothing left out.
    environment : mapping
        With Numba's settings, as it was when Numba was imported.
    """
    vectors, own = vectors_of(target), vectors_of(host)
    said = [f"kernels are compiled for {target[1]} ({target[0]}){_width(vectors)}; a tile has {rows} rows"]
    given = {name: environment[name] for name in VARIABLES if name in environment}
    if given:
        said.append(f"the target follows from {', '.join(f'{name}={value}' for name, value in given.items())}")
        if "NUMBA_CPU_NAME" in given and "NUMBA_CPU_FEATURES" not in given and target[2]:
            said.append("to the processor that is named, Numba adds the features of this machine")
    elif target == host:
        said.append("the target is this machine's processor, with all the features that LLVM finds")
    else:
        said.append(f"of this machine's processor, {host[1]}, Numba leaves out features by default")
    if uses_sve(target):
        said.append(
            "loops that LLVM makes vectors of by itself, such as an optimizer's, use those of SVE, whose length is the "
            "processor's; products and convolutions do not"
        )
    if (own.bytes or 0) > (vectors.bytes or 0):
        said.append(f"this machine's processor has wider vectors, of {own.bytes} bytes ({own.extension})")
    return said


def _width(vectors: Vectors) -> str:
    if vectors.bytes is None:
        return ", with registers that npae does not know"
    fused = "multiply and add at once" if vectors.is_fused else "do not multiply and add at once"
    return (
        f": vectors have {vectors.bytes} bytes, {vectors.bytes // 4} numbers of float32 ({vectors.extension}), and "
        f"instructions {fused}"
    )


def host_target(triple: str) -> tuple[str, str, str]:
    """The processor of this machine and its features, whatever Numba is told."""
    try:
        features = _llvm.get_host_cpu_features().flatten()
    except RuntimeError:  # LLVM cannot tell
        features = ""
    return triple, _llvm.get_host_cpu_name(), features
