"""Windows of convolution and pooling: their positions, and the strides and paddings that explain an output's size."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from npae.utils.types import Array, Shape

Span = tuple[int, int, int]  # (index of the window, start, stop), in cells; may extend beyond the image


def spans(n_out: int, window: int, stride: int, before: int) -> Iterator[Span]:
    """The windows along one axis."""
    for i in range(n_out):
        start = i * stride - before
        yield i, start, start + window


def inside(start: int, stop: int, n: int) -> slice:
    """The part of a window that lies in the image."""
    return slice(max(start, 0), max(min(stop, n), 0))


def axis_options(n_in: int, n_out: int, window: int) -> list[tuple[int, int, int]]:
    """(stride, before, after) that give n_out windows; even and small paddings first."""
    found = []
    for stride, before, after in product(range(1, window + 2), range(window), range(window)):
        if n_in + before + after >= window and (n_in + before + after - window) // stride + 1 == n_out:
            found.append((stride, before, after))
    return sorted(found, key=lambda o: (abs(o[2] - o[1]), o[1] + o[2], o[0]))


def window_options(image: Shape, out: Shape, window: tuple[int, int]) -> Iterator[dict[str, Any]]:
    """Strides and paddings of both axes that lead from an image (H, W) to an output (OH, OW)."""
    rows = axis_options(image[0], out[0], window[0])
    columns = axis_options(image[1], out[1], window[1])
    for (sh, top, bottom), (sw, left, right) in product(rows, columns):
        yield {"stride": (sh, sw), "padding": ((top, bottom), (left, right))}


def padded_shape(x: Array, padding: Any) -> Shape:
    """The shape of the padded image: (N, H + top + bottom, W + left + right, C)."""
    (top, bottom), (left, right) = padding
    n, height, width, channels = x.shape
    return n, height + top + bottom, width + left + right, channels
