"""How a written gradient is compared with a measured one, and where there is nothing to measure."""

import numpy as np


def draw(rng):
    """A and B (blocks, n), with sizes over many powers of ten and one row of zeros; x (n,), some of it at the kink c.

    In some rows A is the larger one, in others B; no x is so near to c that a step crosses it.
    """
    blocks, n, m = rng.choice(np.arange(4, 10), 3, replace=False)
    sizes = 10.0 ** rng.permutation(np.linspace(-6, 3, blocks))[:, None]
    A = sizes * rng.standard_normal((blocks, n))
    A[:, 0] *= 0.01  # an entry that is small beside the others of its row
    B = A + sizes * rng.uniform(0.01, 0.3, (blocks, n)) * rng.choice([-1.0, 1.0], (blocks, n))
    larger = rng.permutation(blocks)
    A[larger[0]] *= 1.5
    B[larger[1]] *= 1.5
    A[larger[2]] = B[larger[2]] = 0.0
    c = float(rng.uniform(0.5, 1.0))
    x = c + rng.uniform(0.3, 2.0, m) * rng.choice([-1.0, 1.0], m)
    kinks = rng.permutation(m)
    x[kinks[:2]] = c
    x[kinks[2]] = 0.0  # where |x| has its kink, and f has none
    return {"A": A, "B": B, "x": x, "c": c, "h": float(rng.uniform(0.01, 0.1))}


def f(x, c):
    return np.abs(x - c) + x**2


def relative_error(A, B):
    largest = np.maximum(np.abs(A).max(axis=1), np.abs(B).max(axis=1))
    return np.abs(A - B).max(axis=1) / np.where(largest > 0, largest, 1.0)


def sides(x, c, h):
    return (f(x, c) - f(x - h, c)) / h, (f(x + h, c) - f(x, c)) / h


def is_kink(x, c, h):
    (left, right), (near_left, near_right) = sides(x, c, h), sides(x, c, h / 2)
    return near_right - near_left > 0.75 * (right - left)
