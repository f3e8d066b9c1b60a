"""Weight initializers: uniform distributions whose width keeps the variance of activations or gradients.

Each function returns the bound *a* of U(−a, a), whose variance is a² / 3, from fan_in and fan_out: the numbers of
inputs and outputs that one unit is connected to. A layer's ``gain`` is a factor of it.
"""

import math
from collections.abc import Callable
from typing import Any

from npae.utils.scalars import real_number

Bound = Callable[[int, int], float]


def glorot_uniform(fan_in: int, fan_out: int) -> float:
    """√(6 / (fan_in + fan_out)): keeps the variance of signals and gradients (Glorot & Bengio 2010, eq. 16)."""
    return math.sqrt(6.0 / (fan_in + fan_out))


def he_uniform(fan_in: int, fan_out: int) -> float:
    """√(6 / fan_in): twice the variance, because ReLU sets half of the values to zero (He et al. 2015, eq. 10)."""
    return math.sqrt(6.0 / fan_in)


def lecun_uniform(fan_in: int, fan_out: int) -> float:
    """√(3 / fan_in): unit variance for linear units (LeCun et al. 1998, eq. 16)."""
    return math.sqrt(3.0 / fan_in)


def zeros(fan_in: int, fan_out: int) -> float:
    """0: biases start at zero."""
    return 0.0


INITIALIZERS: dict[str, Bound] = {f.__name__: f for f in (glorot_uniform, he_uniform, lecun_uniform, zeros)}


def checked_gain(gain: float) -> float:
    """The factor of a layer's bound, if it is a number from 0 to 1000."""
    return real_number(gain, "gain", least=0, most=1000)


def without_unit_gain(config: dict[str, Any]) -> dict[str, Any]:
    """A layer's description without a gain of 1: so it is that of a layer from before there were gains.

    Model files, checkpoints and fingerprints hold descriptions, and are compared with one another.
    """
    return {name: value for name, value in config.items() if name != "gain" or value != 1}
