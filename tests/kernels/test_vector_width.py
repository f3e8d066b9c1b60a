"""Which vectors the kernels are compiled for: what is said of several processors, and when it is not said."""

import json
import os
import platform
import subprocess
import sys

import pytest

from npae.kernels import default_kernels, reference_kernels

if default_kernels() is reference_kernels():
    pytest.skip("there is nothing to compile", allow_module_level=True)

import llvmlite.binding as llvm

from npae.kernels.target import rows_for
from npae.kernels.vector_width import Vectors, sentences, uses_sve, vectors_of

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()

LINUX = "x86_64-unknown-linux-gnu"
PLAIN = (LINUX, "generic", "")
AVX = ("x86_64-pc-windows-msvc", "sandybridge", "+avx")
AVX2 = (LINUX, "haswell", "+avx,+avx2,+fma")
AVX512 = (LINUX, "skylake-avx512", "+avx,+avx2,+fma,+avx512f,+avx512vl")
ARM = ("aarch64-unknown-linux-gnu", "generic", "")
SVE = ("aarch64-unknown-linux-gnu", "neoverse-v1", "+sve")
APPLE = ("arm64-apple-darwin", "apple-m1", "")
OTHER = ("powerpc64le-unknown-linux-gnu", "pwr9", "")
IS_X86 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.mark.parametrize(
    ("target", "nbytes", "extension", "is_fused"),
    [
        pytest.param(PLAIN, 16, "SSE", False, id="plain x86-64"),
        pytest.param(AVX, 32, "AVX", False, id="AVX"),
        pytest.param(AVX2, 32, "AVX", True, id="AVX2"),
        pytest.param(AVX512, 64, "AVX-512", True, id="AVX-512"),
        pytest.param((LINUX, "skylake-avx512", ""), 64, "AVX-512", True, id="AVX-512 by name alone"),
        pytest.param(ARM, 16, "NEON", True, id="ARM"),
        pytest.param(SVE, 16, "NEON", True, id="ARM with SVE, which lines of fixed length do not use"),
        pytest.param(APPLE, 16, "NEON", True, id="Apple"),
        pytest.param(OTHER, None, "", False, id="POWER"),
    ],
)
def test_the_width_is_that_of_the_registers_llvm_uses(
    target: tuple[str, str, str], nbytes: int | None, extension: str, is_fused: bool
) -> None:
    found = vectors_of(target)
    assert found == Vectors(nbytes, found.extension, is_fused)
    assert found.extension.split(",")[0] == extension


@pytest.mark.parametrize(("target", "is_said"), [(SVE, True), (ARM, False), (APPLE, False), (AVX512, False)])
def test_vectors_of_sve_are_told_of_where_llvm_makes_them_of_a_loop(
    target: tuple[str, str, str], is_said: bool
) -> None:
    assert uses_sve(target) == is_said
    said = sentences(target, 6, target, {})
    assert len(said) == 2 + is_said
    assert ("use those of SVE" in said[-1]) == is_said


def test_nothing_is_said_of_wider_vectors_or_variables_where_there_are_none() -> None:
    first, second = sentences(AVX2, 6, AVX2, {"NUMBA_CACHE_DIR": "kept"})
    assert "vectors have 32 bytes, 8 numbers of float32 (AVX), and instructions multiply and add at once" in first
    assert first.endswith("a tile has 6 rows")
    assert second == "the target is this machine's processor, with all the features that LLVM finds"


def test_variables_that_choose_the_target_are_named_with_what_they_leave_out() -> None:
    said = sentences(PLAIN, 2, AVX512, {"NUMBA_CPU_NAME": "generic"})
    assert "do not multiply and add at once" in said[0]
    assert said[1:] == [
        "the target follows from NUMBA_CPU_NAME=generic",
        "this machine's processor has wider vectors, of 64 bytes (AVX-512)",
    ]


def test_features_that_numba_adds_to_a_named_processor_are_told_unless_they_were_given() -> None:
    added = "to the processor that is named, Numba adds the features of this machine"
    target = (LINUX, "haswell", AVX512[2])
    assert added in sentences(target, 7, AVX512, {"NUMBA_CPU_NAME": "haswell"})
    assert added not in sentences(target, 7, AVX512, {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX512[2]})


def test_features_left_out_by_default_are_told() -> None:
    said = sentences((LINUX, "sandybridge", "-avx"), 2, AVX, {})
    assert said[1] == "of this machine's processor, sandybridge, Numba leaves out features by default"


def test_registers_that_are_not_known_are_not_given_a_width() -> None:
    (first, _) = sentences(OTHER, 2, OTHER, {})
    assert "with registers that npae does not know" in first
    assert "bytes" not in first


DESCRIBED = """
import llvmlite.binding as llvm
features = llvm.get_host_cpu_features()
for name in features:
    features[name] = bool(features[name]) and not name.startswith({left_out!r})
llvm.get_host_cpu_features = lambda: features
llvm.get_host_cpu_name = lambda: {name!r}
from npae.cli import main
main(["info", "--machine", "--json"])
"""


@pytest.mark.skipif(not IS_X86, reason="targets of x86-64")
@pytest.mark.parametrize(
    ("name", "left_out", "nbytes"),
    [
        ("haswell", ("avx512", "avx10", "amx", "evex512"), 32),
        ("x86-64", ("avx", "amx", "fma", "f16c", "xop", "vaes", "vpclmul"), 16),
    ],
    ids=["AVX2 only", "SSE only"],
)
def test_a_processor_with_less_is_described_as_it_is(name: str, left_out: tuple[str, ...], nbytes: int) -> None:
    """Simulated by what LLVM says of the host, to which Numba always listens."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    command = [sys.executable, "-c", DESCRIBED.format(name=name, left_out=left_out)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["processor"], found["vector_bytes"], found["host_vector_bytes"]) == (name, nbytes, nbytes)
    assert found["tile_rows"] == rows_for((found["triple"], name, ",".join(f"+{f}" for f in found["features"])))
    assert found["why"][1].startswith("the target is this machine's processor")
