"""What a training step of R ranks costs: a model of measured and of assumed times.

::

    T(R) = pass(B / R) + σ √(2 ln R) + Adam + 3 α log₂ R + 2 (R − 1)/R · bytes / β

``pass`` is the forward and backward pass of a rank's rows, σ its spread, so that the second term is the slowest of R
ranks; α is the latency of an exchange and β the bandwidth of the sum, of which each rank sends and receives its parts
twice. A step has three exchanges: one small, and two of the sum.
"""

from collections.abc import Mapping, Sequence
from math import log, log2, sqrt
from typing import Any

import numpy as np

RANKS = (1, 2, 4, 8, 16, 32, 64)
STRONG_BATCH, WEAK_ROWS = 1024, 256


def step_seconds(model: Mapping[str, Any], rows: float, ranks: int, latency: float, bandwidth: float) -> float:
    """T(R) in seconds, of a model that was measured, with ``rows`` samples for each rank."""
    passed = float(np.interp(rows, model["rows"], model["pass"]))
    slowest = model["spread"] * passed * sqrt(2 * log(ranks))
    sent = 2 * (ranks - 1) / ranks * model["bytes"] / bandwidth
    return float(passed + slowest + model["adam"] + 3 * latency * log2(ranks) + sent)


def strong_gains(
    model: Mapping[str, Any], latency: float, bandwidth: float, ranks: Sequence[int] = RANKS
) -> list[float]:
    """How many times as fast R ranks are as one, for a batch of 1,024 that they share."""
    alone = step_seconds(model, STRONG_BATCH, 1, latency, bandwidth)
    return [alone / step_seconds(model, STRONG_BATCH / n, n, latency, bandwidth) for n in ranks]


def weak_gains(model: Mapping[str, Any], latency: float, bandwidth: float, ranks: Sequence[int] = RANKS) -> list[float]:
    """How many times as many samples a second R ranks train on as one, with 256 rows each."""
    alone = step_seconds(model, WEAK_ROWS, 1, latency, bandwidth)
    return [n * alone / step_seconds(model, WEAK_ROWS, n, latency, bandwidth) for n in ranks]


def panels(result: Mapping[str, Any]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """The curves of a plot: gains over ranks by model, of a batch that they share and of rows of their own."""
    network, models = result["assumed"], result["models"]
    kinds = {
        f"strong: a batch of {STRONG_BATCH:,}": strong_gains,
        f"weak: {WEAK_ROWS} rows a rank": weak_gains,
    }
    return {
        title: {
            name: (list(RANKS), gains(model, network["latency"], network["bandwidth"]))
            for name, model in models.items()
        }
        for title, gains in kinds.items()
    }
