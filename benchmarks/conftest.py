"""One thread: kernels and steps are compared with themselves, from one change to the next."""

import numpy as np
import pytest


@pytest.fixture
def draw():
    """A function that draws float32 arrays from N(0, 1)."""
    rng = np.random.default_rng(0)
    return lambda *shape: rng.standard_normal(shape, dtype=np.float32)
