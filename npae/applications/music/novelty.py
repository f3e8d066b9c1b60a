"""Whether new bars are copies: how far each is from the most similar bar of the data."""

import numpy as np

from npae.utils.types import Array

PIECE = 512  # bars at once


def distance_to_nearest(bars: Array, data: Array) -> Array:
    """For each bar, in how many cells what sounds differs from the most similar bar of the data.

    Parameters
    ----------
    bars : ndarray of shape (n, steps, pitches, 2)
        Zeros and ones.
    data : ndarray of shape (m, steps, pitches, 2)

    Returns
    -------
    ndarray of int64, shape (n,)
        0 for a copy. What begins is not compared.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.music import distance_to_nearest
    >>> data = np.zeros((2, 4, 3, 2))
    >>> data[1, :, 0, 0] = 1
    >>> bar = data[1:].copy()
    >>> bar[0, 3, 0, 0] = 0
    >>> distance_to_nearest(bar, data)
    array([1])
    """
    known = _cells(data)  # (m, cells)
    sizes = known.sum(axis=1)
    nearest = [np.zeros(0, np.int64)]
    for first in range(0, len(bars), PIECE):
        part = _cells(bars[first : first + PIECE])
        # |a − b|² of zeros and ones is |a| + |b| − 2 a·b
        distances = part.sum(axis=1)[:, None] + sizes - 2 * (part @ known.T)
        nearest.append(np.rint(distances.min(axis=1)).astype(np.int64))
    return np.concatenate(nearest)


def _cells(bars: Array) -> Array:
    cells: Array = (bars[..., 0] > 0.5).reshape(len(bars), -1).astype(np.float32)
    return cells
