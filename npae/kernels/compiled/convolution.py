"""2D convolution as matrix products that read the image in place, without copying patches ("im2col").

With the channels last in memory, the patches of one output row are, for one kernel row, overlapping windows of kw·in
consecutive numbers that start stride·in apart: a matrix A with that row stride. The kernel rows are the tile's
segments, and W is B without a copy::

    y[i, :, :] = start + Σₖ A[k]·W[k],   A[k] = windows of x[i·s + k]
"""

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy
from npae.kernels.simd.dot import DOTS, dot
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.panel import DEPTH, NO, ONE, ZERO, copy_rows, multiply, new_panel, start_from

GROUP = 512  # least number of image positions for which a panel of weights is copied once
BAND = 24576  # bytes of padded x that are copied at a time; with a panel they fit the first-level cache
MOST = 2 * BAND  # bytes of the rows of x that one row of outputs sees; wider images are divided into columns


@shared_jit
def convolution(x: Array, W: Array, b: Array, stride_h: int, stride_w: int, y: Array) -> None:
    """As reference.convolution."""
    if W.shape[3] == 1:
        _convolution_to_one_channel(x, W, b, stride_h, stride_w, y)
    else:
        convolution_by_lines(x, W, b, stride_h, stride_w, y)


@shared_jit
def convolution_by_lines(x: Array, W: Array, b: Array, stride_h: int, stride_w: int, y: Array) -> None:
    """``convolution`` by lines of output channels, of which the last one may have few or one."""
    n, height, width, n_in = x.shape
    rows, columns, n_out = y.shape[1:]
    kh, window = W.shape[0], W.shape[1] * n_in
    lanes = LINE // y.itemsize
    x_flat, W_flat, y_flat = x.reshape(-1), W.reshape(-1), y.reshape(-1)
    panel = new_panel(y)
    group = 1 + GROUP // (rows * columns)
    # one product covers as many whole kernel rows as the panel can hold, or a part of one
    kernel_rows, steps = max(1, DEPTH // window), min(DEPTH, window)
    for first in range(0, n, group):
        for j in range(0, n_out, lanes):
            n_columns = min(lanes, n_out - j)
            start_from(b, j, n_columns, panel)
            for k in range(0, kh, kernel_rows):
                segments = min(kernel_rows, kh - k)
                for m in range(0, window, steps):
                    depth = min(steps, window - m)
                    place = (k * window + m) * n_out + j
                    copy_rows(W_flat, place, n_out, segments * depth, n_columns, panel, ZERO)
                    for image in range(first, min(first + group, n)):
                        for i in range(rows):
                            multiply(
                                columns,
                                segments,
                                depth,
                                x_flat,
                                ((image * height + i * stride_h + k) * width) * n_in + m,
                                stride_w * n_in,
                                width * n_in,
                                ONE,
                                panel,
                                y_flat,
                                (image * rows + i) * columns * n_out + j,
                                n_out,
                                n_columns,
                                k == 0 and m == 0,
                            )


@shared_jit
def _convolution_to_one_channel(x: Array, W: Array, b: Array, stride_h: int, stride_w: int, y: Array) -> None:
    """One output channel cannot fill a vector, so vectors run along the window instead."""
    n, height, width, n_in = x.shape
    rows, columns = y.shape[1:3]
    kh, window = W.shape[0], W.shape[1] * n_in
    x_flat, W_flat, y_flat = x.reshape(-1), W.reshape(-1), y.reshape(-1)
    for image in range(n):
        for i in range(rows):
            place = (image * rows + i) * columns
            seen = (image * height + i * stride_h) * width * n_in
            for j in range(0, columns, DOTS):
                dot(
                    min(DOTS, columns - j),
                    kh,
                    window,
                    x_flat,
                    seen + j * stride_w * n_in,
                    stride_w * n_in,
                    width * n_in,
                    W_flat,
                    b,
                    y_flat,
                    place + j,
                    ONE,
                )


@jit
def convolution_weight_gradient(x: Array, dy: Array, stride_h: int, stride_w: int, dW: Array) -> None:
    """As reference.convolution_weight_gradient."""
    dW[...] = 0
    add_weight_gradient(x, dy, stride_h, stride_w, dW)


@shared_jit
def add_weight_gradient(x: Array, dy: Array, stride_h: int, stride_w: int, dW: Array) -> None:
    """dW += the gradient of these images: A is read transposed, with positions as its columns, and B is dy."""
    n, height, width, n_in = x.shape
    rows, columns, n_out = dy.shape[1:]
    kh, window = dW.shape[0], dW.shape[1] * n_in
    lanes = LINE // dW.itemsize
    if n_out == 1:
        _one_channel_weight_gradient(x, dy, stride_h, stride_w, dW)
        return
    x_flat, dy_flat, dW_flat = x.reshape(-1), dy.reshape(-1), dW.reshape(-1)
    panel = new_panel(dW)
    # one product covers as many whole rows of an image as the panel can hold, or a part of one
    image_rows, steps = max(1, DEPTH // columns), min(DEPTH, columns)
    for image in range(n):
        for i in range(0, rows, image_rows):
            segments = min(image_rows, rows - i)
            for m in range(0, columns, steps):
                depth = min(steps, columns - m)
                for j in range(0, n_out, lanes):
                    n_columns = min(lanes, n_out - j)
                    place = ((image * rows + i) * columns + m) * n_out + j
                    copy_rows(dy_flat, place, n_out, segments * depth, n_columns, panel, ZERO)
                    for k in range(kh):
                        multiply(
                            window,
                            segments,
                            depth,
                            x_flat,
                            ((image * height + i * stride_h + k) * width + m * stride_w) * n_in,
                            ONE,
                            stride_h * width * n_in,
                            stride_w * n_in,
                            panel,
                            dW_flat,
                            k * window * n_out + j,
                            n_out,
                            n_columns,
                            NO,
                        )


@shared_jit
def _one_channel_weight_gradient(x: Array, dy: Array, stride_h: int, stride_w: int, dW: Array) -> None:
    """One output channel cannot fill a vector, so vectors run along the window. Four positions at a time."""
    n, height, width, n_in = x.shape
    rows, columns = dy.shape[1:3]
    kh, window = dW.shape[0], dW.shape[1] * n_in
    x_flat, dy_flat, dW_flat = x.reshape(-1), dy.reshape(-1), dW.reshape(-1)
    step = stride_w * n_in
    whole = columns // 4 * 4
    for image in range(n):
        for i in range(rows):
            slopes = dy_flat[(image * rows + i) * columns :][:columns]
            for k in range(kh):
                seen = x_flat[(image * height + i * stride_h + k) * width * n_in :][: width * n_in]
                total = dW_flat[k * window :][:window]
                for j in range(0, whole, 4):
                    x0, x1 = seen[j * step :][:window], seen[(j + 1) * step :][:window]
                    x2, x3 = seen[(j + 2) * step :][:window], seen[(j + 3) * step :][:window]
                    d0, d1, d2, d3 = slopes[j], slopes[j + 1], slopes[j + 2], slopes[j + 3]
                    for t in range(window):
                        total[t] += (d0 * x0[t] + d1 * x1[t]) + (d2 * x2[t] + d3 * x3[t])
                for j in range(whole, columns):
                    x0 = seen[j * step :][:window]
                    for t in range(window):
                        total[t] += slopes[j] * x0[t]


@shared_jit
def transposed_convolution(
    x: Array, W: Array, b: Array, stride_h: int, stride_w: int, top: int, left: int, y: Array
) -> None:
    """As reference.transposed_convolution, computed as convolutions of the padded x with W reversed.

    Cells of y that are a multiple of the stride apart have the same weights. So each of the stride_h · stride_w phases
    of y is a convolution of stride 1 with every stride-th row and column of W. For it a band of rows of x is copied and
    padded with zeros, about 24 KiB at a time, of wide images some columns of it. Positions include the ``top`` rows and
    ``left`` columns that y lacks, and those outside y are skipped.
    """
    (n, n_in), (height, width) = (len(x), x.shape[3]), y.shape[1:3]
    kh, kw = W.shape[:2]
    most_h, most_w = -(-kh // stride_h), -(-kw // stride_w)  # rows and columns of W in the first phase, the largest
    first_row, last_row = top // stride_h, -(-(top + height) // stride_h)
    first_column, last_column = left // stride_w, -(-(left + width) // stride_w)
    cell = n_in * y.itemsize
    band_columns = _even_part(last_column - first_column, MOST // (most_h * cell) - (most_w - 1))
    line = (band_columns + most_w - 1) * n_in
    band_rows = _even_part(last_row - first_row, BAND // (line * y.itemsize) - (most_h - 1))
    band = np.empty((band_rows + most_h - 1) * line, y.dtype)
    taps = np.empty(most_h * most_w * n_in if y.shape[3] == 1 else 0, y.dtype)
    panel = new_panel(y)
    for image in range(n):
        for band_row in range(first_row, last_row, band_rows):
            for band_column in range(first_column, last_column, band_columns):
                _copy_band(x, image, band_row - (most_h - 1), band_column - (most_w - 1), line, band)
                for phase_h in range(stride_h):
                    for phase_w in range(stride_w):
                        # the rows and columns of this phase that lie in the band and in y
                        start_h, start_w = -((phase_h - top) // stride_h), -((phase_w - left) // stride_w)
                        stop_h = -((phase_h - top - height) // stride_h)
                        stop_w = -((phase_w - left - width) // stride_w)
                        start_h, stop_h = max(start_h, band_row), min(stop_h, band_row + band_rows)
                        start_w, stop_w = max(start_w, band_column), min(stop_w, band_column + band_columns)
                        if start_h < stop_h and start_w < stop_w:
                            _transposed_phase(
                                band[(start_h - band_row) * line :],
                                line,
                                stop_h - start_h,
                                start_w - band_column,
                                stop_w - start_w,
                                W,
                                b,
                                (phase_h, phase_w),
                                (stride_h, stride_w),
                                (image, start_h * stride_h + phase_h - top, start_w * stride_w + phase_w - left),
                                panel,
                                taps,
                                y,
                            )


@jit
def _even_part(size: int, most: int) -> int:
    """The size of a part, at most ``most`` but at least 1, where ``size`` is divided into parts of similar size."""
    return -(-size // -(-size // max(1, most)))


@jit
def _copy_band(x: Array, image: int, first_row: int, first_column: int, line: int, band: Array) -> None:
    """Copy rows of an image, from a row and a column on that may lie before it; what lies outside is zero."""
    rows, columns, n_in = x.shape[1:]
    source = x.reshape(-1)
    start = max(first_column, 0)
    before = (start - first_column) * n_in
    length = max(0, min(line - before, (columns - start) * n_in))
    for r in range(band.size // line):
        i, at = first_row + r, r * line
        if 0 <= i < rows and length > 0:
            band[at : at + before] = 0
            copy(source, ((image * rows + i) * columns + start) * n_in, band, at + before, length)
            band[at + before + length : at + line] = 0
        else:
            band[at : at + line] = 0


@shared_jit
def _transposed_phase(
    band: Array,
    line: int,
    n_rows: int,
    start_w: int,
    n_columns: int,
    W: Array,
    b: Array,
    phase: tuple[int, int],
    stride: tuple[int, int],
    corner: tuple[int, int, int],
    panel: Array,
    taps: Array,
    y: Array,
) -> None:
    """Compute ``n_rows`` × ``n_columns`` cells of y, a stride apart, from ``corner`` (image, row, column) on."""
    height, width, n_out = y.shape[1:]
    kh, kw, n_in = W.shape[:3]
    (phase_h, phase_w), (stride_h, stride_w) = phase, stride
    met_h, met_w = -(-max(kh - phase_h, 0) // stride_h), -(-max(kw - phase_w, 0) // stride_w)
    # where the windows start in the band
    skip = (-(-kh // stride_h) - met_h) * line + (-(-kw // stride_w) - met_w + start_w) * n_in
    window = met_w * n_in
    weights, target = W.reshape(-1), y.reshape(-1)
    place = ((corner[0] * height + corner[1]) * width + corner[2]) * n_out
    if n_out == 1:  # one channel cannot fill a vector, so vectors run along the window instead
        for k in range(met_h):
            for u in range(met_w):
                tap = (phase_h + (met_h - 1 - k) * stride_h) * kw + phase_w + (met_w - 1 - u) * stride_w
                copy(weights, tap * n_in, taps, (k * met_w + u) * n_in, n_in)
        for i in range(n_rows):
            for j in range(0, n_columns, DOTS):
                dot(
                    min(DOTS, n_columns - j),
                    met_h,
                    window,
                    band,
                    i * line + skip + j * n_in,
                    n_in,
                    line,
                    taps,
                    b,
                    target,
                    place + i * stride_h * width + j * stride_w,
                    stride_w,
                )
        return
    lanes = LINE // y.itemsize
    kernel_rows, steps = max(1, DEPTH // max(window, 1)), min(DEPTH, max(window, 1))
    for j in range(0, n_out, lanes):
        n_channels = min(lanes, n_out - j)
        start_from(b, j, n_channels, panel)
        for k in range(0, max(met_h, 1), kernel_rows):
            segments = min(kernel_rows, met_h - k)
            for m in range(0, max(window, 1), steps):
                depth = min(steps, window - m)
                for s in range(segments):
                    weight_row = (phase_h + (met_h - 1 - k - s) * stride_h) * kw
                    for u in range(m // n_in, -(-(m + depth) // n_in)):
                        first, last = max(m, u * n_in), min(m + depth, (u + 1) * n_in)
                        tap = weight_row + phase_w + (met_w - 1 - u) * stride_w
                        row = (tap * n_in + first - u * n_in) * n_out + j
                        copy_rows(weights, row, n_out, last - first, n_channels, panel, s * depth + first - m)
                for i in range(n_rows):
                    multiply(
                        n_columns,
                        segments,
                        depth,
                        band,
                        (i + k) * line + skip + m,
                        n_in,
                        line,
                        ONE,
                        panel,
                        target,
                        place + i * stride_h * width * n_out + j,
                        stride_w * n_out,
                        n_channels,
                        k == 0 and m == 0,
                    )
