"""3×3 convolution of images of one channel by Winograd's algorithm, with ReLU and 2×2 max pooling, a tile at a time."""

from npae.kernels.jit import jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.winograd import weights_to_points
from npae.kernels.simd.winograd_one_channel import FORMS, LINES, one_channel_to_points, one_channel_to_pooled


@jit
def winograd_one_channel_relu_max_pool(
    x: Array, W: Array, b: Array, U: Array, V: Array, y: Array, winner: Array
) -> None:
    """As reference.winograd_one_channel_relu_max_pool.

    A line of columns may be longer than the rest of a row of x and reads what follows it. The rows at the end of the
    array, which nothing follows, are copied to the end of V.
    """
    n, rows, columns, channels = y.shape
    lanes, height, width = LINE // y.itemsize, x.shape[1], x.shape[2]
    n_lines, size = (2 * columns + lanes - 1) // lanes, LINES * lanes
    v_row, v_size = n_lines * lanes, 4 * FORMS * n_lines * lanes
    x_flat, y_flat, winner_flat = x.reshape(-1), y.reshape(-1), winner.reshape(-1)
    source_steps = (3 * channels, 6 * channels, channels, 2 * channels, lanes)
    target_steps = (4 * lanes, 12 * lanes, lanes, 3 * lanes, size)
    weights_to_points(channels // lanes, W.reshape(-1), 0, source_steps, U, 0, target_steps)
    for j in range(channels // lanes):
        copy(b, j * lanes, U, (j + 1) * size - lanes, lanes)
    for r in range(n * rows):
        x_at = (r // rows * height + r % rows * 2) * width
        is_last = x_at + 3 * width + v_row + 2 > x_flat.size
        if is_last:
            copy(x_flat, x_at, V, v_size, 4 * width)
        one_channel_to_points(n_lines, V if is_last else x_flat, v_size if is_last else x_at, width, V)
        for j in range(channels // lanes):
            y_at = r * columns * channels + j * lanes
            one_channel_to_pooled(columns, V, v_row, U, j * size, y_flat, winner_flat, y_at, channels)
