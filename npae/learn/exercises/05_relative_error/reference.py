"""How a written gradient is compared with a measured one, and where there is nothing to measure."""

import numpy as np


def draw(rng):
    """A and B (blocks, n), with sizes over many powers of ten and one row of zeros; x (n,), some of it at the kink c.

    In some rows A is the larger one, in others B. Some x lie so near to c that a step crosses it: at 0.15 h half
    a step does too, at three tenths or six it does not, or with little left on the other side. The other x keep away
    from 1/3, where f does not bend.
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
    c, h, m = float(rng.uniform(0.6, 1.0)), float(rng.uniform(0.01, 0.04)), m + 4
    x = c + np.where(rng.random(m) < 0.5, rng.uniform(0.15, 2.0, m), -rng.uniform(0.5, 2.0, m))
    x[np.abs(x - 1 / 3) < 0.1] = 1.3
    special = [c, c, 0.0, c - 0.15 * h, c + 0.3 * h, c - 0.6 * h]  # at 0 |x| has its kink, and f has none
    x[rng.permutation(m)[: len(special)]] = special
    return {"A": A, "B": B, "x": x, "c": c, "h": h}


def f(x, c):
    return np.abs(x - c) + x**2 - x**3


def relative_error(A, B):
    largest = np.maximum(np.abs(A).max(axis=1), np.abs(B).max(axis=1))
    return np.abs(A - B).max(axis=1) / np.where(largest > 0, largest, 1.0)


def sides(x, c, h):
    return (f(x, c) - f(x - h, c)) / h, (f(x + h, c) - f(x, c)) / h


def is_kink(x, c, h):
    (left, right), (near_left, near_right) = sides(x, c, h), sides(x, c, h / 2)
    return np.abs(near_right - near_left) > 0.75 * np.abs(right - left)
