"""A fully connected layer: every output is a weighted sum of every input."""

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape


class Dense(Layer):
    """y = x W + b.

    With dy = ∂L/∂y the chain rule gives (Rumelhart, Hinton & Williams 1986; Goodfellow et al. 2016, §6.5)::

        dW = xᵀ dy          every sample adds its outer product
        db = Σₙ dy[n]       b was broadcast forward, so it is summed backward
        dx = dy Wᵀ          the gradient flows back through the same weights

    Parameters
    ----------
    units : int
        Number of outputs.
    initializer : str, default "glorot_uniform"
        How W starts: "glorot_uniform", "he_uniform", "lecun_uniform" or "zeros". b starts at zero.
    """

    x: Array  # (N, in)
    y: Array  # (N, out)
    dx: Array  # (N, in)
    W: Array  # (in, out)
    b: Array  # (out,)
    dW: Array  # (in, out)
    db: Array  # (out,)
    is_tied: bool  # whether a TiedDense uses W too
    tied_dW: Array  # (in, out), the share of dW that comes from there

    def __init__(self, units: int, *, initializer: str = "glorot_uniform") -> None:
        self.units = whole_number(units, "units")
        self.initializer = initializer

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        n_in, n_out = flat_size(self, input_shape), self.units
        self.is_tied = False
        arena.parameter(self, "W", (n_in, n_out), fan_in=n_in, fan_out=n_out, initializer=self.initializer, decay=True)
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


class TiedDense(Layer):
    """y = x Wᵀ + c, with the W of an earlier dense layer: the decoder mirrors the encoder, weights included.

    W then stands in the network twice, and its gradient is the sum over both places (Vincent et al. 2010, §2.2)::

        dW = xₑᵀ dyₑ + dyᵀ x     first the encoder's share, then this layer's
        dc = Σₙ dy[n]
        dx = dy W

    Parameters
    ----------
    tied_to : str
        Name of the dense layer whose W is used, such as ``"encoder.0"``. A layer can be tied once.
    """

    x: Array  # (N, in)
    y: Array  # (N, out)
    dx: Array  # (N, in)
    c: Array  # (out,)
    dc: Array  # (out,)
    partner: Dense  # its W is (out, in)
    zero: Array  # (in,), the bias that dx has not

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
    """The length of a flat input; anything else is an error that says what to do."""
    if len(input_shape) != 1:
        raise ValueError(
            f"{type(layer).__name__} expects flat samples (features,), but is given {input_shape}; "
            f"put Flatten() before it"
        )
    return input_shape[0]
