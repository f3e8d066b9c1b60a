"""Hypothesis strategies that draw inputs of gradient checks; they need Hypothesis (pip install hypothesis)."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from npae.utils.types import Array

#: Least distance from a kink, in units of a step of the checker: several, since an input may be scaled before it.
CLEAR = 1e-3


def arrays(
    shape: "int | tuple[int, ...] | st.SearchStrategy[Any]",
    *,
    least: float = -3.0,
    most: float = 3.0,
    kinks: tuple[float, ...] = (0.0,),
    ties: bool = False,
) -> "st.SearchStrategy[Array]":
    """Arrays of float64 at which a gradient can be checked.

    Parameters
    ----------
    shape : int, tuple of int, or a strategy of such
    least, most : float, default -3 and 3
        Bounds of the numbers.
    kinks : tuple of float, default (0,)
        Values from which every number keeps a distance of 1e-3, such as 0 of a ReLU; () for none.
    ties : bool, default False
        Whether to repeat numbers, so that maxima have ties; otherwise all differ by at least 1e-3.

    Returns
    -------
    strategy of ndarray

    Examples
    --------
    >>> from hypothesis import given
    >>> from npae.gradcheck import assert_gradient
    >>> @given(arrays((3, 4)))
    ... def test_relu(x):
    ...     assert_gradient(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0), [x])
    >>> test_relu()
    """
    shapes_ = shape if isinstance(shape, st.SearchStrategy) else st.just(shape)
    return shapes_.flatmap(
        lambda s: st.integers(0, 2**32 - 1).map(lambda seed: _array(s, seed, least, most, kinks, ties))
    )


def shapes(dims: int, *, least: int = 1, most: int = 5, differ: bool = True) -> "st.SearchStrategy[tuple[int, ...]]":
    """Shapes of ``dims`` axes, of lengths from ``least`` to ``most``; all different unless ``differ`` is False.

    Equal lengths hide a missing transpose.
    """
    lengths = st.lists(st.integers(least, most), min_size=dims, max_size=dims, unique=differ)
    return lengths.map(tuple)


def _array(shape: Any, seed: int, least: float, most: float, kinks: tuple[float, ...], ties: bool) -> Array:
    """An array for one seed: numbers on a grid of ``CLEAR`` that are far from kinks."""
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    grid = np.arange(np.ceil(least / CLEAR), np.floor(most / CLEAR)) * CLEAR
    for kink in kinks:
        grid = grid[np.abs(grid - kink) > CLEAR]
    if len(grid) < (1 if ties else n):
        raise ValueError(
            f"between {least} and {most} there are {len(grid)} numbers that differ by {CLEAR}, but the shape needs "
            f"{n}; give wider bounds or a smaller shape"
        )
    if ties:
        few: Array = rng.choice(grid, max(1, n // 2))
        chosen = rng.choice(few, n)
    else:
        chosen = rng.choice(grid, n, replace=False)
    result: Array = chosen.reshape(shape)
    return result
