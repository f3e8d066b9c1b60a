"""npae in the benchmark, used through its public API: ``partial_fit`` and ``transform``."""

import time
from typing import Any

import numba
import numpy as np

from npae.cli.bench.models import new_model
from npae.kernels import default_kernels, reference_kernels
from npae.kernels.target import TARGET
from npae.kernels.vector_width import vectors_of
from npae.utils.types import Array
from npae.utils.version import __version__


class Contender:
    """Every epoch is one ``partial_fit``."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        self.model, self.x = new_model(name, self.threads, **changes), x

    def run_epoch(self) -> float:
        start = time.perf_counter()
        self.model.partial_fit(self.x)
        return time.perf_counter() - start

    def encode(self, x: Array) -> Array:
        codes: Array = self.model.transform(x)
        return codes

    def versions(self) -> dict[str, str]:
        versions = {"npae": __version__, "numpy": np.__version__, "numba": numba.__version__}
        nbytes = vectors_of(TARGET).bytes
        is_compiled = default_kernels() is not reference_kernels() and nbytes is not None
        return versions | ({"vectors of npae": f"{nbytes} bytes"} if is_compiled else {})
