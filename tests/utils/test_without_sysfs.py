"""Systems that do not report the number of physical cores, such as without ``/sys``; simulated by ``lscpu``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLUSTER = """
import numpy as np
from npae.applications.clustering import cluster

print(len(cluster(np.random.default_rng(0).normal(size=(60, 3)), 2).groups))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it is not lscpu that is asked")
def test_using_scikit_learn_prints_no_warning(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    (tmp_path / "lscpu").write_text("#!/bin/sh\necho 'lscpu: failed to determine number of CPUs' >&2\nexit 1\n")
    (tmp_path / "lscpu").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("LOKY_MAX_CPU_COUNT", None)
    command = [sys.executable, "-W", "error", "-c", CLUSTER]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "60", "")
