"""Noise layers: corruption of the input in training, for denoising autoencoders, and dropout.

Noise is redrawn at every training step and absent outside training. It is a function of (seed, layer, step), so a pass
that is repeated at the same step has the same noise, which makes gradient checks possible.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import number_or_range, real_number
from npae.utils.types import Array, Shape


class Noise(Layer):
    """Base class of noise layers: y = keep · x + r with random keep and r that do not depend on x, so dx = keep · dy.

    Outside training y = x.

    Parameters
    ----------
    level : float or pair of float
        Amount of noise, from 0 to ``maximum_level``: a standard deviation or a fraction, depending on the class. Of a
        pair (low, high), each sample's level is drawn from U(low, high) anew at every step, so that the network learns
        for noise of any strength between them.

    Raises
    ------
    ValueError
        If a level is out of range, or of two the first is greater.
    """

    maximum_level = 1.0
    key: Array  # (6,), uint32: key of the random generator at this step
    level_key: Array  # (6,), uint32: that of the levels
    share: Array  # (N,), random numbers: where in its range each level lies
    levels: Array  # (N,), level of each sample
    drawn: Array  # (N, ...), random numbers of this step
    keep: Array  # (N, ...), ∂y/∂x
    y: Array  # (N, ...)
    dx: Array  # (N, ...)

    def __init__(self, level: float | tuple[float, float]) -> None:
        self.level = number_or_range(level, f"the level of {type(self).__name__}", least=0, most=self.maximum_level)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        for attribute in ("drawn", "keep", "y", "dx"):
            arena.buffer(self, attribute, input_shape)
        for attribute in ("share", "levels"):
            arena.buffer(self, attribute)
        for attribute in ("key", "level_key"):
            arena.workspace(self, attribute, (6,), dtype="uint32")
        return input_shape

    def forward(self, x: Array) -> Array:
        if not self.run.training:
            return x
        self.draw()
        low, high = self.level if isinstance(self.level, tuple) else (self.level, self.level)
        self.kernels.uniform(self.level_key, self.share)
        self.kernels.noise_level(self.share, low, high, self.levels)
        self.corrupt(x)
        return self.y

    def draw(self) -> None:
        self.run.set_key(self.key, self.name)
        self.run.set_key(self.level_key, f"{self.name}.level")

    def draw_next(self) -> None:
        self.kernels.next_step(self.key)
        self.kernels.next_step(self.level_key)

    def corrupt(self, x: Array) -> None:
        """Write ``y`` and ``keep`` for a batch, with noise of ``levels``; ``forward`` calls it in training.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``

        Examples
        --------
        >>> import numpy as np
        >>> from npae.layers import MaskingNoise
        >>> layer = MaskingNoise(1.0).build((3,))
        >>> layer.run.training = True
        >>> y = layer(np.ones((2, 3), dtype="float32"))
        >>> layer.corrupt(np.ones((2, 3), dtype="float32"))
        >>> layer.keep.tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
        """
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        if not self.run.training:
            return dy
        self.kernels.multiply(dy, self.keep, self.dx)
        return self.dx


class Dropout(Noise):
    r"""y = m · x / (1 − level) with m = 0 with probability ``level``, else 1 (Srivastava et al. 2014).

    The scale keeps the expected value, so that y = x outside training. dx = m · dy / (1 − level).

    Parameters
    ----------
    level : float, default 0.5
        Probability that a value is set to zero; at least 0, below 1.

    Raises
    ------
    ValueError
        If the level is not in [0, 1).

    Notes
    -----
    With m = 0 with probability p, the level, else 1

    .. math::

       y = \frac{m \, x}{1 - p}, \quad \frac{\partial L}{\partial x} = \frac{m}{1 - p} \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Dropout
    >>> layer = Dropout(0.5).build((4,))
    >>> layer.run.training = True
    >>> sorted(set(layer(np.ones((100, 4), dtype="float32")).ravel().tolist()))
    [0.0, 2.0]
    """

    level: float

    def __init__(self, level: float = 0.5) -> None:
        super().__init__(real_number(level, "the level of Dropout", least=0, most=1))
        if self.level == 1:
            raise ValueError("Dropout has level 1, which drops everything; choose a fraction below 1")

    def corrupt(self, x: Array) -> None:
        self.kernels.uniform(self.key, self.drawn.reshape(-1))
        self.kernels.masking_noise(x, self.drawn, self.levels, 1 / (1 - self.level), self.y, self.keep)


class GaussianNoise(Noise):
    r"""y = x + level · ε with ε ~ N(0, 1), optionally clipped (Vincent et al. 2010, §4.1); dx = dy where not clipped.

    Parameters
    ----------
    level : float or pair of float, default 0.5
        Standard deviation of the noise, in units of x; at least 0. Of a pair, each sample's is drawn between the two.
    clip : pair of float, optional
        Range to which y is clipped, such as (0, 1) for images; where a value is clipped, dx = 0.

    Notes
    -----
    With the level s

    .. math::

       y = x + s \, \varepsilon, \quad \varepsilon \sim N(0, 1), \quad
       \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import GaussianNoise
    >>> layer = GaussianNoise(0.5, clip=(0, 1)).build((4,))
    >>> layer.run.training = True
    >>> y = layer(np.ones((100, 4), dtype="float32"))
    >>> bool(y.min() >= 0 and y.max() <= 1)
    True
    """

    maximum_level = np.inf

    def __init__(self, level: float | tuple[float, float] = 0.5, *, clip: tuple[float, float] | None = None) -> None:
        super().__init__(level)
        self.clip = None if clip is None else _range(clip)

    def corrupt(self, x: Array) -> None:
        self.kernels.standard_normal(self.key, self.drawn.reshape(-1))
        low, high = self.clip or (-np.inf, np.inf)
        self.kernels.gaussian_noise(x, self.drawn, self.levels, low, high, self.y, self.keep)


class MaskingNoise(Noise):
    r"""y = m · x with m = 0 with probability ``level``, else 1 (Vincent et al. 2008); dx = m · dy.

    Unlike Dropout it does not scale the remaining values: they stay those of the data.

    Parameters
    ----------
    level : float or pair of float, default 0.3
        Probability that a value is set to zero, from 0 to 1. Of a pair, each sample's is drawn between the two.

    Notes
    -----
    With m = 0 with probability ``level``, else 1

    .. math::

       y = m \, x, \quad \frac{\partial L}{\partial x} = m \, \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import MaskingNoise
    >>> layer = MaskingNoise(0.5).build((4,))
    >>> layer.run.training = True
    >>> sorted(set(layer(np.ones((100, 4), dtype="float32")).ravel().tolist()))
    [0.0, 1.0]
    """

    def __init__(self, level: float | tuple[float, float] = 0.3) -> None:
        super().__init__(level)

    def corrupt(self, x: Array) -> None:
        self.kernels.uniform(self.key, self.drawn.reshape(-1))
        self.kernels.masking_noise(x, self.drawn, self.levels, 1.0, self.y, self.keep)


class SaltAndPepperNoise(Noise):
    r"""y = 0 or 1 with probability ``level`` / 2 each, else x (Vincent et al. 2010, §4.1); dx = dy where y = x, else 0.

    Parameters
    ----------
    level : float or pair of float, default 0.3
        Probability that a value is replaced, from 0 to 1. Of a pair, each sample's is drawn between the two.

    Notes
    -----
    .. math::

       \frac{\partial L}{\partial x} = [y = x] \, \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import SaltAndPepperNoise
    >>> layer = SaltAndPepperNoise(0.5).build((4,))
    >>> layer.run.training = True
    >>> sorted(set(layer(np.full((100, 4), 0.5, dtype="float32")).ravel().tolist()))
    [0.0, 0.5, 1.0]
    """

    def __init__(self, level: float | tuple[float, float] = 0.3) -> None:
        super().__init__(level)

    def corrupt(self, x: Array) -> None:
        self.kernels.uniform(self.key, self.drawn.reshape(-1))
        self.kernels.salt_and_pepper_noise(x, self.drawn, self.levels, self.y, self.keep)


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
