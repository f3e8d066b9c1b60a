"""Import of weights trained with PyTorch or Keras into a network with the same layers.

The libraries store weights in different layouts:

===========  ==================  ======================  ==============
library      dense               convolution             flattened image
===========  ==================  ======================  ==============
npae, Keras  (in, out)           (kh, kw, in, out)       H, W, C
torch        (out, in)           (out, in, kh, kw)       C, H, W
===========  ==================  ======================  ==============

So the axes of torch's weights are transposed, and if a dense layer follows a flattened image or precedes a reshape to
one, its inputs or outputs are reordered as well.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from npae.layers import ActivityL1, Dense, Flatten, Layer, Reparameterization, Reshape, TiedDense
from npae.layers.activation import Activation
from npae.layers.corruption import Noise
from npae.network.autoencoder import Autoencoder
from npae.utils import safetensors
from npae.utils.errors import listed
from npae.utils.types import Array, Shape
from npae.utils.validation import refuse_non_finite

SOURCES = ("torch", "keras")


def import_weights(network: Autoencoder, path: str | Path, names: Mapping[str, str], *, source: str) -> None:
    """Fill a built network with the weights in a safetensors file.

    The limits are those of ``npae.utils.safetensors.read``; every array must have the shape of its parameter and be
    finite, also after conversion to the network's dtype. All dtypes that are read there are converted, also integers.

    Parameters
    ----------
    network : Autoencoder
        With the same layers; ``network.arena.parameter_shapes()`` has the names of its parameters.
    path : str or Path
        A file written by ``safetensors.torch.save_file(module.state_dict(), path)``, or the equivalent for Keras.
    names : mapping of str to str
        For every parameter of the network, such as "encoder.0.W", the name of the array in the file, such as
        "encoder.0.weight".
    source : {"torch", "keras"}
        The library whose layout the arrays have.

    Raises
    ------
    FileNotFoundError, FileFormatError
        If there is no complete safetensors file.
    ValueError
        If ``source`` is neither of the two, a name or an array is missing, or an array has the wrong shape or is not
        finite; the network is then unchanged.

    Examples
    --------
    The weights of ``torch.nn.Linear(5, 2)`` are (out, in):

    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.foreign import import_weights
    >>> from npae.layers import Dense
    >>> from npae.utils import safetensors
    >>> arrays = {"fc.weight": np.ones((2, 5), "float32"), "fc.bias": np.zeros(2, "float32")}
    >>> arrays |= {"out.weight": np.ones((5, 2), "float32"), "out.bias": np.zeros(5, "float32")}
    >>> safetensors.write("torch.safetensors", arrays, {})
    >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
    >>> names = {"encoder.0.W": "fc.weight", "encoder.0.b": "fc.bias"}
    >>> names |= {"decoder.0.W": "out.weight", "decoder.0.b": "out.bias"}
    >>> import_weights(net, "torch.safetensors", names, source="torch")
    >>> net.encode(np.ones((1, 5))).tolist()
    [[5.0, 5.0]]
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
        raise ValueError(f"names lacks {listed(sorted(lacking))}; give the array in {path} for each")
    if unknown := set(names) - expected:
        raise ValueError(f"names has {listed(sorted(unknown))}, which the network has not; leave them out")
    if missing := set(names.values()) - found:
        raise ValueError(f"{path} has no {listed(sorted(missing))}; it has {listed(sorted(found))}")


def _from_torch(values: Array, borders: Mapping[str, Shape]) -> Array:
    """An array in npae's layout; ``borders`` has the image shapes at the sides of a dense layer that touches one."""
    if values.ndim == 4:
        return values.transpose(2, 3, 1, 0)  # (out, in, kh, kw) -> (kh, kw, in, out)
    values = values.T  # (out, in) -> (in, out); a bias stays as it is
    for side, (height, width, channels) in borders.items():
        # For each element in the order H, W, C its index in the order C, H, W
        order = np.arange(height * width * channels).reshape(channels, height, width).transpose(1, 2, 0).ravel()
        axis = 0 if side == "in" else -1
        if values.shape[axis] == len(order):
            values = values.take(order, axis=axis)
    return values


def _borders(network: Autoencoder) -> dict[str, dict[str, Shape]]:
    """For parameters of dense layers next to a flattened image: on which side it is, and the image's shape."""
    layers = [layer for chain in (network.encoder, network.code, network.decoder) for layer in chain.layers]
    # Elementwise layers do not depend on the order of elements, so they are ignored.
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
