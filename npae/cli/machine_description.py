"""What npae info --machine shows: the machine, and which vectors the kernels are compiled for, and why."""

import os
from typing import Any

from npae.cli.bench.machine import machine
from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution.processors import usable_processors


def described_machine() -> dict[str, Any]:
    """The description as values of JSON."""
    found: dict[str, Any] = {**machine(usable_processors()), "kernels": "compiled"}
    found["usable_processors"] = found.pop("threads")
    if default_kernels() is reference_kernels():
        is_disabled = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
        why = "NUMBA_DISABLE_JIT is set" if is_disabled else "Numba is not installed"
        return found | {"kernels": "reference", "why": [f"kernels are plain NumPy, since {why}"]}
    import llvmlite
    import numba

    from npae.kernels.target import ROWS, TARGET
    from npae.kernels.vector_width import VARIABLES, host_target, sentences, vectors_of

    vectors, host = vectors_of(TARGET), host_target(TARGET[0])
    return found | {
        "numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
        "triple": TARGET[0],
        "processor": TARGET[1],
        "features": [feature[1:] for feature in TARGET[2].split(",") if feature.startswith("+")],
        "vector_bytes": vectors.bytes,
        "extension": vectors.extension,
        "is_fused": vectors.is_fused,
        "tile_rows": ROWS,
        "host_processor": host[1],
        "host_vector_bytes": vectors_of(host).bytes,
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "why": sentences(TARGET, ROWS, host, os.environ),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The description as text: the machine in a line, then sentences."""
    numba = f", Numba {found['numba']}" if "numba" in found else ""
    return [
        f"{found['cpu']}, {found['usable_processors']} of {found['processors']} processors usable, {found['system']}",
        f"npae {found['npae']}, Python {found['python']}{numba}",
        *found["why"],
    ]
