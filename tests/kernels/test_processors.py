"""Targets: the rows of a tile fit the registers, and cached machine code is not loaded for another target."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT

import npae
from npae.kernels import default_kernels, reference_kernels

COMPILES = default_kernels() is not reference_kernels()
IS_X86 = platform.machine().lower() in ("x86_64", "amd64")
pytestmark = pytest.mark.skipif(not COMPILES, reason="there is nothing to compile")
on_x86 = pytest.mark.skipif(not IS_X86, reason="targets of x86-64")

PLAIN = {"NUMBA_CPU_NAME": "generic"}
AVX = {"NUMBA_CPU_NAME": "sandybridge", "NUMBA_CPU_FEATURES": "+avx"}
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}
AVX512 = {"NUMBA_CPU_NAME": "skylake-avx512", "NUMBA_CPU_FEATURES": AVX2["NUMBA_CPU_FEATURES"] + ",+avx512f,+avx512vl"}


def run(program: str, root: Path = ROOT, **settings: str) -> str:
    """What a child process prints."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_CPU_")}
    environment |= {"PYTHONPATH": str(root)} | settings
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


COMPILE = """
import json, numba
from numba import types
from npae.kernels import target
from npae.kernels.simd import sparse, tile

if {rows}:
    tile.ROWS = sparse.ROWS = {rows}
n, steps = types.intp, types.Array(types.uint16, 1, "C")
written = []
for number in (types.float32, types.float64):
    a = types.Array(number, 1, "C")
    for loop, kinds in (
        (tile.tile, (n, n, n, a, n, n, n, n, a, n, a, n, n, a, n, n)),
        (sparse.listed_tile, (n, n, steps, n, a, n, n, n, a, n, a, n, n, a, n, n)),
    ):
        names = ", ".join(f"x{{i}}" for i in range(len(kinds)))
        space = {{"loop": loop}}
        exec(f"def call({{names}}): loop({{names}})", space)
        call = numba.njit(types.void(*kinds), error_model="numpy", fastmath={{"contract", "reassoc"}})(space["call"])
        written.append(call.inspect_asm(call.signatures[0]))
print(json.dumps([target.ROWS, written]))
"""


def spills_in_loops(assembly: str) -> list[int]:
    """Of each innermost loop that multiplies: how often it stores a vector on the stack or loads one from it."""
    lines = assembly.split("\n")
    labels = {line.split(":")[0]: i for i, line in enumerate(lines) if re.match(r"\.L\w+:", line)}
    jumps = [
        (labels.get(m[1], len(lines)), i) for i, t in enumerate(lines) if (m := re.match(r"\s+j\w+\s+(\.L\w+)", t))
    ]
    loops = [(start, end) for start, end in jumps if start <= end]
    innermost = [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    bodies = [lines[start : end + 1] for start, end in innermost]
    return [
        sum(bool(re.search(r"\(%rsp\)", line) and re.search(r"%[xyz]mm", line)) for line in body)
        for body in bodies
        if any(re.search(r"\s(vfmadd\w+|v?mulp[sd])\s", line) for line in body)
    ]


@on_x86
@pytest.mark.parametrize(("target", "rows"), [(PLAIN, 2), (AVX2, 6), (AVX512, 7)], ids=["plain", "AVX2", "AVX-512"])
def test_the_sums_of_a_tile_stay_in_registers(target: dict[str, str], rows: int) -> None:
    counted, written = json.loads(run(COMPILE.format(rows=0), **target))
    assert counted == rows
    for assembly in written:
        spills = spills_in_loops(assembly)
        assert len(spills) == rows
        assert not any(spills)


@on_x86
def test_three_rows_would_spill_on_plain_x86_64() -> None:
    _, written = json.loads(run(COMPILE.format(rows=3), **PLAIN))
    assert all(any(spills_in_loops(assembly)) for assembly in written[::2])


PRODUCT = """
import llvmlite.binding as llvm
features = llvm.get_host_cpu_features()
features["avx512f"] = {wide}
llvm.get_host_cpu_features = lambda: features
import numpy as np
from npae.kernels import compiled
drawn = np.random.default_rng(0)
a, b = drawn.normal(size=(40, 50)), drawn.normal(size=(50, 36))
c = np.empty((40, 36))
{call}
print(np.abs(c - a @ b).max())
"""
AFFINE = "compiled.affine(a, b, np.zeros(36), c)"
TRANSPOSED = "compiled.matmul_transposed_right(a, np.ascontiguousarray(b.T), c)"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of machine code that the tests of shared caches fill one after the other."""
    return tmp_path_factory.mktemp("cache")


@on_x86
def test_processors_that_share_a_cache_and_a_target_compute_the_same_product(cache: Path) -> None:
    """As with and without AVX-512, which is simulated by what LLVM says of the host."""
    for wide, call in ((False, AFFINE), (True, TRANSPOSED), (False, TRANSPOSED), (True, AFFINE)):
        error = run(PRODUCT.format(wide=wide, call=call), NUMBA_CACHE_DIR=str(cache), **PLAIN)
        assert float(error) < 1e-12


@on_x86
def test_targets_that_share_a_cache_have_files_of_their_own(cache: Path) -> None:
    def names() -> set[str]:
        return {path.name for path in cache.rglob("*affine*.nbc")}

    program = PRODUCT.replace('features["avx512f"] = {wide}', "").format(call=AFFINE)
    assert float(run(program, NUMBA_CACHE_DIR=str(cache), **PLAIN)) < 1e-12
    plain = names()
    assert float(run(program, NUMBA_CACHE_DIR=str(cache), **AVX)) < 1e-12
    assert len(names()) == 2 * len(plain)
    assert float(run(program, NUMBA_CACHE_DIR=str(cache), **PLAIN)) < 1e-12
    assert len(names()) == 2 * len(plain)


def test_an_edited_helper_renews_the_kernels_that_use_it(tmp_path: Path) -> None:
    root, settings = tmp_path / "edited", {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), **PLAIN}
    shutil.copytree(Path(npae.__file__).parent, root / "npae", ignore=shutil.ignore_patterns("__pycache__"))
    program = PRODUCT.replace('features["avx512f"] = {wide}', "").format(call=AFFINE)
    assert float(run(program, root, **settings)) < 1e-12
    helper = root / "npae" / "kernels" / "simd" / "panel.py"
    before = helper.read_text(encoding="utf-8")
    after = before.replace("    copy(values, first, panel, 0, width)", "    panel[:width] = 7")
    assert after != before
    helper.write_text(after, encoding="utf-8")
    assert float(run(program, root, **settings)) == pytest.approx(7)


def test_numba_names_its_files_after_the_variant() -> None:
    """It would notice if Numba no longer put the qualified name of a function into that of its file."""
    from npae.kernels.target import TARGET, VARIANT, numba_target

    kernel = default_kernels().affine
    kernel(np.ones((1, 2)), np.ones((2, 3)), np.ones(3), np.empty((1, 3)))
    kept = [path.name for path in Path(kernel.stats.cache_path).glob("matmul.affine.*.nbc")]
    assert any(name.startswith(f"matmul.affine.{VARIANT}-") for name in kept)
    assert kernel.py_func.__qualname__ == "affine"
    assert numba_target() == TARGET


REFUSED = """
import sys
import numba
{change}
try:
    import npae.kernels.compiled
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("sys.maxsize = 2**31 - 1", "32-bit and little-endian"),
        ("sys.byteorder = 'big'", "64-bit and big-endian"),
        ("", None),
    ],
    ids=["32-bit", "big-endian", "as it is"],
)
def test_a_machine_that_is_32_bit_or_big_endian_is_refused_in_one_sentence(change: str, said: str | None) -> None:
    """Simulated: a child process is told that it runs on another machine."""
    lines = run(REFUSED.format(change=change)).splitlines()
    assert len(lines) == (0 if said is None else 1)
    assert all(f"this machine is {said}; npae's compiled kernels need one that is 64-bit" in line for line in lines)
