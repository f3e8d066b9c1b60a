"""``npae warmup``: no kernel needs compilation afterwards."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import CHILD

from npae.cli import main
from npae.estimators.precompile import cache_folder, warm_up
from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution.mailbox import lead_steps
from npae.kernels.target import VARIANT

IS_COMPILED = default_kernels() is not reference_kernels()

USE = """
import numpy as np
import npae
from npae.cli.bench.models import MODELS, images_for, new_model
from npae.estimators import ESTIMATORS

for name in MODELS:
    x = images_for(name, 300)
    for n_jobs in (1, 2):
        model = new_model(name, n_jobs).fit(x)
    model.save("model.safetensors")
    codes = model.transform(x[:5])
    model.inverse_transform(codes)
    npae.load("model.safetensors").reconstruct(x)
noise = np.random.default_rng(0)
drawn = lambda *shape: noise.normal(size=shape).astype("float32")
model.transform(images_for(name, 2000))
bytes_of_shards = npae.datasets.ArraySource(np.arange(1200, dtype="uint8").reshape(100, 12), divide=255)
npae.VanillaAutoencoder(epochs=1).fit(bytes_of_shards)
for name, kind in ESTIMATORS.items():
    small = kind(epochs=1, code_size=4).fit(drawn(150, 9, 7))
    small.interpolate(*drawn(2, 9, 7))
    small.sample(3)
    kind(epochs=1, code_size=4, **({"filters": (3, 4, 5)} if hasattr(kind, "filters") else {})).fit(
        drawn(150, 12, 12, 3)
    )
npae.DeepAutoencoder(epochs=3, early_stopping=True, optimizer="adamw", schedule="cosine").fit(
    drawn(200, 17)
)
"""


#: Prints, as the last line, which kernels were called or compiled in the process, and for which types of arguments.
CALLED = """
import json
import sys
from numba.core.dispatcher import Dispatcher

found = {
    f"{kernel.py_func.__module__}.{kernel.py_func.__name__}": sorted(map(str, kernel.signatures))
    for name, module in list(sys.modules.items()) if name.startswith("npae.kernels.")
    for kernel in vars(module).values() if isinstance(kernel, Dispatcher)
}
print(json.dumps(found))
"""
WARM_UP = """
from npae.cli import main

assert main(["warmup"]) == 0
"""


def run(program: str, folder: Path) -> tuple[list[str], set[tuple[str, str]]]:
    """What a program prints in a fresh process, and the pairs of a kernel and its types that it called or compiled."""
    result = subprocess.run(
        [sys.executable, "-c", program + CALLED], env=CHILD, cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    *said, called = result.stdout.splitlines()
    return said, {(kernel, types) for kernel, all_types in json.loads(called).items() for types in all_types}


@pytest.fixture(scope="module")
def warming(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], set[tuple[str, str]]]:
    """What a warm-up prints, and what it called or compiled."""
    if not IS_COMPILED:
        pytest.skip("there is nothing to compile")
    return run(WARM_UP, tmp_path_factory.mktemp("warming"))


def test_after_a_warm_up_a_new_process_has_nothing_to_compile(
    warming: tuple[list[str], set[tuple[str, str]]], tmp_path: Path
) -> None:
    """Both share the machine code of all tests, so what matters is that the warm-up calls all that is used."""
    said, warmed = warming
    assert said[0].startswith("vanilla ")
    assert said[-1].endswith(str(cache_folder()))
    _, used = run(USE, tmp_path)
    assert len(used) > 30
    assert used - warmed == set()


@pytest.mark.usefixtures("warming")
def test_no_kernel_has_numbas_functions_for_texts() -> None:
    """Where an array is assigned to a part of an array, Numba compiles the text of an error: two seconds and a half."""
    folders = {Path(kernel.stats.cache_path) for kernel in (default_kernels().affine, lead_steps)}
    files = [path for folder in folders for path in folder.glob(f"*.{VARIANT}*.nbc")]
    kernels = {path.name.partition(f".{VARIANT}")[0] for path in files}
    assert {"matmul.affine", "mailbox.lead_steps", "random.standard_normal"} <= kernels
    assert [path.name for path in files if b"unicode" in path.read_bytes()] == []


def test_models_are_warmed_one_after_the_other_in_either_precision() -> None:
    for dtype in ("float32", "float64"):
        assert next(warm_up(dtype)).name == "vanilla"


def test_where_nothing_is_compiled_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert main(["warmup"]) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert "NUMBA_DISABLE_JIT" in line


@pytest.mark.skipif(not IS_COMPILED, reason="there is nothing to compile")
def test_where_nothing_can_be_kept_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(default_kernels().affine.stats), "cache_path", None, raising=False)
    assert main(["warmup"]) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert "NUMBA_CACHE_DIR" in line
