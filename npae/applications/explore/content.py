"""All that the explorer's page shows of a model and its samples, as plain JSON values."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.explore.description import as_numbers, describe
from npae.applications.explore.encoding import encoded, encoded_samples, encoded_weights
from npae.applications.explore.mistakes import known_mistakes
from npae.layers import GaussianNoise, Reparameterization
from npae.network.autoencoder import Autoencoder
from npae.network.posterior import posterior
from npae.utils.types import Array
from npae.utils.wording import counted

DEFAULT_NOISE = 0.3
#: Marks on the map that differ in colour or shape.
MOST_LABELS = 100


@dataclass(frozen=True)
class Condition:
    """The labels of a conditional network: the names of all that it knows, and the place (n,) of each sample's."""

    names: list[str]
    labels: Array


def content(
    network: Autoencoder, X: Array, labels: Array | None, weights: str, condition: Condition | None = None
) -> dict[str, Any]:
    """The page's data for samples X ``(n, *input_shape)``, with labels (n,) or None; conditional networks need both."""
    codes = network.encode(X).reshape(len(X), -1).astype(np.float64)
    low, high = _range(network, X)
    places = None if condition is None else condition.labels
    record = {
        "network": describe(network),
        "theta": encoded_weights(network.theta, weights),
        "input_shape": network.input_shape,
        "n": len(X),
        "samples": encoded_samples(X),
        "codes": encoded(codes, "float32"),
        "losses": encoded(network.losses(X, any_range=True, labels=places), "float32"),
        "range": (low, high),
        "clip": (0, 1) if (low, high) == (0, 1) else None,
        "plane": _plane(codes),
        "spread": {"mean": encoded(codes.mean(axis=0), "float32"), "deviation": encoded(codes.std(axis=0), "float32")},
        "mistakes": known_mistakes(),
        "condition": None if condition is None else {"names": condition.names, "labels": condition.labels.tolist()},
        **_noise(network),
        **_labels(labels, len(X)),
    }
    if any(isinstance(layer, Reparameterization) for layer in network.code.layers):
        record["log_var"] = encoded(posterior(network, X)[1], "float32")
    numbers: dict[str, Any] = as_numbers(record)
    return numbers


def _range(network: Autoencoder, X: Array) -> tuple[float, float]:
    """Black and white: 0 and 1 where the values lie between them, else the least and the largest."""
    low, high = float(X.min()), float(X.max())
    return (0.0, 1.0) if network.loss.needs_unit_interval or (low >= 0 and high <= 1) else (low, high)


def _plane(codes: Array) -> dict[str, Any]:
    """Mean and two principal axes of the codes; the second is 0 where codes have one value, or there is one sample."""
    mean = codes.mean(axis=0)
    _, _, axes = np.linalg.svd(codes - mean, full_matrices=False)
    two = np.zeros((2, codes.shape[1]))
    two[: len(axes)] = axes[:2]
    two *= np.where(two.sum(axis=1, keepdims=True) < 0, -1, 1)  # the sign of an axis is arbitrary
    return {"mean": encoded(mean, "float32"), "axes": encoded(two, "float32")}


def _labels(labels: Array | None, n: int) -> dict[str, Any]:
    if labels is None:
        return {"labels": None, "label_names": []}
    if len(labels) != n:
        raise ValueError(
            f"{counted(len(labels), 'label')} for {counted(n, 'sample')} were given; give one for each sample"
        )
    names, places = np.unique(labels, return_inverse=True)
    if len(names) > MOST_LABELS:
        raise ValueError(
            f"the labels have {len(names):,} different values, but the map has {MOST_LABELS} marks; give fewer "
            f"different labels, or none"
        )
    return {"labels": places.tolist(), "label_names": [str(name) for name in names]}


def _noise(network: Autoencoder) -> dict[str, Any]:
    """Level of the noise that the page adds at first, and a sentence about the noise of the training."""
    layers = network.corrupt.layers
    if not layers:
        return {"noise_level": DEFAULT_NOISE, "noise_note": "The model was trained without noise on its input."}
    first = layers[0]
    name = type(first).__name__
    if not isinstance(first, GaussianNoise):
        return {
            "noise_level": DEFAULT_NOISE,
            "noise_note": f"The model was trained with {name}; the noise here is Gaussian.",
        }
    level = float(np.mean(first.level))
    shown = " to ".join(f"{end:g}" for end in np.unique(first.level))
    return {"noise_level": min(level, 1.0), "noise_note": f"The model was trained with Gaussian noise of σ = {shown}."}
