"""Fingerprint of a run: configuration, initial state and data. Runs with equal fingerprints give the same bits."""

import hashlib
import json
import re
from typing import Any

import numpy as np

from npae.network.saving import plain
from npae.training.state import Data, TrainingState
from npae.utils.samples import Samples, blocks
from npae.utils.source_rows import SourceRows
from npae.utils.types import Array

MOST_NAMED = 4  # differences in a message
DIGEST = "blake2b:"


def configuration(training: TrainingState, patience: int | None) -> dict[str, Any]:
    """Everything but the data that the bits of a run depend on, as plain JSON."""
    net, optimizer = training.network, training.optimizer
    known: dict[str, Any] = as_json(
        {
            "network": net.config(),
            "input_shape": net.input_shape,
            "dtype": net.arena.dtype.name,
            "seed": net.run.seed,
            "kernels": net.arena.kernels.__name__,
            "fuse": net.fuse,
            "optimizer": {"type": type(optimizer).__name__, **optimizer.settings},
            "schedule": _described(training.schedule),
            "batch_size": training.batch_size,
            "clip_norm": training.clip_norm,
            "n_jobs": training.n_shards,
            "patience": patience,
            "epochs before the run": training.epoch,
            "steps before the run": net.run.step,
            "initial parameters": digest(net.theta),
        }
    )
    return known


def data_fingerprint(data: Data) -> dict[str, Any]:
    """Shapes and fingerprints of the data of a run."""
    parts = {
        "training data": data.x,
        "training labels": data.labels,
        "validation data": data.validation,
        "validation labels": data.validation_labels,
    }
    return {
        name: value
        for which, part in parts.items()
        if part is not None
        for name, value in ((f"shape of the {which}", list(part.shape)), (f"content of the {which}", digest(part)))
    }


def differences(then: Any, now: Any, name: str = "") -> list[str]:
    """The differences between two values of plain JSON, as one phrase each."""
    if isinstance(then, dict) and isinstance(now, dict):
        inner = f"{name}." if name else ""
        return [line for key in {**then, **now} for line in differences(then.get(key), now.get(key), f"{inner}{key}")]
    if _are_alike(then, now):
        numbered = enumerate(zip(then, now, strict=True))
        return [line for i, (a, b) in numbered for line in differences(a, b, f"{name}.{i}")]
    if then == now:
        return []
    if any(isinstance(value, str) and value.startswith(DIGEST) for value in (then, now)):
        return [f"{name}: not the same"]
    return [f"{name} was {_short(then)}, now {_short(now)}"]


def summarise(lines: list[str]) -> str:
    """The first few differences as one text."""
    more = len(lines) - MOST_NAMED
    return "; ".join(lines[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def digest(x: Samples) -> str:
    """BLAKE2b digest of the bytes of an array; rows have that of their array, or what their source says of itself."""
    if isinstance(x, SourceRows) and x.rows is None and (own := x.source.fingerprint()) is not None:
        return own
    whole = hashlib.blake2b(digest_size=16)
    for block in blocks(x):
        whole.update(_bytes(block))
    return DIGEST + whole.hexdigest()


def digest_of_all(record: Any, arrays: dict[str, Array]) -> str:
    """BLAKE2b digest of a record and arrays."""
    whole = hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=16)
    for name in sorted(arrays):
        whole.update(name.encode())
        whole.update(_bytes(arrays[name]))
    return whole.hexdigest()


def as_json(value: Any) -> Any:
    """The value after conversion to JSON and back: lists for tuples, Python's numbers for NumPy's."""
    return json.loads(json.dumps(value, default=plain))


def _bytes(array: Array) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _described(schedule: Any) -> str:
    """A schedule as text that is equal in every process: npae's schedules with their parameters, functions by name."""
    return re.sub(" at 0x[0-9a-fA-F]+", "", repr(schedule))


def _are_alike(then: Any, now: Any) -> bool:
    """Whether both are lists of equally many tables."""
    both = isinstance(then, list) and isinstance(now, list) and len(then) == len(now)
    return both and any(isinstance(value, dict) for value in then)


def _short(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return " – ".join(str(entry.get("type", "?")) for entry in value)
    return repr(value)
