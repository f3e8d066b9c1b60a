"""Machine code on disk that is damaged, of another kernel, unreadable, or cannot be written is compiled anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT

from npae.kernels import default_kernels, reference_kernels

pytestmark = pytest.mark.skipif(default_kernels() is reference_kernels(), reason="nothing is compiled")

#: One small kernel for two types; what it computes, how often it came from the disk, and the warnings.
PROGRAM = """
import os, sys, warnings
full = os.environ.get("FULL")
if full:
    import errno, pathlib
    def refuse(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    pathlib.Path.write_bytes = refuse
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import numpy as np
    from npae.kernels.compiled.activation import relu
    results = []
    for dtype in (np.float32, np.float64):
        y = np.empty(3, dtype)
        relu(np.array([-1.0, 2.0, 3.0], dtype), y)
        results.append(y.tolist())
assert results == [[0.0, 2.0, 3.0]] * 2, results
print(sum(relu.stats.cache_hits.values()), sum(relu.stats.cache_misses.values()), relu.stats.cache_path)
for warning in told:
    print(warning.message)
"""


def run(cache: Path, **more: str) -> tuple[int, int, str, list[str]]:
    """Kernels loaded and compiled, where they are kept, and the warnings."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache), **more}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *warned = done.stdout.splitlines()
    hits, misses, folder = first.split(" ", 2)
    return int(hits), int(misses), folder, warned


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    cache: Path = tmp_path_factory.mktemp("cache")
    hits, misses, folder, warned = run(cache)
    assert (hits, misses, warned) == (0, 2, [])  # an empty folder: nothing is taken from elsewhere
    assert Path(folder).is_relative_to(cache)
    assert run(cache)[:2] == (2, 0)
    return cache


def truncated(one: Path, other: Path) -> None:
    one.write_bytes(one.read_bytes()[:-100])


def changed(one: Path, other: Path) -> None:
    content = bytearray(one.read_bytes())
    content[len(content) // 2] ^= 1
    one.write_bytes(content)


def empty(one: Path, other: Path) -> None:
    one.write_bytes(b"")


def of_another_type(one: Path, other: Path) -> None:
    shutil.copy(other, one)


def of_somebody_else(one: Path, other: Path) -> None:
    one.write_bytes(b"cos\nsystem\n(S'false'\ntR.")


def a_folder(one: Path, other: Path) -> None:
    one.unlink()
    one.mkdir()


@pytest.mark.parametrize("damage", [truncated, changed, empty, of_another_type, of_somebody_else, a_folder])
def test_a_file_that_is_not_the_right_one_is_set_aside_with_one_warning(filled, tmp_path, damage):
    cache = tmp_path / "cache"
    shutil.copytree(filled, cache)
    one, other = sorted(cache.rglob("*.nbc"))
    damage(one, other)
    hits, misses, _, warned = run(cache)
    assert (hits, misses, len(warned)) == (1, 1, 1)
    assert "set aside" in warned[0]
    assert one.with_name(f"{one.name}.damaged").exists()
    hits, misses, _, warned = run(cache)
    assert (hits, misses, warned) == (2, 0, [])


def test_two_damaged_files_are_one_warning(filled, tmp_path):
    cache = tmp_path / "cache"
    shutil.copytree(filled, cache)
    for path in cache.rglob("*.nbc"):
        path.write_bytes(b"")
    hits, misses, _, warned = run(cache)
    assert (hits, misses, len(warned)) == (0, 2, 1)


def test_a_full_disk_compiles_with_one_warning_and_leaves_no_half_of_a_file(tmp_path):
    hits, misses, _, warned = run(tmp_path, FULL="1")
    assert (hits, misses, len(warned)) == (0, 2, 1)
    assert "No space left on device" in warned[0]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_named_folder_that_cannot_be_written_is_not_replaced_by_another(tmp_path):
    (tmp_path / "file").write_text("")
    _, _, folder, warned = run(tmp_path / "file")
    assert folder == "None"
    assert len(warned) == 1
    assert "NUMBA_CACHE_DIR is" in warned[0]
