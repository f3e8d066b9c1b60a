"""The sums of a tile stay in registers, checked in the assembly that LLVM emits for several processors."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from npae.kernels import default_kernels, reference_kernels

if default_kernels() is reference_kernels():
    pytest.skip("there is nothing to compile", allow_module_level=True)

import llvmlite.binding as llvm
from llvmlite import ir

from npae.kernels.simd import sparse, tile
from npae.kernels.target import ROWS, rows_for

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()

PLAIN = ("x86_64-unknown-linux-gnu", "generic", "")
AVX = ("x86_64-pc-windows-msvc", "sandybridge", "+avx")
AVX2 = ("x86_64-unknown-linux-gnu", "haswell", "+avx,+avx2,+fma")
AVX512 = ("x86_64-unknown-linux-gnu", "skylake-avx512", "+avx,+avx2,+fma,+avx512f,+avx512vl")
ARM = ("aarch64-unknown-linux-gnu", "generic", "")
APPLE = ("arm64-apple-darwin", "apple-m1", "")

Target = tuple[str, str, str]
LOOPS = {"tile": (tile._emit_rows, tile._tile_in_python), "list": (sparse._emit_rows, sparse._listed_tile_in_python)}
NUMBERS = {"float32": ir.FloatType(), "float64": ir.DoubleType()}


def assembly(loop: str, number: str, rows: int, target: Target) -> str:
    """What LLVM makes of a tile of so many rows."""
    triple, cpu, features = target
    emit, python = LOOPS[loop]
    names = python.__code__.co_varnames[: python.__code__.co_argcount]
    pointers = dict.fromkeys(("a", "b", "c", "start"), NUMBERS[number].as_pointer())
    if loop == "list":
        pointers["steps"] = ir.IntType(16).as_pointer()
    module: Any = ir.Module()
    module.triple = triple
    kinds = [pointers.get(name, ir.IntType(64)) for name in names]
    function: Any = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "call")
    builder: Any = ir.IRBuilder(function.append_basic_block())
    emit(builder, rows, dict(zip(names, function.args, strict=True)))
    builder.ret_void()
    parsed: Any = llvm.parse_assembly(str(module))
    machine: Any = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=3)
    passes: Any = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)
    return str(machine.emit_assembly(parsed))


def innermost_loop(written: str) -> list[str]:
    """The lines from a label to the jump back to it, of the one such loop that multiplies and has none within."""
    lines = written.split("\n")
    labels = {m[1]: i for i, line in enumerate(lines) if (m := re.match(r"(\.?L\w+):", line))}
    jump = re.compile(r"\s+(?:j\w+|b(?:\.\w+)?|cbn?z|tbn?z)\s.*?(\.?L\w+)$")
    jumps = [(labels[m[1]], i) for i, line in enumerate(lines) if (m := jump.match(line)) and m[1] in labels]
    loops = [(start, end) for start, end in jumps if start <= end]
    inner = [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    (body,) = (body for start, end in inner if multiplications(body := lines[start : end + 1]))
    return body


def multiplications(body: list[str]) -> int:
    return sum(bool(re.search(r"\s(vfmadd\w+|v?mulp[sd]|fmla(\.\d\w)?)\s", line)) for line in body)


def spills(body: list[str]) -> int:
    """How often a vector is stored on the stack or loaded from it."""
    return sum(bool(re.search(r"\(%rsp\)|\[sp", line) and re.search(r"%[xyz]mm|\b[qdsv]\d", line)) for line in body)


def registers(body: list[str]) -> int:
    """How many vector registers are in use."""
    return len({number for line in body for number in re.findall(r"(?:%[xyz]mm|\b[qdsv])(\d+)", line)})


@pytest.mark.parametrize("number", list(NUMBERS))
@pytest.mark.parametrize("loop", list(LOOPS))
@pytest.mark.parametrize(
    ("target", "rows", "width", "most"),
    [
        pytest.param(PLAIN, 2, 16, 16, id="plain x86-64"),
        pytest.param(AVX, 6, 32, 16, id="AVX"),
        pytest.param(AVX2, 6, 32, 16, id="AVX2"),
        pytest.param(AVX512, 7, 64, 32, id="AVX-512"),
        pytest.param(ARM, 6, 16, 32, id="ARM"),
        pytest.param(APPLE, 6, 16, 32, id="Apple"),
    ],
)
def test_no_sum_leaves_the_registers(loop: str, number: str, target: Target, rows: int, width: int, most: int) -> None:
    assert rows_for(target) == rows
    body = innermost_loop(assembly(loop, number, rows, target))
    assert multiplications(body) == rows * 64 // width
    assert spills(body) == 0
    assert rows * 64 // width < registers(body) <= most


@pytest.mark.parametrize("number", list(NUMBERS))
@pytest.mark.parametrize("loop", list(LOOPS))
@pytest.mark.parametrize(
    "target", [PLAIN, AVX2, ARM, APPLE], ids=["plain x86-64", "AVX2", "ARM", "Apple"]
)  # with AVX-512 more rows would fit
def test_one_row_more_would_not_fit(loop: str, number: str, target: Target) -> None:
    assert spills(innermost_loop(assembly(loop, number, rows_for(target) + 1, target))) > 0


PRODUCTS = """
import hashlib
import numpy as np
from npae.kernels import target
target.ROWS = {rows}
from npae.kernels import compiled
drawn = np.random.default_rng(0)
for zeros in (0.0, 0.9):
    x, dy = drawn.normal(size=(101, 130)).astype("f4"), drawn.normal(size=(101, 70)).astype("f4")
    x[drawn.random(x.shape) < zeros] = 0
    W, b = drawn.normal(size=(130, 70)).astype("f4"), drawn.normal(size=70).astype("f4")
    y, dW = np.empty_like(dy), np.empty_like(W)
    compiled.affine(x, W, b, y)
    compiled.matmul_transposed_left(x, dy, dW)
    print(*(hashlib.sha256(product).hexdigest() for product in (y, dW)))
"""


def test_products_have_the_same_bits_whatever_the_number_of_rows(tmp_path: Path) -> None:
    """So that a processor that has 7 rows and one that has 6 train alike, where both multiply and add at once."""
    printed = set()
    for rows in (6, 7):
        environment = dict(os.environ)
        if rows != ROWS:  # these rows are a change that the names of cached files do not tell apart
            environment["NUMBA_CACHE_DIR"] = str(tmp_path)
        command = [sys.executable, "-c", PRODUCTS.format(rows=rows)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert len(set(result.stdout.split())) == 4
        printed.add(result.stdout)
    assert len(printed) == 1
