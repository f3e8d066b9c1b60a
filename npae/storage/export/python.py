"""Export of a model as one Python file that needs only NumPy: weights as text, and ``encode`` and ``decode``."""

import base64
import inspect
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import Any

from npae.layers import (
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
from npae.layers.upsampling import bilinear_weights
from npae.network.autoencoder import Autoencoder
from npae.storage.export import standalone
from npae.storage.export.inference_layers import decoding, encoding, unknown
from npae.utils.files import atomic_write
from npae.utils.types import Array
from npae.utils.version import __version__

WIDTH = 110  # characters of weights in a line


def export_python(network: Autoencoder, path: str | Path) -> None:
    """Write a built network as Python source.

    Parameters
    ----------
    network : Autoencoder
        ``model.network_`` of a fitted estimator.
    path : str or Path
        Usually with the suffix ``.py``.

    Raises
    ------
    ValueError
        If the network has user-defined layers.

    Examples
    --------
    >>> from pathlib import Path
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> from npae.storage.export import export_python
    >>> export_python(Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)), "net.py")
    >>> "def encode(" in Path("net.py").read_text(encoding="utf-8")
    True
    """
    with atomic_write(path) as file:
        file.write(source(network).encode())


def source(network: Autoencoder) -> str:
    """The text of the exported file."""
    writer = _Writer()
    for layer in encoding(network):
        writer.add(layer)
    encode, writer.lines = writer.lines, []
    for layer in decoding(network):
        writer.add(layer)
    if network.loss.on_logits:
        writer.call(standalone.sigmoid)
    functions: set[Callable[..., Any]] = {*writer.helpers, standalone.checked, standalone.is_masked}
    helpers = "\n\n".join(inspect.getsource(f) for f in sorted(functions, key=lambda f: f.__name__))
    return FILE.format(
        version=__version__,
        dtype=network.arena.dtype.name,
        shapes="\n".join(f"    ({name!r}, {a.shape})," for name, a in writer.weights.items()),
        helpers=re.sub(r"\bAny\b", "object", re.sub(r"\bArray\b", "np.ndarray", helpers)),
        columns=None if network.columns is None else list(network.columns.labels),
        input_shape=network.input_shape,
        code_shape=network.code_shape,
        encode="\n".join(encode),
        decode="\n".join(writer.lines),
        text="\n".join(wrap(_as_text(list(writer.weights.values())), WIDTH, break_on_hyphens=False)),
    )


def _as_text(arrays: list[Array]) -> str:
    """Numbers, little-endian and one array after the other, compressed, in characters that a string can hold."""
    packed = b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)
    return base64.b64encode(zlib.compress(packed, 9)).decode()


class _Writer:
    """One line of Python for each layer, the weights it needs, and the functions it calls."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.weights: dict[str, Array] = {}
        self.helpers: set[Callable[..., Any]] = set()

    def add(self, layer: Layer) -> None:
        """x = layer(x)."""
        match layer:
            case Dense():
                self.line(f"x @ {self.weight(f'{layer.name}.W', layer.W)} + {self.weight(f'{layer.name}.b', layer.b)}")
            case TiedDense():
                W, c = self.weight(f"{layer.tied_to}.W", layer.partner.W), self.weight(f"{layer.name}.c", layer.c)
                self.line(f"x @ {W}.T + {c}")
            case Reparameterization():  # the mean is the code
                self.add(layer.mu_head)
            case Flatten() | Reshape():
                self.line(f"x.reshape{(-1, *layer.output_shape)}")
            case ReLU():
                self.line("np.maximum(x, 0)")
            case LeakyReLU():
                self.line(f"np.where(x > 0, x, x.dtype.type({layer.slope!r}) * x)")
            case Tanh():
                self.line("np.tanh(x)")
            case Sigmoid():
                self.call(standalone.sigmoid)
            case Softplus():
                self.call(standalone.softplus)
            case Conv2D():
                W, b = self.weight(f"{layer.name}.W", layer.W), self.weight(f"{layer.name}.b", layer.b)
                self.call(standalone.convolution, W, b, layer.stride, _padding(layer))
            case MaxPool2D() | AveragePool2D():
                reduce = "np.nanmax" if isinstance(layer, MaxPool2D) else "np.nanmean"
                places = layer.output_shape[:2]
                self.call(standalone.pool, reduce, layer.size, layer.stride, _padding(layer), places)
            case UpSample2D() if layer.mode == "nearest":
                self.call(standalone.enlarge, layer.factor, layer.output_shape[:2])
            case UpSample2D():
                self.call(standalone.resample, *(self.resampling(layer, axis) for axis in (0, 1)))
            case _:
                raise unknown(layer, "a Python file")

    def line(self, expression: str) -> None:
        self.lines.append(f"    x = {expression}")

    def call(self, helper: Callable[..., Any], *arguments: object) -> None:
        self.helpers.add(helper)
        self.line(f"{helper.__name__}({', '.join(['x', *map(str, arguments)])})")

    def weight(self, name: str, values: Array) -> str:
        self.weights[name] = values
        return f"W[{name!r}]"

    def resampling(self, layer: UpSample2D, axis: int) -> str:
        weights = bilinear_weights(layer.output_shape[axis], layer.input_shape[axis], layer.factor[axis])
        weights = weights.astype(layer.arena.dtype)
        return self.weight(f"{layer.name}.{'rows' if axis == 0 else 'columns'}", weights)


def _padding(layer: Conv2D | MaxPool2D | AveragePool2D) -> tuple[tuple[int, int], ...]:
    return tuple((axis.before, axis.after) for axis in (layer.rows, layer.columns))


FILE = '''"""A trained autoencoder, written by npae {version}. It needs NumPy alone.

encode: samples (n, *{input_shape}) -> codes (n, *{code_shape}); decode: codes -> samples.
"""

import base64
import zlib

import numpy as np

#: The precision that the model was trained in, and the columns of the dataframe that it was trained on, if it was one.
DTYPE = "{dtype}"
COLUMNS = {columns!r}


{helpers}

def encode(samples):
    """Codes of samples."""
    x = checked(samples, {input_shape}, DTYPE, COLUMNS)
{encode}
    return x


def decode(codes):
    """Samples rebuilt from codes."""
    x = checked(codes, {code_shape}, DTYPE)
{decode}
    return x


def unpacked(text, shapes):
    """The weights by name."""
    values = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.dtype(DTYPE).newbyteorder("<"))
    values = values.astype(DTYPE)
    weights, start = {{}}, 0
    for name, shape in shapes:
        size = int(np.prod(shape))
        weights[name] = values[start : start + size].reshape(shape)
        start += size
    return weights


SHAPES = [
{shapes}
]

W = unpacked(
    """
{text}
""",
    SHAPES,
)
'''
