"""3×3 convolutions of stride 1: what the compiled kernels compute by Winograd's algorithm, as plain convolutions.

U, V and M are memory of the compiled kernels: the weights, the numbers of some tiles, and their products.
"""

from npae.kernels.reference.array import Array
from npae.kernels.reference.convolution import convolution, convolution_weight_gradient
from npae.kernels.reference.fused import relu_max_pool


def winograd_convolution(
    x: Array, W: Array, b: Array, is_reversed: int, U: Array, V: Array, M: Array, y: Array
) -> None:
    """``convolution`` of stride 1, with the rows and columns of W in reversed order if ``is_reversed``."""
    convolution(x, W[::-1, ::-1] if is_reversed else W, b, 1, 1, y)


def winograd_convolution_relu_max_pool(
    x: Array, W: Array, b: Array, U: Array, V: Array, M: Array, y: Array, winner: Array
) -> None:
    """``relu_max_pool`` of ``convolution`` of stride 1."""
    convolved = y.repeat(2, axis=1).repeat(2, axis=2)  # (N, 2H, 2W, C)
    convolution(x, W, b, 1, 1, convolved)
    relu_max_pool(convolved, y, winner)


def winograd_weight_gradient(
    x: Array, dy_padded: Array, top: int, left: int, U: Array, V: Array, M: Array, dW: Array
) -> None:
    """``convolution_weight_gradient`` of stride 1, with dy from row ``top`` and column ``left`` of ``dy_padded`` on.

    dy is as large as the convolution's output, and at least one row and one column of zeros follow it.
    """
    rows, columns = x.shape[1] - 2, x.shape[2] - 2
    convolution_weight_gradient(x, dy_padded[:, top : top + rows, left : left + columns], 1, 1, dW)
