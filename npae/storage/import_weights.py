"""Weights that another library has trained, read into a network of the same layers.

A dense layer is the same everywhere, but its numbers are laid out in two ways:

===========  ==================  ======================  ==============
library      dense               convolution             image laid flat
===========  ==================  ======================  ==============
npae, Keras  (in, out)           (kh, kw, in, out)       H, W, C
torch        (out, in)           (out, in, kh, kw)       C, H, W
===========  ==================  ======================  ==============

So of torch's weights the axes are turned around, and where a dense layer stands at the border between an image and its
flat form, its inputs or outputs are put into the other order too.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from npae.layers import ActivityL1, Dense, Flatten, Layer, Reparameterization, Reshape, TiedDense
from npae.layers.activation import Activation
from npae.layers.corruption import Noise
from npae.network.autoencoder import Autoencoder
from npae.storage import safetensors
from npae.utils.errors import quoted
from npae.utils.types import Array, Shape
from npae.utils.validation import refuse_non_finite

SOURCES = ("torch", "keras")


def import_weights(network: Autoencoder, path: str | Path, names: Mapping[str, str], *, source: str) -> None:
    """Fill a built network with the weights in a safetensors file.

    The limits are those of ``npae.storage.safetensors.read``; every array has the shape of its parameter and is finite,
    also as the network's dtype. Any dtype that is read there is taken, whole numbers too.

    Parameters
    ----------
    network : Autoencoder
        With the layers that the weights were trained in; ``network.arena.parameter_shapes()`` tells their names.
    path : str or Path
        What ``safetensors.torch.save_file(module.state_dict(), path)`` writes, or the like for Keras.
    names : mapping of str to str
        For every parameter of the network, such as "encoder.0.W", the name of the array in the file, such as
        "encoder.0.weight".
    source : {"torch", "keras"}
        Whose layout the file has.

    Raises
    ------
    FileNotFoundError, FileFormatError
        If there is no complete safetensors file.
    ValueError
        If a name or an array is missing or an array has the wrong shape; the network is then unchanged.
    """
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}; expected one of {', '.join(SOURCES)}")
    shapes = network.arena.parameter_shapes()
    arrays, _ = safetensors.read(path)
    _check_names(path, set(shapes), set(arrays), names)
    borders = _borders(network) if source == "torch" else {}
    converted = {}
    for name, shape in shapes.items():
        given = arrays[names[name]]
        values = _from_torch(given, borders.get(name, {})) if source == "torch" else given
        if values.shape != shape:
            raise ValueError(
                f"{names[name]!r} in {path} has shape {given.shape}, which is {values.shape} here, but {name} expects "
                f"{shape}; check the name, the source and the network's layers"
            )
        refuse_non_finite(values, f"{names[name]!r} in {path}")
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            converted[name] = values.astype(network.arena.dtype)
        refuse_non_finite(converted[name], f"{names[name]!r} in {path}, as {network.arena.dtype},")
    for name, parameter, _ in network.arena.parameters():
        parameter[...] = converted[name]


def _check_names(path: str | Path, expected: set[str], found: set[str], names: Mapping[str, str]) -> None:
    if lacking := expected - set(names):
        raise ValueError(f"names lacks {_listed(lacking)}; give the array in {path} for each")
    if unknown := set(names) - expected:
        raise ValueError(f"names has {_listed(unknown)}, which the network has not; leave them out")
    if missing := set(names.values()) - found:
        raise ValueError(f"{path} has no {_listed(missing)}; it has {_listed(found)}")


def _listed(names: set[str]) -> str:
    return ", ".join(map(quoted, sorted(names)[:20])) + (", ..." if len(names) > 20 else "")


def _from_torch(values: Array, borders: Mapping[str, Shape]) -> Array:
    """Axes in npae's order, and of a dense layer at a border the elements too."""
    if values.ndim == 4:
        return values.transpose(2, 3, 1, 0)  # (out, in, kh, kw) -> (kh, kw, in, out)
    values = values.T  # (out, in) -> (in, out); a bias stays as it is
    for side, (height, width, channels) in borders.items():
        # Where each element, counted in the order H, W, C, lies in the order C, H, W
        order = np.arange(height * width * channels).reshape(channels, height, width).transpose(1, 2, 0).ravel()
        axis = 0 if side == "in" else -1
        if values.shape[axis] == len(order):
            values = values.take(order, axis=axis)
    return values


def _borders(network: Autoencoder) -> dict[str, dict[str, Shape]]:
    """The parameters of dense layers that touch an image laid flat: on which side, and the image's shape."""
    layers = [layer for chain in (network.encoder, network.code, network.decoder) for layer in chain.layers]
    # What works element by element does not care about the order, nor stands between a layer and its border.
    layers = [layer for layer in layers if not isinstance(layer, Activation | Noise | ActivityL1)]
    borders: dict[str, dict[str, Shape]] = {}
    for before, after in pairwise(layers):
        if isinstance(before, Flatten | Reshape) and len(before.input_shape) == 3:
            for dense in _dense_layers(after):
                borders.setdefault(f"{dense.name}.W", {})["in"] = before.input_shape
        if isinstance(after, Reshape) and len(after.output_shape) == 3 and isinstance(before, Dense | TiedDense):
            for attribute in ("W", "b", "c"):
                borders.setdefault(f"{before.name}.{attribute}", {})["out"] = after.output_shape
    return borders


def _dense_layers(layer: Layer) -> list[Layer]:
    if isinstance(layer, Reparameterization):
        return [layer.mu_head, layer.log_var_head]
    return [layer] if isinstance(layer, Dense) else []
