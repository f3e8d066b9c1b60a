"""npae in the benchmark, used through its public API: ``partial_fit`` and ``transform``."""

import time
from typing import Any

import numba
import numpy as np

from npae.cli.bench.models import new_model
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
        return {"npae": __version__, "numpy": np.__version__, "numba": numba.__version__}
