"""The plan of a network's memory: what its layers declare to need, and how large it is, before any of it is allocated.

A layer declares parameters, which are learned; buffers, which have a row for each sample of a batch; and workspaces,
whose size does not depend on the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from npae.layers.aligned import ALIGNMENT, round_up
from npae.layers.initializers import INITIALIZERS
from npae.utils.randomness import RunState
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape


class PlannedLayer(Protocol):
    """The attributes and methods of a layer that the arena uses; every ``Layer`` has them."""

    name: str
    arena: Any  # the ``Arena`` of its network
    kernels: ModuleType
    run: RunState
    input_shape: Shape
    output_shape: Shape
    needs_dx: bool
    penalty: Array
    penalty_name: str

    def plan(self, input_shape: Shape, arena: Any) -> Shape:
        """Declare parameters and buffers for an input of this shape; return the shape of the output."""
        ...

    def draw(self) -> None:
        """Update what depends on the training step and not on the input."""
        ...

    def draw_next(self) -> None:
        """Update it from one training step to the next, by kernel calls alone."""
        ...


@dataclass
class PlannedParameter:
    """A planned parameter: its layer, its name and its position in θ."""

    layer: PlannedLayer
    attribute: str
    shape: Shape
    bound: float  # initial values are drawn from U(-bound, bound)
    decay: bool  # whether weight decay applies to it
    start: int = 0

    @property
    def name(self) -> str:
        return f"{self.layer.name}.{self.attribute}"

    @property
    def slice(self) -> slice:
        return slice(self.start, self.start + prod(self.shape))


@dataclass
class Buffer:
    """A planned array with one row for each sample of a batch."""

    layer: Any
    attribute: str
    shape: Shape  # of one sample
    dtype: np.dtype[Any]
    zeroed: bool
    full: Array | None = None  # (capacity, *shape)


@dataclass
class PlannedWorkspace:
    """A planned array whose size does not depend on the batch."""

    layer: Any
    attribute: str
    shape: Shape
    values: Callable[[], Array] | None
    dtype: np.dtype[Any]


class Plan:
    """The declarations of all layers of one network.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of parameters, gradients and activations: float32 for training, float64 for gradient checks.
    kernels : module
        ``npae.kernels.reference`` or ``npae.kernels.compiled``; bound to every layer as ``layer.kernels``.
    seed : int
        Seed of the initial weights and of all noise.
    """

    def __init__(self, dtype: str, kernels: ModuleType, seed: int = 0) -> None:
        if dtype not in ("float32", "float64"):
            raise ValueError(f'dtype is {dtype!r}; expected "float32" or "float64"')
        self.dtype = np.dtype(dtype)
        self.kernels = kernels
        self.run = RunState(seed=whole_number(seed, "seed", least=0))
        self.layers: dict[str, Any] = {}  # every ``Layer`` by its name
        self.penalized: list[PlannedLayer] = []
        self.pooled_sizes: list[tuple[int, int]] = []
        self._parameters: list[PlannedParameter] = []
        self._buffers: list[Buffer] = []
        self._workspaces: list[PlannedWorkspace] = []

    def add(self, layer: PlannedLayer, input_shape: Shape, name: str) -> Shape:
        """Register ``layer`` under ``name`` and call its ``plan``; returns the shape of one sample of its output.

        Raises
        ------
        ValueError
            If the name or the layer is registered already, or if the layer refuses the shape.
        """
        if name in self.layers:
            raise ValueError(f"two layers are called {name!r}; give them different names")
        if layer in self.layers.values():
            raise ValueError(
                f"the layer {name!r} is in the network twice; make a new {type(layer).__name__} for each place"
            )
        self.layers[name] = layer
        layer.name, layer.arena, layer.kernels, layer.run = name, self, self.kernels, self.run
        layer.needs_dx = True
        layer.input_shape = tuple(input_shape)
        shape: Any = layer.plan(layer.input_shape, self)
        if shape is None:
            raise ValueError(f"{type(layer).__name__}.plan returned None; it must return the shape of one output")
        layer.output_shape = tuple(shape)
        return layer.output_shape

    def parameter(
        self,
        layer: PlannedLayer,
        attribute: str,
        shape: Shape,
        *,
        fan_in: int = 1,
        fan_out: int = 1,
        initializer: str = "zeros",
        gain: float = 1.0,
        decay: bool = False,
    ) -> None:
        """Plan ``layer.W`` (for ``attribute="W"``) as a view of θ, and ``layer.dW`` as the same view of dθ.

        Parameters
        ----------
        layer : Layer
        attribute : str
            Name of the attribute that becomes the view; its gradient has "d" in front.
        shape : tuple of int
        fan_in, fan_out : int, default 1
            Inputs and outputs that one unit is connected to, for the initializer.
        initializer : {"zeros", "glorot_uniform", "he_uniform", "lecun_uniform"}, default "zeros"
        gain : float, default 1.0
            Factor of the initializer's bound.
        decay : bool, default False
            Whether weight decay applies: True for weights, False for biases.

        Raises
        ------
        ValueError
            For an unknown initializer or a shape with a size below 1.
        """
        if initializer not in INITIALIZERS:
            raise ValueError(f"unknown initializer {initializer!r}; expected one of {', '.join(INITIALIZERS)}")
        if min(shape, default=1) < 1:
            raise ValueError(f"{layer!r} would have {attribute} of shape {shape}; expected sizes of at least 1")
        bound = gain * INITIALIZERS[initializer](fan_in, fan_out)
        self._parameters.append(PlannedParameter(layer, attribute, shape, bound, decay))

    def buffer(self, layer: Any, attribute: str, shape: Shape = (), *, dtype: Any = None, zeroed: bool = False) -> None:
        """Plan ``layer.<attribute>`` of shape ``(batch, *shape)``; ``zeroed`` buffers start as zeros."""
        self._buffers.append(Buffer(layer, attribute, shape, np.dtype(dtype or self.dtype), zeroed))

    def drop_memory(self, layer: Any) -> None:
        """Remove the buffers and workspaces that ``layer`` has planned, because a fused layer computes its output."""
        self._buffers = [b for b in self._buffers if b.layer is not layer]
        self._workspaces = [w for w in self._workspaces if w.layer is not layer]

    def workspace(
        self,
        layer: Any,
        attribute: str,
        shape: Shape,
        values: Callable[[], Array] | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        """Plan ``layer.<attribute>`` of ``shape``, which does not depend on the batch; allocated at the first batch.

        It starts as zeros, or as the array that ``values()`` returns.
        """
        self._workspaces.append(PlannedWorkspace(layer, attribute, shape, values, np.dtype(dtype or self.dtype)))

    def penalty(self, layer: PlannedLayer) -> None:
        """Add ``layer.penalty``, one number for each sample (N,), to the loss."""
        self.penalized.append(layer)

    # How large it is.

    def parameter_shapes(self) -> dict[str, Shape]:
        """Shape of every parameter by name; available before allocation."""
        return {p.name: p.shape for p in self._parameters}

    def parameter_count(self, layer: PlannedLayer | None = None) -> int:
        """Number of learned values, of ``layer`` or of all layers."""
        return sum(prod(p.shape) for p in self._parameters if layer is None or p.layer is layer)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of θ; available before allocation."""
        return sum(round_up(prod(p.shape) * self.dtype.itemsize, ALIGNMENT) for p in self._parameters)

    @property
    def workspace_bytes(self) -> int:
        """Bytes of all arrays whose size does not depend on the batch."""
        return sum(prod(w.shape) * w.dtype.itemsize for w in self._workspaces)

    @cached_property
    def bytes_per_sample(self) -> int:
        """Bytes of all buffers for one sample; cached, so read it after planning only."""
        return self.buffer_bytes()

    def buffer_bytes(self, layer: Any = None) -> int:
        """Bytes of buffers for one sample, of ``layer`` or of all layers."""
        return sum(prod(b.shape) * b.dtype.itemsize for b in self._buffers if layer is None or b.layer is layer)
