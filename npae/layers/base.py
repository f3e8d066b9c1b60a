"""A layer is a function with a gradient; a chain is layers one after the other.

Everything in this folder has the same three methods, and so can a layer of your own:

* ``plan(input_shape, arena)`` names the parameters and the buffers and returns the shape of the output,
* ``forward(x)`` computes y,
* ``backward(dy)`` takes the gradient of the loss by y, *overwrites* the gradients of the layer's own parameters, and
  returns dx, the gradient by x.

Shapes in ``plan`` are those of one sample; x, y, dx and dy carry the batch in front: (N, ...).
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
    """A function y = f(x) with a hand-written gradient."""

    name: str
    arena: Arena
    kernels: ModuleType
    run: RunState
    input_shape: Shape
    output_shape: Shape
    needs_dx: bool  # False for a network's first layer with parameters: nobody asks for the gradient of the data
    network: Any = None  # a weak reference to the network that it is part of
    penalty: Array  # (N,), for a layer that adds to the loss
    penalty_name: str

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        """Name parameters and buffers for an input of this shape; return the shape of the output."""
        raise NotImplementedError

    def forward(self, x: Array) -> Array:
        """y = f(x)."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """dx = (∂y/∂x)ᵀ dy; the gradients of the parameters are overwritten, not added to."""
        raise NotImplementedError

    def draw(self) -> None:
        """Set what changes from step to step, whatever x is: random numbers, or a price that is rising.

        ``forward`` calls it where it needs it; a step that was recorded calls it ahead of each run.
        """

    def build(
        self, input_shape: Shape, *, seed: int = 0, dtype: str = "float32", kernels: ModuleType | None = None
    ) -> Self:
        """Make this layer usable on its own, outside any network.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample.
        seed : int, default 0
            Of the initial weights and of noise.
        dtype : {"float32", "float64"}, default "float32"
        kernels : module, optional
            Compiled kernels where Numba is installed, plain NumPy otherwise.
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
        """Multiplications with addition that ``forward`` takes for one sample; 0 where they do not matter."""
        return 0

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, from which an equal layer can be made; values are plain JSON."""
        kind: Any = type(self)
        return {name: getattr(self, name) for name in _parameter_names(kind)}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config().items())
        return f"{type(self).__name__}({arguments})"


@cache
def _parameter_names(cls: Any) -> tuple[str, ...]:
    """Of a layer's constructor; it takes Python a while to find them."""
    return tuple(arguments_of(cls))


class Chain(Layer):
    """Layers one after the other: y = fₙ(… f₂(f₁(x))), and the chain rule backwards.

    Parameters
    ----------
    layers : sequence of Layer
        May be empty: the identity. A chain among them is taken apart into its layers.
    """

    steps: list[Layer]  # what is carried out: the layers, or fused ones in their place

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
