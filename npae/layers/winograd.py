"""Which convolutions are computed by Winograd's algorithm, and the memory that its kernels need.

The algorithm (``npae.kernels.compiled.winograd``) takes 16 multiplications for each tile of 2×2 outputs of a 3×3
convolution of stride 1 instead of 36, plus additions before and after, and rounds slightly differently.
"""

from typing import Any

from npae.layers.arena import Arena

#: Bytes of a line, the vector of the compiled kernels.
LINE = 64

#: Bytes of transformed numbers that are processed at once: a fraction of a second-level cache.
CACHED = 2**17

POINTS = 16  # numbers into which a tile is transformed
UPSAMPLED_POINTS = 9  # those that are not zero after upsampling
ROWS_OF_FORMS = 12  # rows into which a row of tiles of one channel is transformed: 4 points × 3 forms
HEAD = 8  # the most lines before those of B in a panel of the compiled kernels


def fits_winograd(convolution: Any, arena: Arena) -> bool:
    """Whether a planned ``Conv2D`` has a kernel of 3×3, stride 1, at most one row of padding, and whole lines of
    channels, and is large enough for its tiles to save multiplications.
    """
    rows, columns = convolution.rows, convolution.columns
    narrow = max(rows.before, rows.after, columns.before, columns.after) <= 1
    tiles = ((rows.n_out + 1) // 2) * ((columns.n_out + 1) // 2)
    saves = POINTS * tiles < 9 * rows.n_out * columns.n_out
    return _has_lines(convolution, arena) and narrow and saves


def fits_winograd_one_channel(convolution: Any, arena: Arena) -> bool:
    """Whether a planned ``Conv2D`` before ReLU and 2×2 max pooling has a kernel of 3×3, stride 1, one channel of input
    and whole lines of channels of output.
    """
    usual = convolution.kernel_size == (3, 3) and convolution.stride == (1, 1) and convolution.input_shape[2] == 1
    return bool(usual and convolution.filters % (LINE // arena.dtype.itemsize) == 0)


def fits_winograd_upsampling(convolution: Any, factor: tuple[int, int], arena: Arena) -> bool:
    """Whether a planned ``Conv2D`` after upsampling is one of 3×3, with one row of padding on each side, and whole
    lines of channels.
    """
    return _has_lines(convolution, arena) and is_usual_upsampling(convolution, factor)


def is_usual_upsampling(convolution: Any, factor: tuple[int, int]) -> bool:
    """Whether upsampling by 2 comes before a convolution of 3×3 and stride 1 with one row of padding on each side."""
    padding = {n for axis in (convolution.rows, convolution.columns) for n in (axis.before, axis.after)}
    usual = convolution.kernel_size == (3, 3) and convolution.stride == (1, 1) and padding == {1}
    return bool(usual and factor == (2, 2))


def _has_lines(convolution: Any, arena: Arena) -> bool:
    lanes = LINE // arena.dtype.itemsize
    is_whole = convolution.input_shape[2] % lanes == convolution.filters % lanes == 0
    return bool(convolution.kernel_size == (3, 3) and convolution.stride == (1, 1) and is_whole)


def plan_winograd(layer: Any, convolution: Any, arena: Arena) -> None:
    """Declare the workspaces ``U``, ``V`` and ``M`` of ``layer``: the points of weights, of numbers, of products."""
    width = convolution.input_shape[1]  # of the gradient by the input, which may be wider than the output
    _plan_points(layer, convolution, (width + 1) // 2, POINTS, arena)


def plan_winograd_one_channel(layer: Any, convolution: Any, arena: Arena) -> None:
    """Declare the workspaces of one channel of input: ``U``, points of weights and the bias, and ``V``, the transformed
    numbers of a row of tiles, and after them the rows of the image that are at the end of its array.
    """
    lanes, width = LINE // arena.dtype.itemsize, convolution.padded_shape[1]
    row = -(-convolution.output_shape[1] // lanes) * lanes
    arena.workspace(layer, "U", ((POINTS + 1) * convolution.filters,))
    arena.workspace(layer, "V", (ROWS_OF_FORMS * row + 3 * width + row + 2,))


def plan_winograd_upsampling(layer: Any, convolution: Any, arena: Arena) -> None:
    """The same after upsampling, and ``image``, ``dx_image`` and ``slopes``, and ``dU`` for the gradient."""
    n_in, (height, width, n_out) = convolution.input_shape[2], convolution.output_shape
    _plan_points(layer, convolution, width // 2, UPSAMPLED_POINTS, arena)
    for attribute in ("image", "dx_image"):
        arena.workspace(layer, attribute, ((height // 2 + 2) * (width // 2 + 2) * n_in,))
    arena.workspace(layer, "slopes", (2 * width * n_out,))
    arena.workspace(layer, "dU", (UPSAMPLED_POINTS * n_in * n_out,))


def plan_taps(layer: Any, convolution: Any, arena: Arena) -> None:
    """Declare the workspaces of the kernels that compute the 4×4 taps of every pixel, for few output channels."""
    n_in, (height, width, n_out) = convolution.input_shape[2], convolution.output_shape
    lanes, taps = LINE // arena.dtype.itemsize, 4 * 4 * n_out
    by_lines = -(-n_in // lanes) * lanes
    arena.workspace(layer, "U", (max(taps * (HEAD + n_in), by_lines * (HEAD + taps)),))
    arena.workspace(layer, "P", ((height // 2 + 2) * (width // 2 + 2) * taps,))
    arena.workspace(layer, "dy_image", ((height + 2) * (width + 2) * n_out,))
    arena.workspace(layer, "dW_taps", (taps * n_in,))


def _plan_points(layer: Any, convolution: Any, tile_columns: int, points: int, arena: Arena) -> None:
    n_in, n_out, itemsize = convolution.input_shape[2], convolution.filters, arena.dtype.itemsize
    most = max(n_in, n_out)  # since the gradient by the input has n_out channels of input
    tiles = max(1, CACHED // (points * most * itemsize * tile_columns)) * tile_columns
    # one line more, so that the points of a tile do not compete for the same places of a cache
    lanes = LINE // itemsize
    arena.workspace(layer, "U", (points * (HEAD * most + n_in * n_out),))
    arena.workspace(layer, "V", (points, tiles * most + lanes))
    arena.workspace(layer, "M", (points, (HEAD + tiles) * most + lanes))
