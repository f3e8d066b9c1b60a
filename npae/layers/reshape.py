"""Layers that change the shape of samples; backward restores the shape of the input."""

from collections.abc import Sequence
from math import prod

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape
from npae.utils.wording import counted

MOST_AXES = 32


class Reshape(Layer):
    """Change the shape of each sample; elements keep their row-major order. dx is dy in the shape of the input.

    Parameters
    ----------
    shape : sequence of int
        Of one sample: at most 32 sizes of at least 1, with as many elements as the input.

    Raises
    ------
    ValueError
        If ``shape`` is not valid or, when the layer is built, has another number of elements.

    Notes
    -----
    Shapes: x (N, ...), y ``(N, *shape)``. No value changes, so that dx is dy in the shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Reshape
    >>> Reshape((7, 7, 2)).build((98,))(np.zeros((3, 98), dtype="float32")).shape
    (3, 7, 7, 2)
    """

    def __init__(self, shape: Sequence[int]) -> None:
        if len(shape) > MOST_AXES:
            raise ValueError(f"Reshape is given {len(shape):,} axes; expected at most {MOST_AXES}")
        self.shape = tuple(whole_number(n, "a size in the shape of Reshape") for n in shape)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        if prod(input_shape) != prod(self.shape):
            raise ValueError(
                f"Reshape to {self.shape} needs {counted(prod(self.shape), 'value')}, but is given {input_shape}, "
                f"which has {prod(input_shape)}"
            )
        return self.shape

    def forward(self, x: Array) -> Array:
        return x.reshape(len(x), *self.output_shape)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(len(dy), *self.input_shape)


class Flatten(Layer):
    """Turn each sample into one vector, as Dense requires: (H, W, C) -> (H·W·C,). dx is dy in the shape of the input.

    Notes
    -----
    Shapes: x (N, H, W, C) or any other, y (N, H·W·C). No value changes, so that dx is dy in the shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Flatten
    >>> Flatten().build((7, 7, 2))(np.zeros((3, 7, 7, 2), dtype="float32")).shape
    (3, 98)
    """

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        return (prod(input_shape),)

    def forward(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    def backward(self, dy: Array) -> Array:
        return dy.reshape(len(dy), *self.input_shape)
