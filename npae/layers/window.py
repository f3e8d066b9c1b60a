"""Geometry of sliding windows: padding, stride and number of positions (Dumoulin & Visin 2016, §2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.utils.scalars import whole_number
from npae.utils.types import Shape


def pair(value: Any, name: str) -> tuple[int, int]:
    """A pair of ints from one int (used for both axes) or from two; ValueError for anything else, or below 1."""
    try:
        height, width = value if _is_sequence(value) else (value, value)
        result = whole_number(height, name), whole_number(width, name)
    except ValueError:
        result = (0, 0)
    if not 1 <= min(result) <= max(result) < 2**31:
        raise ValueError(f"{name} is {value!r}; expected a positive integer or a pair of them (height, width)")
    return result


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and np.ndim(value) > 0


def image_shape(layer: Any, input_shape: Shape) -> tuple[int, int, int]:
    """The input shape as (height, width, channels); raises ValueError for samples without three axes."""
    if len(input_shape) != 3:
        raise ValueError(
            f"{type(layer).__name__} expects images (height, width, channels), but is given samples of shape "
            f"{input_shape}; reshape the data or put Reshape((height, width, channels)) before it"
        )
    height, width, channels = input_shape
    return height, width, channels


@dataclass(frozen=True)
class Axis:
    """One axis of a sliding window: n_in values, padded by ``before`` and ``after``, give n_out positions."""

    n_in: int
    window: int
    stride: int
    before: int
    after: int

    @property
    def n_out(self) -> int:
        """⌊(padded − window) / stride⌋ + 1 positions; cells after the last whole window are not used."""
        return (self.n_padded - self.window) // self.stride + 1

    @property
    def n_padded(self) -> int:
        return self.n_in + self.before + self.after

    @property
    def inside(self) -> slice:
        """The range of the n_in values within the padded axis."""
        return slice(self.before, self.before + self.n_in)


def axes(
    layer: Any, shape: tuple[int, int], window: tuple[int, int], stride: tuple[int, int], padding: Any
) -> tuple[Axis, Axis]:
    """Both axes of a window over an image of ``shape`` (height, width).

    ``padding`` is "valid" (none), "same" (⌈n / stride⌉ positions; of an odd number of cells the last goes to the end,
    as in TensorFlow), an integer, a pair (height, width), or two pairs ((top, bottom), (left, right)). Raises
    ValueError for other values, and if the window is larger than the padded image.
    """
    result = []
    for axis in range(2):
        n, k, s = shape[axis], window[axis], stride[axis]
        if padding == "valid":
            before = after = 0
        elif padding == "same":
            total = max((-(-n // s) - 1) * s + k - n, 0)
            before, after = total // 2, total - total // 2
        else:
            before, after = _explicit(padding)[axis]
        if n + before + after < k:
            raise ValueError(
                f"{type(layer).__name__} has a window of {window[0]}×{window[1]} on an image of {shape[0]}×{shape[1]} "
                f'with padding {padding!r}; choose a smaller window or padding="same"'
            )
        result.append(Axis(n, k, s, before, after))
    return result[0], result[1]


def checked_padding(padding: Any) -> Any:
    """``padding`` as it was given, in Python's own numbers."""
    _explicit(padding)
    return padding if isinstance(padding, str) else _plain(padding)


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if _is_sequence(value) else int(value)


def _explicit(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)); of "same" and "valid", which depend on the image, zeros."""
    if isinstance(padding, str) and padding in ("same", "valid"):
        return (0, 0), (0, 0)
    try:
        height, width = padding if _is_sequence(padding) else (padding, padding)
        return _cells(height), _cells(width)
    except ValueError:
        raise ValueError(
            f'padding is {padding!r}; expected "same", "valid", a number of cells, a pair (height, width), '
            f"or ((top, bottom), (left, right))"
        ) from None


def _cells(value: Any) -> tuple[int, int]:
    """Before and after the image, along one axis."""
    before, after = value if _is_sequence(value) else (value, value)
    return whole_number(before, "padding", least=0), whole_number(after, "padding", least=0)
