"""Two functions of single numbers: slopes in a row, and slopes of two paths."""

import numpy as np


def draw(rng):
    """x, w, b and a: numbers of either sign, none of them near 0 or 1; nor is u = w·x + b, whose slope is 2u."""
    while True:
        x, w, b, a = rng.uniform(0.3, 0.9, 4) * rng.choice([-1.0, 1.0], 4) * rng.choice([1.0, 2.5], 4)
        if abs(w * x + b) > 0.2:
            return {"x": np.array(x), "w": np.array(w), "b": np.array(b), "a": np.array(a)}


def square_of_line(x, w, b):
    return (w * x + b) ** 2


def two_paths(x, a):
    return x * np.sin(a * x)


def chain(g, x, w, b):
    du = g * 2 * (w * x + b)
    return du * w, du * x, du


def paths(g, x, a):
    du = g * x * np.cos(a * x)  # u = a·x, inside the sine
    return g * np.sin(a * x) + du * a, du * x
