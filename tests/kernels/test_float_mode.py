"""The processor's floating-point mode: what is emitted for each kind of processor, on any machine."""

import re
from typing import Any

import pytest

from npae.kernels import default_kernels, reference_kernels

if default_kernels() is reference_kernels():
    pytest.skip("there is nothing to compile", allow_module_level=True)

import llvmlite.binding as llvm
from llvmlite import ir

from npae.kernels.execution.float_mode import MODE, Register, emit_flush, register_of

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()

X86 = ("x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "x86_64-apple-darwin")
ARM = ("aarch64-unknown-linux-gnu", "arm64-apple-darwin", "aarch64-pc-windows-msvc")
OTHER = "powerpc64le-unknown-linux-gnu"


def flushing(triple: str) -> str:
    """The assembly of a function that sets the mode, calls another one, and sets the mode as it was."""
    module: Any = ir.Module()
    module.triple = triple
    between: Any = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "between")
    function: Any = ir.Function(module, ir.FunctionType(MODE, []), "flushing")
    builder: Any = ir.IRBuilder(function.append_basic_block())
    register = register_of(triple)
    before = emit_flush(builder, register)
    builder.call(between, [])
    if register is not None:
        register.write(builder, before)
    builder.ret(before)
    machine: Any = llvm.Target.from_triple(triple).create_target_machine(opt=3)
    parsed: Any = llvm.parse_assembly(str(module))
    return str(machine.emit_assembly(parsed))


@pytest.mark.parametrize("triple", X86)
def test_x86_has_mxcsr_set_before_and_after(triple: str) -> None:
    found = re.findall(r"(stmxcsr|ldmxcsr|call|\$32832)", flushing(triple))  # 0x8000 | 0x0040
    assert found == ["stmxcsr", "$32832", "ldmxcsr", "call", "ldmxcsr"]


@pytest.mark.parametrize("triple", ARM)
def test_arm_has_flush_to_zero_of_fpcr_set_before_and_after(triple: str) -> None:
    found = re.findall(r"\b(mrs\s+x\d+, FPCR|orr\s.*#0x1000000|blr?\s|msr\s+FPCR)", flushing(triple), re.I)
    assert [name.split()[0].replace("blr", "bl") for name in found] == ["mrs", "orr", "msr", "bl", "msr"]


def test_nothing_is_set_on_a_processor_that_is_not_known() -> None:
    assert register_of(OTHER) is None
    assert re.search(r"\bbl between", flushing(OTHER))
    assert not re.search(r"\bmtfsf|\bmffs", flushing(OTHER))


def test_the_bits_are_those_of_the_manuals() -> None:
    """MXCSR: flush to zero is bit 15, denormals are zeros bit 6. FPCR: FZ is bit 24."""
    registers = [register_of(triple) for triple in (X86[0], ARM[0])]
    assert [register.to_zero for register in registers if isinstance(register, Register)] == [1 << 15 | 1 << 6, 1 << 24]
