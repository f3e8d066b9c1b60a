"""Diagnosis of NaN or infinity in training: a table of every layer for the step that failed.

A loss that is not finite comes from data far out of range, from a learning rate that threw the parameters away, or from
a gradient that exploded on the way. The ranges of the data, of each parameter with its gradient, and of each layer's
output for the batch tell these apart.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from npae.training.state import Data, TrainingState
from npae.utils.errors import NonFiniteError
from npae.utils.files import atomic_write
from npae.utils.samples import Rows, dense
from npae.utils.types import Array
from npae.utils.version import __version__

FILE = "diagnosis.json"
MOST_SAMPLES = 100  # listed at most


def diagnose(training: TrainingState, data: Data, chosen: Array, step: int) -> dict[str, Any]:
    """Ranges and finite shares of all layers, parameters and the batch; called before parameters are restored.

    Parameters
    ----------
    training : Training
    data : Data
    chosen : ndarray of int
        The samples of the batch.
    step : int
        Of the epoch, from 0.

    Returns
    -------
    dict
        "epoch" and "step", from 1; "layer", the first whose output is not finite, or "loss"; "terms" of the loss;
        "learning_rate" of the last step; "data" and "batch", their ranges; "samples", those of the batch for which
        that layer's output is not finite (the first hundred) and "n_samples", how many they are; "layers" and
        "parameters", their ranges. Each range has "min" and "max" of the finite values and "non_finite", the share of
        the others; a parameter's also has the "norm" of the finite values, and its "gradient" the same. The layers saw
        the whole batch at once, whatever ``n_jobs`` is.
    """
    net, optimizer = training.network, training.optimizer
    x, batch = data.x, dense(data.x[chosen])
    layers: dict[str, dict[str, float]] = {}
    guilty: str | None = None
    bad = np.zeros(len(chosen), bool)
    with np.errstate(all="ignore"):
        for name, y in net.outputs(batch, None if data.labels is None else data.labels[chosen]):
            layers[name] = span(y)
            if guilty is None and layers[name]["non_finite"]:
                guilty, bad = name, _rows_that_are_not_finite(y)
        if guilty is None:
            losses, _ = net.loss.value_and_gradient(y, batch)
            bad = _rows_that_are_not_finite(losses)
    samples = chosen[bad]
    return {
        "npae": __version__,
        "epoch": training.epoch + 1,
        "step": step + 1,
        "layer": guilty or "loss",
        "terms": dict(net.terms),
        "optimizer": type(optimizer).__name__,
        "learning_rate": float(optimizer.rate[0]) if optimizer.steps else optimizer.learning_rate,
        # rows are one array nowhere, and finite as all that were let in
        "data": span(np.asarray(x.extremes()) if isinstance(x, Rows) else x),
        "batch": span(batch),
        "n_samples": len(samples),
        "samples": samples[:MOST_SAMPLES].tolist(),
        "layers": layers,
        "parameters": {
            name: {**span(value), "norm": _norm(value), "gradient": {**span(gradient), "norm": _norm(gradient)}}
            for name, value, gradient in net.arena.parameters()
        },
    }


def save_diagnosis(error: NonFiniteError, folder: str | Path) -> NonFiniteError:
    """Write ``diagnosis.json`` into the folder; returns the error with the file named in its message.

    The file is strict JSON: numbers that are not finite are the texts "NaN", "Infinity" and "-Infinity". Where it
    cannot be written, the error is returned as it is.
    """
    path = Path(folder) / FILE
    try:
        with atomic_write(path) as file:
            file.write(json.dumps(_strict(error.diagnosis), indent=2, allow_nan=False).encode() + b"\n")
    except OSError:  # the original error is raised even if the file cannot be written
        return error
    return NonFiniteError(f"{error}; {path} tells what was there", error.diagnosis)


def span(a: Array) -> dict[str, float]:
    """Minimum and maximum of the finite values, and the share of the others."""
    is_finite = np.isfinite(a)
    n_finite = int(is_finite.sum())
    low = float(a.min(where=is_finite, initial=np.inf)) if n_finite else math.nan
    high = float(a.max(where=is_finite, initial=-np.inf)) if n_finite else math.nan
    return {"min": low, "max": high, "non_finite": 1 - n_finite / max(a.size, 1)}


def _norm(a: Array) -> float:
    """Euclidean norm of the finite values, computed in float64 so that it does not overflow."""
    scale = float(np.abs(a).max(where=np.isfinite(a), initial=0))
    if scale == 0:
        return 0.0
    scaled = np.where(np.isfinite(a), a, 0) / np.float64(scale)
    return scale * math.sqrt(float(np.einsum("i,i->", scaled.reshape(-1), scaled.reshape(-1))))


def _rows_that_are_not_finite(y: Array) -> Array:
    bad: Array = np.logical_not(np.isfinite(y.reshape(len(y), -1)).all(axis=1))
    return bad


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strict(v) for name, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
