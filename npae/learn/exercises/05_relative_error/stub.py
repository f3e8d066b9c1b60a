# npae-exercise: relative_error v2
import numpy as np


def f(x, c):
    """|x − c| + x² − x³, entry by entry. Leave it as it is."""
    return np.abs(x - c) + x**2 - x**3


def relative_error(A, B):
    """max|a − b| / max(max|a|, max|b|) of every row, 0 where all are zeros; A, B (blocks, n). Return (blocks,)."""
    raise NotImplementedError


def sides(x, c, h):
    """The slopes of f(x, c) from x − h to x and from x to x + h; x (n,). Return left, right, both (n,)."""
    raise NotImplementedError


def is_kink(x, c, h):
    """True where |right − left| at h/2 is more than 3/4 of |right − left| at h, else False; x (n,). Return (n,)."""
    raise NotImplementedError
