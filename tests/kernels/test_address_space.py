"""A limit on address space that is too low for the compiler is one sentence, before LLVM ends the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT

from npae.kernels import address_space
from npae.kernels.address_space import NEEDED, require_address_space

resource = pytest.importorskip("resource")
SENTENCE = r"needs about 600 MiB of address space, but the limit of this process leaves \d+ MiB; raise it"


def limited(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (most, most))
    monkeypatch.delitem(sys.modules, "numba", raising=False)


def test_too_little_address_space_is_refused_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statm = tmp_path / "statm"
    statm.write_text("1000 500 0 0 0 0 0\n")
    taken = 1000 * resource.getpagesize()
    limited(monkeypatch, taken + NEEDED - 1)
    with pytest.raises(MemoryError, match=SENTENCE):
        require_address_space(statm)
    limited(monkeypatch, 0)
    with pytest.raises(MemoryError, match="leaves 0 MiB"):
        require_address_space(statm)


def test_enough_or_unlimited_address_space_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statm = tmp_path / "statm"
    statm.write_text("1000 500 0 0 0 0 0\n")
    limited(monkeypatch, 1000 * resource.getpagesize() + NEEDED)
    require_address_space(statm)
    limited(monkeypatch, resource.RLIM_INFINITY)
    require_address_space(statm)
    limited(monkeypatch, 0)
    require_address_space(tmp_path / "none")  # a system that does not report it
    monkeypatch.setitem(sys.modules, "numba", address_space)  # loaded already
    require_address_space(statm)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="address space is not reported here")
@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled")
@pytest.mark.parametrize("megabytes", [400, 600])
def test_the_command_line_says_so_in_one_sentence(megabytes: int, tmp_path: Path) -> None:
    limit = megabytes * 2**20
    command = [sys.executable, "-m", "npae", "train", "vanilla", "--data", "digits", "--epochs", "1", "--out", "run"]
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("npae train: Numba's compiler needs about 600 MiB of address space")
    assert len(ended.stderr.splitlines()) == 1
