"""Initial weights: uniform noise whose scale keeps the size of signals through the layers.

Each function returns the bound *a* of U(−a, a), from the number of inputs and outputs that one unit is connected to.
"""

import math
from collections.abc import Callable

Bound = Callable[[int, int], float]


def glorot_uniform(fan_in: int, fan_out: int) -> float:
    """√(6 / (fan_in + fan_out)): keeps the variance of signals and gradients (Glorot & Bengio 2010, eq. 16)."""
    return math.sqrt(6.0 / (fan_in + fan_out))


def he_uniform(fan_in: int, fan_out: int) -> float:
    """√(6 / fan_in): makes up for the half that ReLU sets to zero (He et al. 2015, eq. 10)."""
    return math.sqrt(6.0 / fan_in)


def lecun_uniform(fan_in: int, fan_out: int) -> float:
    """√(3 / fan_in): unit variance for linear units (LeCun et al. 1998, eq. 16)."""
    return math.sqrt(3.0 / fan_in)


def zeros(fan_in: int, fan_out: int) -> float:
    """0: biases start at zero."""
    return 0.0


INITIALIZERS: dict[str, Bound] = {f.__name__: f for f in (glorot_uniform, he_uniform, lecun_uniform, zeros)}
