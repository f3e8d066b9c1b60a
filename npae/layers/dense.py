"""Fully connected layers: every output is a weighted sum of all inputs, plus a bias."""

from typing import Any

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.initializers import checked_gain, without_unit_gain
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape


class Dense(Layer):
    r"""y = x W + b.

    With dy = ∂L/∂y the chain rule gives (Rumelhart, Hinton & Williams 1986; Goodfellow et al. 2016, §6.5)

    .. math::

       \frac{\partial L}{\partial W} = x^\top \frac{\partial L}{\partial y}, \quad
       \frac{\partial L}{\partial b} = \sum_n \frac{\partial L}{\partial y_n}, \quad
       \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} W^\top

    dW is the sum over the samples of the outer products of x[n] and dy[n]; b is added to every sample, so that its
    gradient is a sum over the samples. Shapes: x (N, in), W (in, out), b (out,), y (N, out).

    Parameters
    ----------
    units : int
        Number of outputs.
    initializer : str, default "glorot_uniform"
        Of W: "glorot_uniform", "he_uniform", "lecun_uniform" or "zeros". b starts at zero.
    gain : float, default 1.0
        Factor of W's initial values, 0 to 1000; less than 1 for a decoder's last layer, whose first outputs are noise.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Dense
    >>> layer = Dense(2).build((3,))
    >>> layer.W[...] = [[1, 0], [0, 1], [1, 1]]
    >>> layer(np.array([[1, 2, 3]], dtype="float32")).tolist()
    [[4.0, 5.0]]
    """

    x: Array  # (N, in)
    y: Array  # (N, out)
    dx: Array  # (N, in)
    W: Array  # (in, out)
    b: Array  # (out,)
    dW: Array  # (in, out)
    db: Array  # (out,)
    is_tied: bool  # whether a TiedDense uses W as well
    tied_dW: Array  # (in, out), the part of dW that the TiedDense computes

    def __init__(self, units: int, *, initializer: str = "glorot_uniform", gain: float = 1.0) -> None:
        self.units = whole_number(units, "units")
        self.initializer = initializer
        self.gain = checked_gain(gain)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        n_in, n_out = flat_size(self, input_shape), self.units
        self.is_tied = False
        start: dict[str, Any] = {"initializer": self.initializer, "gain": self.gain}
        arena.parameter(self, "W", (n_in, n_out), fan_in=n_in, fan_out=n_out, **start, decay=True)
        arena.parameter(self, "b", (n_out,))
        arena.buffer(self, "y", (n_out,))
        arena.buffer(self, "dx", (n_in,))
        return (n_out,)

    def forward(self, x: Array) -> Array:
        self.x = x
        self.kernels.affine(x, self.W, self.b, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.matmul_transposed_left(self.x, dy, self.dW)
        if self.is_tied:
            self.kernels.add_scaled(self.tied_dW.reshape(-1), 1.0, self.dW.reshape(-1))
        self.kernels.column_sum(dy, self.db)
        if self.needs_dx:
            self.kernels.matmul_transposed_right(dy, self.W, self.dx)
        return self.dx

    def multiply_adds(self) -> int:
        return self.W.size

    def config(self) -> dict[str, Any]:
        return without_unit_gain(super().config())


class TiedDense(Layer):
    r"""y = x Wᵀ + c, with the W of an earlier Dense layer: tied weights (Vincent et al. 2010, §2.2).

    W is used twice, so its gradient is the sum over both uses: the Dense layer's part, then this layer's. With the
    index e for input and output of the Dense layer

    .. math::

       \frac{\partial L}{\partial W} = x_e^\top \frac{\partial L}{\partial y_e}
       + \left(\frac{\partial L}{\partial y}\right)^\top x, \quad
       \frac{\partial L}{\partial c} = \sum_n \frac{\partial L}{\partial y_n}, \quad
       \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} W

    Shapes: x (N, units), W (in, units), c (in,), y (N, in).

    Parameters
    ----------
    tied_to : str
        Name of the Dense layer whose W is used, such as ``"encoder.0"``. Each layer can be tied once. ``plan`` raises
        ValueError unless that layer comes earlier and has as many units as this layer has inputs.

    Examples
    --------
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense, TiedDense
    >>> net = Autoencoder([Dense(2)], [TiedDense("encoder.0")], loss="mse").build((5,))
    >>> net.arena.parameter_count()  # 5 · 2 weights, 2 + 5 biases
    17
    """

    x: Array  # (N, in)
    y: Array  # (N, out)
    dx: Array  # (N, in)
    c: Array  # (out,)
    dc: Array  # (out,)
    partner: Dense  # its W is (out, in)
    zero: Array  # (in,), zeros: dx is computed by a kernel that also adds a bias

    def __init__(self, tied_to: str) -> None:
        self.tied_to = tied_to

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        n_in = flat_size(self, input_shape)
        partner = arena.layers.get(self.tied_to)
        if not isinstance(partner, Dense):
            raise ValueError(f"TiedDense is tied to {self.tied_to!r}; name a Dense layer that stands before it")
        if partner.units != n_in or partner.is_tied:
            raise ValueError(
                f"TiedDense is given {n_in} values and tied to {self.tied_to!r}, which has {partner.units} units"
                f"{' and a tied layer already' if partner.is_tied else ''}; tie it to the layer that it mirrors"
            )
        (n_out,) = partner.input_shape
        self.partner = partner
        partner.is_tied = True
        arena.workspace(partner, "tied_dW", (n_out, n_in))
        arena.workspace(self, "zero", (n_in,))
        arena.parameter(self, "c", (n_out,))
        arena.buffer(self, "y", (n_out,))
        arena.buffer(self, "dx", (n_in,))
        return (n_out,)

    def forward(self, x: Array) -> Array:
        self.x = x
        self.kernels.matmul_transposed_right(x, self.partner.W, self.y)
        self.kernels.add_to_rows(self.c, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.matmul_transposed_left(dy, self.x, self.partner.tied_dW)
        self.kernels.column_sum(dy, self.dc)
        self.kernels.affine(dy, self.partner.W, self.zero, self.dx)
        return self.dx

    def multiply_adds(self) -> int:
        return self.partner.W.size


def flat_size(layer: Layer, input_shape: Shape) -> int:
    """Number of values of a flat sample; raises ValueError for samples of more than one axis."""
    if len(input_shape) != 1:
        raise ValueError(
            f"{type(layer).__name__} expects flat samples (features,), but is given {input_shape}; "
            f"put Flatten() before it"
        )
    return input_shape[0]
