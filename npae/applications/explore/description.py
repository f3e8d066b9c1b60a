"""The layers of a network as plain records, for the JavaScript that computes them in the explorer's page."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from npae.layers import (
    ActivityL1,
    AppendLabel,
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    Sigmoid,
    Softplus,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.layers.corruption import Noise
from npae.network.autoencoder import Autoencoder

Record = dict[str, Any]


def describe(network: Autoencoder) -> Record:
    """Encoder, code, decoder and loss of a built network; ``start`` of a parameter is its place in θ.

    Noise layers are left out, as they do nothing outside training.

    Raises
    ------
    ValueError
        If the page cannot compute a layer; it is named.
    """
    slots = {
        name: [_layer(layer, network) for layer in chain.layers if not isinstance(layer, Noise)]
        for name, chain in (("encoder", network.encoder), ("code", network.code), ("decoder", network.decoder))
    }
    loss = {"name": network.loss.name, "floor": network.loss.floor}
    return {
        **slots,
        "loss": loss,
        "weight_decay": network.weight_decay,
        "decayed": network.arena.decayed.stop,
    }


def _layer(layer: Layer, network: Autoencoder) -> Record:
    describe_more = KINDS.get(type(layer))
    if describe_more is None:
        known = ", ".join(kind.__name__ for kind in KINDS)
        raise ValueError(
            f"the layer {layer.name} is of the type {type(layer).__name__}, which the explorer's page cannot compute; "
            f"it knows {known} and layers of noise"
        )
    common = {
        "name": layer.name,
        "type": type(layer).__name__,
        "input": layer.input_shape,
        "output": layer.output_shape,
    }
    return common | describe_more(layer, network)


def _parameter(layer: Layer, attribute: str, network: Autoencoder) -> Record:
    view, theta = getattr(layer, attribute), network.theta
    start = (view.__array_interface__["data"][0] - theta.__array_interface__["data"][0]) // theta.itemsize
    return {"start": start, "shape": view.shape}


def _dense(layer: Layer, network: Autoencoder) -> Record:
    parameters = {name: _parameter(layer, name, network) for name in ("W", "b")}
    return {**parameters, "is_tied": cast(Dense, layer).is_tied}


def _tied(layer: Layer, network: Autoencoder) -> Record:
    partner = cast(TiedDense, layer).partner
    return {"W": _parameter(partner, "W", network), "c": _parameter(layer, "c", network)}


def _window(layer: Any, kernel: tuple[int, int]) -> Record:
    return {"kernel": kernel, "stride": layer.stride, "origin": layer.origin}


def _convolution(layer: Layer, network: Autoencoder) -> Record:
    convolution = cast(Conv2D, layer)
    parameters = {name: _parameter(layer, name, network) for name in ("W", "b")}
    return parameters | _window(convolution, convolution.kernel_size)


def _pooling(layer: Layer, network: Autoencoder) -> Record:
    return _window(layer, cast(MaxPool2D, layer).size)


def _upsampling(layer: Layer, network: Autoencoder) -> Record:
    upsampling = cast(UpSample2D, layer)
    return {"factor": upsampling.factor, "mode": upsampling.mode}


def _gaussian_code(layer: Layer, network: Autoencoder) -> Record:
    code = cast(Reparameterization, layer)
    return {
        "beta": code.beta,
        "mu": _dense(code.mu_head, network),
        "log_var": _dense(code.log_var_head, network),
    }


def _nothing_more(layer: Layer, network: Autoencoder) -> Record:
    return {}


#: What is to be said of each type beside its name and shapes.
KINDS: dict[type[Layer], Callable[[Layer, Autoencoder], Record]] = {
    Dense: _dense,
    TiedDense: _tied,
    Conv2D: _convolution,
    MaxPool2D: _pooling,
    AveragePool2D: _pooling,
    UpSample2D: _upsampling,
    Reparameterization: _gaussian_code,
    ActivityL1: lambda layer, network: {"strength": cast(ActivityL1, layer).strength},
    AppendLabel: lambda layer, network: {"n_labels": cast(AppendLabel, layer).n_labels},
    LeakyReLU: lambda layer, network: {"slope": cast(LeakyReLU, layer).slope},
    **dict.fromkeys((ReLU, Sigmoid, Tanh, Softplus, Flatten, Reshape), _nothing_more),
}


def as_numbers(value: Any) -> Any:
    """``value`` for JSON: tuples and numbers of NumPy become Python's own."""
    if isinstance(value, dict):
        return {key: as_numbers(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_numbers(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
