"""Limits on model files, checked before a network is built from one.

Parameters are limited by the arrays in the file, with which they are compared. Buffers, threads and the time of
planning are not, since they are needed only when the model is used. So they have fixed limits, far beyond any model
that was trained here, and a file that exceeds one is refused with an error that names it.
"""

from collections.abc import Iterable
from typing import Any

from npae.kernels.execution.thread_team import MOST_THREADS
from npae.layers.arena import Arena

DEEPEST = 16  # levels of nested tables and lists
LARGEST_NUMBER = 2**64  # absolute value of integers; a seed may have 64 bits
MOST_LAYERS = 1000
MOST_AXES = 32
LARGEST_BUFFERS = 2**34  # bytes, for one sample and of what does not grow with the batch
SLOTS = ("corrupt", "encoder", "code", "decoder")


def check_record(record: dict[str, Any]) -> None:
    """Refuse a network description that is nested too deeply, has too many layers, or values of unexpected types.

    Raises
    ------
    KeyError, TypeError, ValueError
    """
    check_values(record)
    shape, seed, step = record["input_shape"], record["seed"], record["step"]
    if not isinstance(shape, list) or len(shape) > MOST_AXES or not all(type(n) is int and n >= 1 for n in shape):
        raise ValueError("input_shape is no list of up to 32 whole numbers of at least 1")
    for name, value in (("seed", seed), ("step", step)):
        if type(value) is not int or value < 0:
            raise ValueError(f"the {name} is no whole number of at least 0")
    layers = [layer for slot in SLOTS for layer in record["network"].get(slot, ())]
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"it has {len(layers):,} layers, where at most {MOST_LAYERS:,} are built")


def check_values(value: Any) -> None:
    """Refuse tables that are nested too deeply, and integers of more than 64 bits."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        inside = [inner for outer in level for inner in _inner(outer)]
        if any(type(n) is int and abs(n) >= LARGEST_NUMBER for n in inside):
            raise ValueError(f"it holds a whole number of more than {LARGEST_NUMBER.bit_length() - 1} bits")
        level = [inner for inner in inside if isinstance(inner, dict | list)]
        if not level:
            return
    raise ValueError(f"its tables are nested more than {DEEPEST} deep")


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def check_buffers(arena: Arena) -> None:
    """Refuse a planned network whose buffers for one sample are too large."""
    needed = arena.bytes_per_sample + arena.workspace_bytes
    if needed > LARGEST_BUFFERS:
        raise ValueError(
            f"one sample would need {needed / 2**30:,.0f} GiB of memory, where at most {LARGEST_BUFFERS / 2**30:.0f} "
            f"are given"
        )


def check_threads(n_jobs: Any) -> None:
    """Refuse a number of threads that no machine has."""
    if n_jobs is not None and (type(n_jobs) is not int or n_jobs == 0 or not -1 <= n_jobs <= MOST_THREADS):
        raise ValueError(f"n_jobs is no number of threads up to {MOST_THREADS}")
