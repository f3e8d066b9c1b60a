"""Bounds of distances: computed in float32, with the error that rounding may make, so that few need float64."""

from dataclasses import dataclass

import numpy as np

from npae.utils.types import Array

SAMPLE = 4096  # codes that set the first limit of a search
SMALLEST_SQUARE, LARGEST_SQUARE = 1e-30, 1e37  # of a norm that is compared in float32, which ends at 3e38
FAR = 4.0  # times the spread of codes that the square of their middle may be


def middle_of(some: Array) -> Array | None:
    """What is subtracted from codes that lie far from zero for their spread, which rounding would else confuse.

    Parameters
    ----------
    some : ndarray of shape (m, size)
        Some of the codes.

    Returns
    -------
    ndarray of shape (size,), or None
        Their mean; None where nothing needs to be subtracted.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.distance_bounds import middle_of
    >>> middle_of(np.array([[1e6], [1e6 + 1]])).tolist(), middle_of(np.array([[-1.0], [1.0]]))
    ([1000000.5], None)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        middle = some.mean(axis=0)
        return middle if np.square(middle).sum() > FAR * np.square(some - middle).sum(axis=1).mean() else None


@dataclass(frozen=True)
class Bounds:
    """Bounds of ‖a_i − b_j‖²: at least ``lowest + shift − error``, at most ``lowest + spread + shift + error``.

    Attributes
    ----------
    lowest : ndarray of float32, shape (m, n)
        −∞ where float32 does not tell.
    spread : ndarray of float32, shape (n,)
    shift, error : ndarray of float64, shape (m,)
        Finite.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.distance_bounds import bounds_of
    >>> bounds = bounds_of(np.zeros((1, 2)), np.array([[3, 4]], "float32"), "euclidean", None)
    >>> bool(bounds.lowest[0, 0] + bounds.shift[0] - bounds.error[0] <= 25)
    True
    """

    lowest: Array
    spread: Array
    shift: Array
    error: Array


def bounds_of(a: Array, b: Array, metric: str, middle: Array | None) -> Bounds:
    """Bounds of the squared distances of all pairs, computed in float32.

    Parameters
    ----------
    a : ndarray of shape (m, size)
        Of the metric cosine of unit length.
    b : ndarray of float32, shape (n, size)
        As they are; of the metric cosine the distance is that of b_j / ‖b_j‖.
    metric : {"euclidean", "cosine"}
    middle : ndarray of shape (size,), optional
        Subtracted from both, of the metric euclidean.

    Returns
    -------
    Bounds

    Notes
    -----
    ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b. In float32 its error is at most c (‖a‖² + ‖b‖²) with c = (size + 16) ε: a dot
    product of rounded vectors is off by less than (size + 2) ε/2 ‖a‖ ‖b‖ (Higham 2002, §3.1). For unit vectors it is
    2 − 2 a·b / ‖b‖, where the division adds an error of the same kind.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.distance_bounds import bounds_of
    >>> bounds_of(np.zeros((1, 2)), np.array([[3, 4]], "float32"), "euclidean", None).lowest.shape
    (1, 1)
    """
    share, least = ((b.shape[1] + 16) * float(x) for x in (np.finfo(np.float32).eps, np.finfo(np.float32).tiny))
    with np.errstate(all="ignore"):
        if middle is not None:
            a, b = a - middle, b - middle
        left = (-2 * a).astype(np.float32)
        a_squares = np.einsum("ij,ij->i", left, left).astype(np.float64) / 4
        b_squares = np.einsum("ij,ij->i", b, b)
        lowest = left @ b.T  # (m, n)
        if metric == "cosine":
            lowest *= 1 / np.sqrt(b_squares)
            spread, shift, error = np.zeros_like(b_squares), a_squares + 1, np.full(len(a), 4 * share)
        else:
            b_error = np.float32(share) * b_squares + np.float32(least)
            lowest += b_squares - b_error
            spread, shift, error = 2 * b_error, a_squares, share * a_squares + least
        is_told = (b_squares < LARGEST_SQUARE) & (a_squares.max() < LARGEST_SQUARE)
        if metric == "cosine":
            is_told &= b_squares > SMALLEST_SQUARE
    if not is_told.all():
        lowest[:, ~is_told], spread[~is_told] = -np.inf, np.inf
        is_beyond = np.isinf(a_squares)  # of float32; a limit minus such a shift would be NaN
        shift[is_beyond], error[is_beyond] = 0, 0
    return Bounds(lowest, spread, shift, error)


def candidates(bounds: Bounds, k: int, limit: Array | None) -> tuple[Array, Array]:
    """Rows i and columns j of all pairs whose distance may be among the k smallest of row i.

    Parameters
    ----------
    bounds : Bounds
        Of (m, n) pairs.
    k : int
    limit : ndarray of shape (m,), or None
        A squared distance within which k others are known already; without it at least k pairs of each row are given,
        or all.

    Returns
    -------
    rows, columns : ndarray of int64, shape (pairs,)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.distance_bounds import bounds_of, candidates
    >>> bounds = bounds_of(np.zeros((1, 1)), np.array([[3], [1], [2]], "float32"), "euclidean", None)
    >>> rows, columns = candidates(bounds, 1, None)
    >>> columns.tolist()
    [1]
    """
    lowest, n = bounds.lowest, bounds.lowest.shape[1]
    if limit is not None:
        limit = limit - bounds.shift + bounds.error
    elif n > k:  # the k-th smallest of some is at least that of all
        some = slice(max(k, SAMPLE))
        with np.errstate(invalid="ignore"):
            highest = lowest[:, some] + bounds.spread[some]
        highest[np.isnan(highest)] = np.inf
        limit = np.partition(highest, k - 1, axis=1)[:, k - 1] + 2 * bounds.error
    else:
        limit = np.full(len(lowest), np.inf)
    with np.errstate(over="ignore"):  # beyond float32 it is ∞, within which all are
        limit = np.nextafter(limit.astype(np.float32), np.float32(np.inf))
    return np.divmod(np.flatnonzero(lowest <= limit[:, None]), n)
