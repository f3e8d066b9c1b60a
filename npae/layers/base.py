"""Base class of all layers, and the chain of layers.

Every layer, also one that a user writes, has three methods:

* ``plan(input_shape, arena)`` declares parameters and buffers and returns the shape of the output,
* ``forward(x)`` computes y,
* ``backward(dy)`` takes dy = ∂L/∂y, *overwrites* the gradients of the layer's own parameters, and returns dx = ∂L/∂x.

Shapes in ``plan`` are those of one sample; x, y, dx and dy have the batch as their first axis: (N, ...).
"""

from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any, Self

from npae.kernels import default_kernels
from npae.layers.arena import Arena
from npae.utils.randomness import RunState
from npae.utils.signature import arguments_of
from npae.utils.types import Array, Shape


class Layer:
    """A function y = f(x) with a hand-written gradient: the base class of all layers.

    A subclass defines ``plan``, ``forward`` and ``backward``. The attributes below are set by the arena.

    Attributes
    ----------
    name : str
        Name within the network, such as ``"encoder.0"``.
    kernels : module
        The numerical functions that the layer calls: ``npae.kernels.compiled`` or ``npae.kernels.reference``.
    run : RunState
        Seed, step and whether the network is training.
    input_shape, output_shape : tuple of int
        Shapes of one sample.
    needs_dx : bool
        Whether ``backward`` must compute dx.

    Examples
    --------
    A layer of your own, checked:

    >>> import numpy as np
    >>> from npae.gradcheck import check_layer
    >>> from npae.layers import Layer
    >>> class Square(Layer):
    ...     def plan(self, input_shape, arena):
    ...         return input_shape
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x**2
    ...     def backward(self, dy):
    ...         return 2 * self.x * dy
    >>> check_layer(Square(), (3,)).passed
    True
    """

    name: str
    arena: Arena
    kernels: ModuleType
    run: RunState
    input_shape: Shape
    output_shape: Shape
    needs_dx: bool  # False for a network's first layer with parameters: the gradient by the data is not used
    network: Any = None  # weak reference to the network that contains the layer
    penalty: Array  # (N,), the layer's term of each sample's loss, where it has one
    penalty_name: str

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        """Declare parameters and buffers for an input of this shape; return the shape of the output.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.
        arena : Arena
            Takes the declarations: ``arena.parameter``, ``arena.buffer``, ``arena.workspace``, ``arena.penalty``.

        Returns
        -------
        tuple of int
            Shape of one sample of the output.

        Raises
        ------
        ValueError
            If the layer cannot take an input of this shape.

        Examples
        --------
        ``build`` calls it; the shapes that it returns are those of the layer.

        >>> from npae.layers import Flatten
        >>> Flatten().build((4, 4, 2)).output_shape
        (32,)
        """
        raise NotImplementedError

    def forward(self, x: Array) -> Array:
        """Compute y = f(x).

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``, in the arena's dtype

        Returns
        -------
        ndarray of shape ``(N, *output_shape)``
            Usually a buffer that the next call overwrites.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.layers import ReLU
        >>> layer = ReLU().build((3,))
        >>> layer.arena.resize(1)
        >>> layer.forward(np.array([[-1, 0.5, 2]], dtype="float32")).tolist()
        [[0.0, 0.5, 2.0]]
        """
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """Compute dx = (∂y/∂x)ᵀ dy for the batch of the last ``forward``; overwrite the parameters' gradients.

        Parameters
        ----------
        dy : ndarray of shape ``(N, *output_shape)``
            Gradient of the loss by y.

        Returns
        -------
        ndarray of shape ``(N, *input_shape)``
            Gradient of the loss by x; without a meaning where ``needs_dx`` is False.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.layers import ReLU
        >>> layer = ReLU().build((3,))
        >>> y = layer(np.array([[-1, 0.5, 2]], dtype="float32"))
        >>> layer.backward(np.ones((1, 3), dtype="float32")).tolist()
        [[0.0, 1.0, 1.0]]
        """
        raise NotImplementedError

    def draw(self) -> None:
        """Update what depends on the training step and not on x: the key of random numbers, or the current β of a VAE.

        ``forward`` calls it itself. Before the first of some recorded steps, which do not run ``forward``, it is called
        once, and each of them ends with the kernel calls of ``draw_next``.

        Examples
        --------
        >>> from npae.layers import GaussianNoise
        >>> layer = GaussianNoise(0.1).build((3,))
        >>> layer.arena.resize(1)
        >>> layer.draw()
        >>> key = layer.key.copy()
        >>> layer.run.step += 1
        >>> layer.draw()
        >>> bool((layer.key == key).all())
        False
        """

    def draw_next(self) -> None:
        """Update the same by kernel calls alone, from one training step to the next, as ``draw`` would do it there.

        Examples
        --------
        >>> from npae.layers import GaussianNoise
        >>> layer = GaussianNoise(0.1).build((3,))
        >>> layer.arena.resize(1)
        >>> layer.draw()
        >>> layer.draw_next()
        >>> key = layer.key.copy()
        >>> layer.run.step += 1
        >>> layer.draw()
        >>> bool((layer.key == key).all())
        True
        """

    def build(
        self, input_shape: Shape, *, seed: int = 0, dtype: str = "float32", kernels: ModuleType | None = None
    ) -> Self:
        """Plan and allocate this layer on its own, outside any network.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.
        seed : int, default 0
            Seed of the initial weights and of noise.
        dtype : {"float32", "float64"}, default "float32"
            Of parameters, gradients and activations.
        kernels : module, optional
            ``npae.kernels.compiled`` or ``npae.kernels.reference``; by default the compiled ones where Numba is
            installed, plain NumPy otherwise.

        Returns
        -------
        Layer
            This layer.

        Raises
        ------
        ValueError
            If the layer cannot take samples of ``input_shape``.
        MemoryError
            If its parameters do not fit in free memory.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.layers import Dense
        >>> layer = Dense(3).build((5,))
        >>> layer(np.ones((2, 5), dtype="float32")).shape
        (2, 3)
        """
        arena = Arena(dtype, kernels or default_kernels(), seed)
        arena.add(self, tuple(input_shape), type(self).__name__.lower())
        arena.allocate()
        return self

    def __call__(self, x: Array) -> Array:
        """``forward`` for a batch of any size; the result is a buffer that the next call overwrites."""
        self.arena.resize(len(x))
        return self.forward(x)

    def multiply_adds(self) -> int:
        """Number of multiply-adds of ``forward`` for one sample; 0 for layers that take almost no time.

        Returns
        -------
        int

        Examples
        --------
        >>> from npae.layers import Dense
        >>> Dense(3).build((5,)).multiply_adds()
        15
        """
        return 0

    def config(self) -> dict[str, Any]:
        """The constructor's arguments by name, as plain JSON values: ``type(layer)(**config)`` makes an equal layer.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> from npae.layers import Dense
        >>> Dense(3).config()["units"]
        3
        """
        return {name: getattr(self, name) for name in settable_names(self)}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config().items())
        return f"{type(self).__name__}({arguments})"


def settable_names(layer: Layer) -> tuple[str, ...]:
    """Names of the arguments of a layer's constructor, which are attributes of the layer."""
    kind: Any = type(layer)
    return _parameter_names(kind)


@cache
def _parameter_names(cls: Any) -> tuple[str, ...]:
    """Names of the arguments of a layer class's constructor; cached, since inspecting a signature is slow."""
    return tuple(arguments_of(cls))


class Chain(Layer):
    r"""Layers applied one after the other: y = fₙ(… f₂(f₁(x))), with backward by the chain rule.

    .. math::

       \frac{\partial L}{\partial x} = J_1^\top J_2^\top \cdots J_n^\top \frac{\partial L}{\partial y}

    where J_i is the Jacobian of f_i. Shapes: those of the first layer's input and the last one's output.

    Parameters
    ----------
    layers : sequence of Layer
        An empty one is the identity. A chain among them is replaced by its layers.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Chain, Dense, ReLU
    >>> chain = Chain([Dense(4), ReLU(), Dense(2)]).build((3,))
    >>> chain(np.ones((5, 3), dtype="float32")).shape
    (5, 2)
    """

    steps: list[Layer]  # the layers that are run: those of ``layers``, or fused ones in their place

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers: list[Layer] = []
        for layer in layers:
            self.layers += layer.layers if isinstance(layer, Chain) else [layer]

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        shape = input_shape
        for i, layer in enumerate(self.layers):
            shape = arena.add(layer, shape, f"{self.name}.{i}")
        self.steps = self.layers
        return shape

    def forward(self, x: Array) -> Array:
        for step in self.steps:
            x = step.forward(x)
        return x

    def backward(self, dy: Array) -> Array:
        for step in reversed(self.steps):
            dy = step.backward(dy)
        return dy
