"""Undocumented features of Numba, llvmlite, NumPy and Python that npae uses: one test for each.

If a new version changes one of them, the failing test names it, and ``USED`` says which module needs it.
"""

import inspect
import warnings
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

import numba
import numpy as np
import pytest
from llvmlite import binding, ir
from numba.core import cgutils, types

from npae.kernels import default_kernels, reference_kernels
from npae.kernels.jit import jit

USED = {
    "numba.core.types": ["Array", "Float", "CPointer", "intp", "int32", "int64", "void", "none"],  # npae/kernels
    "numba.core.cgutils": ["alloca_once", "raw_memcpy", "get_or_insert_function"],  # llvm.py, rendezvous.py
    "numba.core.compiler_lock": ["global_compiler_lock"],  # jit.py, trampoline.py
    "numba.core.caching": ["CompileResultCacheImpl", "FunctionCache"],  # machine_code.py
    "numba.extending": ["intrinsic"],  # llvm.py, rendezvous.py, trampoline.py
    "numba.np.arrayobj": ["populate_array"],  # trampoline.py
    "numba.config": ["DISABLE_JIT"],  # llvm.py
    "llvmlite.binding": ["add_symbol", "get_host_cpu_features"],  # shared_code.py, llvm.py
    "llvmlite.ir": [
        *["Constant", "DoubleType", "FloatType", "Function", "FunctionType", "IRBuilder", "IntType", "Undefined"],
        *["VectorType", "VoidType"],
    ],
    "numpy.lib.format": ["read_magic", "read_array_header_1_0", "read_array_header_2_0"],  # npae/datasets/arrays.py
}
NEEDS_JIT = pytest.mark.skipif(
    default_kernels() is reference_kernels(), reason="nothing is compiled where Numba is told not to"
)


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in USED.items() for name in names])
def test_there_is_still(module: str, name: str) -> None:
    parent, _, last = module.rpartition(".")
    found = getattr(numba, last) if parent == "numba" and last == "config" else import_module(module)
    assert hasattr(found, name)


def positional(function: Callable[..., Any]) -> list[str]:
    return [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]


@pytest.mark.parametrize(
    ("function", "takes"),
    [
        (cgutils.alloca_once, ["builder", "ty"]),
        (cgutils.raw_memcpy, ["builder", "dst", "src", "count", "itemsize"]),
        (cgutils.get_or_insert_function, ["module", "fnty", "name"]),
    ],
    ids=["alloca_once", "raw_memcpy", "get_or_insert_function"],
)
def test_numbas_helper_takes_the_same_arguments(function: Callable[..., Any], takes: list[str]) -> None:
    assert positional(function) == takes


def test_populate_array_takes_what_a_trampoline_gives() -> None:
    parameters = inspect.signature(import_module("numba.np.arrayobj").populate_array).parameters
    assert {"array", "data", "shape", "strides", "itemsize", "meminfo"} <= set(parameters)


def test_the_compilers_lock_can_be_held_twice_by_one_thread() -> None:
    lock: Any = import_module("numba.core.compiler_lock").global_compiler_lock
    with lock, lock:
        assert lock.is_locked()


def test_features_of_the_processor_are_names_with_yes_or_no() -> None:
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        pytest.skip("LLVM does not know this processor")
    assert all(isinstance(name, str) for name in features)
    assert set(features.values()) <= {True, False}


def test_llvms_pointers_tell_what_they_point_to() -> None:
    assert ir.FloatType().as_pointer().pointee == ir.FloatType()


def test_llvms_builder_has_the_instructions_that_are_written() -> None:
    used = [
        *["add", "alloca", "append_basic_block", "bitcast", "branch", "call", "cbranch", "fadd", "fmul", "gep"],
        *["icmp_signed", "insert_element", "inttoptr", "load", "load_atomic", "mul", "or_", "phi", "position_at_end"],
        *["ret", "sext", "shuffle_vector", "store", "store_atomic", "switch", "zext"],
    ]
    assert [name for name in used if not hasattr(ir.IRBuilder, name)] == []


def test_the_first_operand_of_metadata_can_be_itself() -> None:
    module = ir.Module()
    data = module.add_metadata([module.add_metadata(["llvm.loop.unroll.disable"])])
    data.operands = (data, *data.operands)
    assert f"!{{ !{data.name}, " in str(module)


@jit
def _first(a: Any, k: int) -> float:
    value: float = a[k]
    return value


@pytest.fixture(scope="module")
def compiled() -> Any:
    """What Numba keeps of a function that it has compiled."""
    kinds = (types.Array(types.float64, 1, "C"), types.int64)
    function: Any = numba.njit(cache=False)(_first.py_func)  # type: ignore[attr-defined]
    function.compile(kinds)
    return function.overloads[kinds]


@NEEDS_JIT
def test_a_compiled_function_tells_where_its_machine_code_is(compiled: Any) -> None:
    assert compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name) > 0


@NEEDS_JIT
def test_the_calling_convention_puts_result_and_error_before_the_arguments(compiled: Any) -> None:
    context = compiled.target_context
    kind = context.call_conv.get_function_type(types.float64, compiled.signature.args)
    assert kind.return_type == ir.IntType(32)
    assert kind.args[0].pointee == ir.DoubleType()
    assert isinstance(kind.args[1].pointee, ir.PointerType)
    packed = context.get_arg_packer(compiled.signature.args)
    assert len(packed.argument_types) == len(kind.args) - 2


@NEEDS_JIT
def test_an_array_is_a_structure_with_these_parts(compiled: Any) -> None:
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), []), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    array = compiled.target_context.make_array(types.Array(types.float64, 1, "C"))(compiled.target_context, builder)
    assert array.data.type.pointee == ir.DoubleType()
    assert [hasattr(array, name) for name in ("shape", "strides", "itemsize", "meminfo")] == [True] * 4
    assert array._getvalue().type.elements[4] == array.data.type


@NEEDS_JIT
def test_the_context_gives_types_sizes_and_libraries(compiled: Any) -> None:
    context = compiled.target_context
    assert context.get_data_type(types.float32) == ir.FloatType()
    assert context.get_abi_sizeof(ir.DoubleType()) == 8
    assert callable(context.get_dummy_value)
    assert positional(context.insert_user_function) == ["func", "fndesc"]  # shared_code.py
    assert positional(context.remove_user_function) == ["func"]
    library = context.codegen().create_library("npae_test")
    assert all(hasattr(library, name) for name in ("create_ir_module", "add_ir_module", "finalize"))


@NEEDS_JIT
def test_a_dispatcher_tells_its_overloads_and_the_function_it_was_made_of() -> None:
    kernel: Any = default_kernels().affine
    assert hasattr(kernel, "py_func")
    assert hasattr(kernel, "overloads")
    assert hasattr(kernel.stats, "cache_path")
    assert positional(kernel.add_overload) == ["cres"]  # jit.py
    assert callable(kernel._compile_for_args)


@NEEDS_JIT
def test_a_folder_that_cannot_be_written_is_a_runtime_error_of_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("numba.core.caching").CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="cannot cache function"):
        numba.njit(cache=True)(lambda x: x)


def test_arguments_come_first_among_the_variables_of_a_function() -> None:
    def twin(rows: int, *, a: int) -> int:
        total = 0
        for i in range(rows):
            total += a * i
        return total

    assert twin.__code__.co_varnames[:2] == ("rows", "a")


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_an_npy_header_is_read_as_shape_order_and_dtype(version: tuple[int, int]) -> None:
    file = BytesIO()
    with warnings.catch_warnings(action="ignore"):  # that older versions of NumPy cannot read version 2
        np.lib.format.write_array(file, np.zeros((2, 3), order="F"), version=version)
    file.seek(0)
    assert np.lib.format.read_magic(file) == version
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    assert read(file) == ((2, 3), True, np.dtype(np.float64))
