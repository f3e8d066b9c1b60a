"""Activation functions, applied to every element; without them a network of dense layers would be one linear map."""

from math import prod

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import real_number
from npae.utils.types import Array, Shape


class Activation(Layer):
    """Base class of activations: y = f(x) for every element, so dx = f′(x) · dy. Samples may have any shape."""

    x: Array  # (N, ...)
    y: Array  # (N, ...)
    dx: Array  # (N, ...)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.buffer(self, "y", input_shape)
        arena.buffer(self, "dx", input_shape)
        return input_shape

    def multiply_adds(self) -> int:
        return prod(self.output_shape)


class ReLU(Activation):
    r"""y = max(x, 0); dx = dy where x > 0, else 0 (Nair & Hinton 2010). At x = 0 the derivative is taken as 0.

    Notes
    -----
    .. math::

       y = \max(x, 0), \quad \frac{\partial L}{\partial x} = [x > 0] \, \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import ReLU
    >>> ReLU().build((2,))(np.array([[-1, 2]], dtype="float32")).tolist()
    [[0.0, 2.0]]
    """

    def forward(self, x: Array) -> Array:
        self.kernels.relu(x, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.relu_gradient(self.y, dy, self.dx)
        return self.dx


class LeakyReLU(Activation):
    r"""y = x where x > 0, else slope · x; dx = dy where x > 0, else slope · dy (Maas et al. 2013).

    Parameters
    ----------
    slope : float, default 0.01
        Derivative at negative x and at 0; finite.

    Notes
    -----
    With the slope a

    .. math::

       y = \max(x, 0) + a \min(x, 0), \quad
       \frac{\partial L}{\partial x} = \left([x > 0] + a \, [x \le 0]\right) \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import LeakyReLU
    >>> LeakyReLU(0.5).build((2,))(np.array([[-1, 2]], dtype="float32")).tolist()
    [[-0.5, 2.0]]
    """

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = real_number(slope, "the slope of LeakyReLU")

    def forward(self, x: Array) -> Array:
        self.x = x
        self.kernels.leaky_relu(x, self.slope, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.leaky_relu_gradient(self.x, self.slope, dy, self.dx)
        return self.dx


class Sigmoid(Activation):
    r"""y = σ(x) = 1 / (1 + e⁻ˣ), the logistic function; dx = y (1 − y) dy (Goodfellow et al. 2016, §6.3.2).

    Notes
    -----
    .. math::

       y = \frac{1}{1 + e^{-x}}, \quad \frac{\partial L}{\partial x} = y (1 - y) \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Sigmoid
    >>> Sigmoid().build((1,))(np.array([[0]], dtype="float32")).tolist()
    [[0.5]]
    """

    def forward(self, x: Array) -> Array:
        self.kernels.sigmoid(x, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.sigmoid_gradient(self.y, dy, self.dx)
        return self.dx


class Tanh(Activation):
    r"""y = tanh x; dx = (1 − y²) dy (LeCun et al. 1998, Efficient BackProp, §4.4).

    Notes
    -----
    .. math::

       y = \tanh x, \quad \frac{\partial L}{\partial x} = \left(1 - y^2\right) \frac{\partial L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Tanh
    >>> Tanh().build((2,))(np.array([[-100, 100]], dtype="float32")).tolist()
    [[-1.0, 1.0]]
    """

    def forward(self, x: Array) -> Array:
        self.kernels.tanh(x, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.tanh_gradient(self.y, dy, self.dx)
        return self.dx


class Softplus(Activation):
    r"""y = log(1 + eˣ), a smooth ReLU; dx = σ(x) dy = dy / (1 + e⁻ˣ) (Dugas et al. 2001).

    Notes
    -----
    .. math::

       y = \log\left(1 + e^x\right), \quad \frac{\partial L}{\partial x} = \frac{1}{1 + e^{-x}} \frac{\partial
       L}{\partial y}

    Shapes: x and y (N, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Softplus
    >>> Softplus().build((1,))(np.array([[100]], dtype="float32")).tolist()
    [[100.0]]
    """

    def forward(self, x: Array) -> Array:
        self.x = x
        self.kernels.softplus(x, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.softplus_gradient(self.x, dy, self.dx)
        return self.dx


ACTIVATIONS: dict[str, type[Activation] | None] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softplus": Softplus,
    "linear": None,
}


def activation_layers(name: str) -> list[Layer]:
    """A list with the activation layer of this name, empty for "linear"; raises ValueError for unknown names."""
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; expected one of {', '.join(ACTIVATIONS)}")
    layer = ACTIVATIONS[name]
    return [] if layer is None else [layer()]
