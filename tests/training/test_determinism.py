"""Determinism: equal seed, ``n_jobs`` and machine give identical bits, in any process and with any cache."""

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from helpers.paths import CHILD
from helpers.small_models import TYPES, data_for, fitted

COMPILES = not numba.config.DISABLE_JIT

#: Trains models of the types that are named, and prints what they are, as digests.
PROGRAM = """
import hashlib, json, sys
from pathlib import Path
from npae.storage import safetensors
from npae.cli import main
from helpers.small_models import data_for, fitted, unfitted

def digest(a):
    return hashlib.sha256(a.tobytes() if hasattr(a, "tobytes") else a).hexdigest()

kinds, jobs, folder = json.loads(sys.argv[1]), json.loads(sys.argv[2]), Path(sys.argv[3])
told = {}
for kind in kinds:
    X, few = data_for(kind, 520), data_for(kind, 7)
    for n_jobs in jobs:
        options = {"n_jobs": n_jobs, "early_stopping": True, "schedule": "cosine", "validation_fraction": 0.2}
        model = unfitted(kind, **options).fit(X[:60]).partial_fit(X[:24])
        path = folder / f"{kind}-{n_jobs}.safetensors"
        model.save(path)
        content = path.read_bytes()
        arrays = content[8 + int.from_bytes(content[:8], "little"):]
        header = json.loads(content[8 : len(content) - len(arrays)])
        record = json.loads(header["__metadata__"]["npae"])
        assert record["history"].pop("seconds")
        header["__metadata__"]["npae"] = record
        told[f"{kind}, n_jobs={n_jobs}"] = {
            "theta": digest(model.network_.theta),
            "history": {name: values for name, values in model.history_.items() if name != "seconds"},
            "codes": digest(model.transform(X)),
            "codes of few": digest(model.transform(few)),
            "reconstructions": digest(model.reconstruct(few)),
            "scores": digest(model.score_samples(few)),
            "drawn": digest(model.sample(5)),
            "arrays in the file": digest(arrays),
            "header of the file, without seconds": json.dumps(header),
        }
print(json.dumps(told))
"""


def told_by(kinds: list[str], jobs: list[int | None], folder: Path, **environment: str) -> dict[str, Any]:
    """What the program prints in a fresh process."""
    folder.mkdir()
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(kinds), json.dumps(jobs), str(folder)],
        env={**CHILD, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    told: dict[str, Any] = json.loads(process.stdout)
    return told


def test_two_processes_make_the_same_models_bit_for_bit_for_one_seed_and_n_jobs(tmp_path: Path) -> None:
    kinds: list[str] = list(TYPES)
    one = told_by(kinds, [1, 2], tmp_path / "one", PYTHONHASHSEED="1")
    other = told_by(kinds, [1, 2], tmp_path / "other", PYTHONHASHSEED="2")
    assert set(one) == {f"{kind}, n_jobs={n_jobs}" for kind in TYPES for n_jobs in (1, 2)}
    for name, told in one.items():
        assert told == other[name], name


def narrow_target() -> dict[str, str]:
    """Settings with which Numba compiles for this processor without AVX-512; none where it has none."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return {}
    from llvmlite.binding import get_host_cpu_features

    features = dict(get_host_cpu_features())
    if not features.get("avx512f"):
        return {}
    kept = {name: on and "avx512" not in name for name, on in features.items()}
    listed = ",".join(("+" if on else "-") + name for name, on in kept.items())
    return {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": listed}


@pytest.mark.skipif(not COMPILES, reason="nothing is compiled")
def test_kernels_compiled_anew_and_without_avx_512_compute_the_same_bits(tmp_path: Path) -> None:
    kinds: list[str] = list(TYPES)
    settings = {**narrow_target(), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    before = told_by(kinds, [2], tmp_path / "before")
    anew = told_by(kinds, [2], tmp_path / "anew", **settings)
    assert any((tmp_path / "cache").rglob("*.nbc"))
    again = told_by(kinds, [2], tmp_path / "again", **settings)
    assert before == anew == again


@pytest.mark.parametrize("kind", TYPES)
def test_codes_do_not_depend_on_the_number_of_threads_that_encode(kind: str) -> None:
    X, model = data_for(kind, 1100), fitted(kind)
    net = model.network_
    alone = net.encode(X)
    for n_jobs in (1, 2, 3):
        for _ in range(2):
            np.testing.assert_array_equal(net.encode(X, n_jobs=n_jobs), alone)
