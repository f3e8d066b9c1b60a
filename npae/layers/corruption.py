"""Corruption: noise on the input in training, so that a network cannot memorise its inputs.

Noise is redrawn at every training step and absent otherwise. It is a function of (seed, layer, step), so a pass that
is repeated at the same step sees the same noise: a gradient check needs nothing more.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import real_number
from npae.utils.types import Array, Shape


class Noise(Layer):
    """What all noises share: y = keep · x + something that does not depend on x, so dx = keep · dy.

    Parameters
    ----------
    level : float
        How much noise: a standard deviation or a fraction, as each class says.
    """

    maximum_level = 1.0
    key: Array  # (6,), what they are drawn from at this step
    drawn: Array  # (N, ...), this step's random numbers
    keep: Array  # (N, ...), ∂y/∂x
    y: Array  # (N, ...)
    dx: Array  # (N, ...)

    def __init__(self, level: float) -> None:
        self.level = real_number(level, f"the level of {type(self).__name__}", least=0, most=self.maximum_level)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        for attribute in ("drawn", "keep", "y", "dx"):
            arena.buffer(self, attribute, input_shape)
        arena.workspace(self, "key", (6,), dtype="uint32")
        return input_shape

    def forward(self, x: Array) -> Array:
        if not self.run.training:
            return x
        self.draw()
        self.corrupt(x)
        return self.y

    def draw(self) -> None:
        self.run.set_key(self.key, self.name)

    def corrupt(self, x: Array) -> None:
        """Write ``y`` and ``keep``."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        if not self.run.training:
            return dy
        self.kernels.multiply(dy, self.keep, self.dx)
        return self.dx


class Dropout(Noise):
    """Set a fraction ``level`` of the values to zero and scale the rest by 1 / (1 − level).

    The scale keeps the expected value, so nothing changes where there is no training (Srivastava et al. 2014).
    """

    def __init__(self, level: float = 0.5) -> None:
        super().__init__(level)
        if self.level == 1:
            raise ValueError("Dropout has level 1, which drops everything; choose a fraction below 1")

    def corrupt(self, x: Array) -> None:
        self.kernels.uniform(self.key, self.drawn.reshape(-1))
        self.kernels.masking_noise(x, self.drawn, self.level, 1 / (1 - self.level), self.y, self.keep)


class GaussianNoise(Noise):
    """y = x + level · ε with ε ~ N(0, 1), optionally clipped (Vincent et al. 2010, §4.1).

    Parameters
    ----------
    level : float, default 0.5
        Standard deviation of the noise, in units of x; at least 0.
    clip : pair of float, optional
        Range to which y is clipped, such as (0, 1) for images; a clipped value passes no gradient.
    """

    maximum_level = np.inf

    def __init__(self, level: float = 0.5, *, clip: tuple[float, float] | None = None) -> None:
        super().__init__(level)
        self.clip = None if clip is None else _range(clip)

    def corrupt(self, x: Array) -> None:
        self.kernels.standard_normal(self.key, self.drawn.reshape(-1))
        low, high = self.clip or (-np.inf, np.inf)
        self.kernels.gaussian_noise(x, self.drawn, self.level, low, high, self.y, self.keep)


class MaskingNoise(Noise):
    """Set a fraction ``level`` of the values to zero; the rest stays as it is (Vincent et al. 2008).

    Unlike Dropout it does not scale what is left: the network sees a damaged picture, not a thinned-out layer.
    """

    def __init__(self, level: float = 0.3) -> None:
        super().__init__(level)

    def corrupt(self, x: Array) -> None:
        self.kernels.uniform(self.key, self.drawn.reshape(-1))
        self.kernels.masking_noise(x, self.drawn, self.level, 1.0, self.y, self.keep)


class SaltAndPepperNoise(Noise):
    """Set a fraction ``level`` of the values to 0 or 1, each as likely (Vincent et al. 2010, §4.1)."""

    def __init__(self, level: float = 0.3) -> None:
        super().__init__(level)

    def corrupt(self, x: Array) -> None:
        self.kernels.uniform(self.key, self.drawn.reshape(-1))
        self.kernels.salt_and_pepper_noise(x, self.drawn, self.level, self.y, self.keep)


NOISES: dict[str, type[Noise]] = {
    "gaussian": GaussianNoise,
    "masking": MaskingNoise,
    "salt_and_pepper": SaltAndPepperNoise,
}


def _range(clip: Any) -> tuple[float, float]:
    """The two ends of a range; either may be infinite."""
    expected = f"clip is {clip!r}; expected two numbers, the lower first, or None"
    if isinstance(clip, str) or not isinstance(clip, Sequence | np.ndarray) or len(clip) != 2:
        raise ValueError(expected)
    low, high = (float(end) if isinstance(end, float | np.floating) else real_number(end, "clip") for end in clip)
    if not low < high:
        raise ValueError(expected)
    return float(low), float(high)
