"""2D convolution: one small set of weights, applied at every position of an image."""

from typing import Any

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.initializers import checked_gain, without_unit_gain
from npae.layers.window import Axis, axes, checked_padding, image_shape, pair
from npae.layers.winograd import fits_winograd, plan_winograd
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape


class Conv2D(Layer):
    r"""y[i, j] = Σₖₗ x̄[i·s + k, j·s + l] W[k, l] + b, with x̄ the zero-padded image and s the stride.

    As usual in deep learning, "convolution" means cross-correlation: W is not flipped. Every position (i, j) is a
    dense layer on its window, so the gradients are those of a dense layer, summed over the positions
    (LeCun et al. 1989; Dumoulin & Visin 2016, §4)

    .. math::

       \frac{\partial L}{\partial W_{kl}} = \sum_{n,i,j} \bar{x}_{n,is+k,js+l}^\top
       \frac{\partial L}{\partial y_{nij}}, \quad
       \frac{\partial L}{\partial b} = \sum_{n,i,j} \frac{\partial L}{\partial y_{nij}}, \quad
       \frac{\partial L}{\partial \bar{x}_{npq}} = \sum_{is+k=p,\; js+l=q} \frac{\partial L}{\partial y_{nij}}
       W_{kl}^\top

    s is ``stride[0]`` for rows and ``stride[1]`` for columns. Shapes: x (N, H, W, in), W (kh, kw, in, out), b (out,),
    y (N, H', W', out). In a network, a convolution beside ReLU and pooling or after upsampling is computed as one layer
    of ``npae.layers.fused``, with the same gradients; ``fuse=False`` keeps this one.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or pair of int, default 3
    stride : int or pair of int, default 1
    padding : "same", "valid", int, pair, or ((top, bottom), (left, right)), default "same"
        Rows and columns of zeros around the image; "same" gives ⌈size / stride⌉ positions.
    initializer : str, default "glorot_uniform"
        As for Dense, with fan_in = kh·kw·in and fan_out = kh·kw·out. b starts at zero.
    gain : float, default 1.0
        Factor of W's initial values, 0 to 1000; less than 1 for a decoder's last layer, whose first outputs are noise.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Conv2D
    >>> layer = Conv2D(16, 3, stride=2).build((28, 28, 1))
    >>> layer(np.zeros((5, 28, 28, 1), dtype="float32")).shape, layer.W.shape
    ((5, 14, 14, 16), (3, 3, 1, 16))
    """

    x_padded: Array  # (N, H + top + bottom, W + left + right, in), x̄
    y: Array  # (N, OH, OW, out)
    dx: Array  # (N, H, W, in)
    W: Array  # (kh, kw, in, out)
    b: Array  # (out,)
    dW: Array  # (kh, kw, in, out)
    db: Array  # (out,)
    W_transposed: Array  # (kh, kw, out, in)
    zero: Array  # (in,), zeros: dx is computed by a kernel that also adds a bias
    winograd: bool  # whether Winograd's algorithm is used; then there are also
    dy_padded: Array  # (N, H + 2, W + 2, out)
    U: Array  # memory of its kernels, as are
    V: Array
    M: Array
    rows: Axis
    columns: Axis

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        stride: int | tuple[int, int] = 1,
        padding: Any = "same",
        initializer: str = "glorot_uniform",
        gain: float = 1.0,
    ) -> None:
        self.filters = whole_number(filters, "filters")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = checked_padding(padding)
        self.initializer = initializer
        self.gain = checked_gain(gain)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        height, width, n_in = image_shape(self, input_shape)
        (kh, kw), n_out = self.kernel_size, self.filters
        self.rows, self.columns = axes(self, (height, width), self.kernel_size, self.stride, self.padding)
        output_shape = (self.rows.n_out, self.columns.n_out, n_out)
        arena.parameter(
            self,
            "W",
            (kh, kw, n_in, n_out),
            fan_in=kh * kw * n_in,
            fan_out=kh * kw * n_out,
            initializer=self.initializer,
            gain=self.gain,
            decay=True,
        )
        arena.parameter(self, "b", (n_out,))
        arena.workspace(self, "W_transposed", (kh, kw, n_out, n_in))
        arena.workspace(self, "zero", (n_in,))
        arena.buffer(self, "x_padded", self.padded_shape, zeroed=True)
        arena.buffer(self, "y", output_shape)
        arena.buffer(self, "dx", input_shape)
        self.winograd = fits_winograd(self, arena)
        if self.winograd:
            plan_winograd(self, self, arena)
            arena.buffer(self, "dy_padded", (height + 2, width + 2, n_out), zeroed=True)
        return output_shape

    def forward(self, x: Array) -> Array:
        self.kernels.pad(x, *self.origin, self.x_padded)  # writes the inside only; the border is zero from the start
        if self.winograd:
            self.kernels.winograd_convolution(self.x_padded, self.W, self.b, 0, self.U, self.V, self.M, self.y)
        else:
            self.kernels.convolution(self.x_padded, self.W, self.b, *self.stride, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        if self.winograd:
            return self._winograd_backward(dy)
        self.kernels.convolution_weight_gradient(self.x_padded, dy, *self.stride, self.dW)
        self.kernels.column_sum(dy.reshape(-1, self.filters), self.db)
        if self.needs_dx:
            self.kernels.swap_channels(self.W, self.W_transposed)
            self.kernels.transposed_convolution(dy, self.W_transposed, self.zero, *self.stride, *self.origin, self.dx)
        return self.dx

    def _winograd_backward(self, dy: Array) -> Array:
        """dx is the convolution of dy, in a border of zeros, with W in reversed order."""
        memory = self.U, self.V, self.M
        top, left = 2 - self.rows.before, 2 - self.columns.before
        self.kernels.pad(dy, top, left, self.dy_padded)
        self.kernels.winograd_weight_gradient(self.x_padded, self.dy_padded, top, left, *memory, self.dW)
        self.kernels.column_sum(dy.reshape(-1, self.filters), self.db)
        if self.needs_dx:
            self.kernels.swap_channels(self.W, self.W_transposed)
            self.kernels.winograd_convolution(self.dy_padded, self.W_transposed, self.zero, 1, *memory, self.dx)
        return self.dx

    @property
    def padded_shape(self) -> Shape:
        """Shape of one padded image: (height, width, channels)."""
        return self.rows.n_padded, self.columns.n_padded, self.input_shape[2]

    @property
    def origin(self) -> tuple[int, int]:
        """(top, left) padding: where the image starts within the padded one."""
        return self.rows.before, self.columns.before

    def multiply_adds(self) -> int:
        return self.W.size * self.rows.n_out * self.columns.n_out

    def config(self) -> dict[str, Any]:
        return without_unit_gain(super().config())
