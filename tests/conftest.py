"""Hypothesis profiles, and the two sets of kernels with which the mathematics is tested."""

import os
import tempfile
from types import ModuleType

import pytest
from hypothesis import Verbosity, settings

from npae.kernels import default_kernels, reference_kernels

# What npae remembers of the user, also in the processes that tests start.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="npae-tests-state-")

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
