"""Hypothesis profiles, and the two sets of kernels with which the mathematics is tested."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from helpers.browser import started
from helpers.paths import ROOT
from hypothesis import Verbosity, settings

from npae.estimators.precompile import cache_folder
from npae.kernels import default_kernels, reference_kernels

# What npae remembers of the user, also in the processes that tests start.
_state = tempfile.TemporaryDirectory(prefix="npae-tests-state-")  # removed when the tests end
os.environ["XDG_STATE_HOME"] = _state.name

# Python 3.14 colours help texts on a terminal and where FORCE_COLOR is set, as services that run tests set it.
os.environ["PYTHON_COLORS"] = "0"

# No deadlines: the first call of a compiled kernel takes seconds, every later one microseconds.
settings.register_profile("dev", deadline=None, max_examples=30)
settings.register_profile("ci", deadline=None, max_examples=30, derandomize=True)
settings.register_profile("few", deadline=None, max_examples=8, derandomize=True)  # where it is lines that count
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.register_profile("debug", deadline=None, max_examples=10, verbosity=Verbosity.verbose)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session", params=[reference_kernels, default_kernels], ids=["reference", "default"])
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    return request.param()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; without it the test is skipped."""
    with started() as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where ``NPAE_COVERED`` names files, coverage is measured in their tests alone (.ci/run)."""
    covered = {ROOT / line for line in os.environ.get("NPAE_COVERED", "").split()}
    for item in items:
        if covered and item.path not in covered:
            item.add_marker("no_cover")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, where several test processes would each do it: one process for each precision."""
    starts_workers = session.config.getoption("numprocesses", None) and not hasattr(session.config, "workerinput")
    if not starts_workers or default_kernels() is reference_kernels():
        return
    from npae.kernels.target import VARIANT

    if any(cache_folder().glob(f"*.{VARIANT}*.nbc")):
        return
    commands = [[sys.executable, "-m", "npae", "warmup", "--dtype", dtype] for dtype in ("float32", "float64")]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for process in running:
        assert process.wait() == 0
