"""3×3 convolution of images of one channel, with ReLU and pooling: what is compiled by Winograd's algorithm.

U and V are memory of the compiled kernel: the points of the weights, and of a row of tiles.
"""

from npae.kernels.reference.array import Array
from npae.kernels.reference.winograd import winograd_convolution_relu_max_pool


def winograd_one_channel_relu_max_pool(
    x: Array, W: Array, b: Array, U: Array, V: Array, y: Array, winner: Array
) -> None:
    """``relu_max_pool`` of ``convolution`` of stride 1."""
    winograd_convolution_relu_max_pool(x, W, b, U, V, V, y, winner)
