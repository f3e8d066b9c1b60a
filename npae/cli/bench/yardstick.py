"""The yardstick of a benchmark: matrix products of NumPy in float32, which are as fast as its BLAS makes them.

It is measured in the same rounds as npae, on as many threads. How many such products an epoch of npae takes depends
far less on the machine, and on what else runs on it, than seconds do.
"""

import time
from typing import Any

import numpy as np

from npae.utils.types import Array

SIDE, PRODUCTS = 1024, 8  # products of SIDE × SIDE matrices
GFLOP = 2e-9 * PRODUCTS * SIDE**3


class Contender:
    """Every "epoch" is ``PRODUCTS`` products; NumPy's BLAS reads the number of threads from the environment."""

    def __init__(self, threads: int) -> None:
        drawn = np.random.default_rng(0)
        self._a, self._b = (drawn.random((SIDE, SIDE), np.float32) for _ in range(2))
        self._c = np.empty_like(self._a)

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        """Nothing: the products are the same for all models."""

    def run_epoch(self) -> float:
        start = time.perf_counter()
        for _ in range(PRODUCTS):
            np.matmul(self._a, self._b, out=self._c)
        return time.perf_counter() - start

    def versions(self) -> dict[str, str]:
        return {}
