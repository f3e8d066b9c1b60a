"""Memory of a network: all parameters in one vector θ, all gradients in one vector dθ, all activations in one block.

There are two phases. First every layer *plans*: it declares its parameters and its per-sample buffers and returns the
shape of its output. Then everything is allocated at once, and each layer's attributes (``layer.W``, ``layer.dW``,
``layer.y``) become views of it. So an optimizer is one loop over flat vectors, a checkpoint is one array and a table
of names, and summing the gradients of several replicas is one addition.

In θ the weights come first and the biases after them, so the part that weight decay applies to is one slice.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from threading import RLock
from types import ModuleType
from typing import Any, Protocol
from weakref import WeakSet

import numpy as np

from npae.layers.initializers import INITIALIZERS
from npae.utils.memory import require_memory
from npae.utils.randomness import RunState, generator
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape
from npae.utils.wording import counted

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
PAGE, APART = 4096, 512  # bytes: of a page of memory, and between the places within one at which two vectors start

_arenas: "WeakSet[Arena]" = WeakSet()  # of this process


def _renew_locks() -> None:
    """Replace every arena's lock in a forked child: the parent's thread that held one is absent and never frees it."""
    for arena in _arenas:
        arena.lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class PlannedLayer(Protocol):
    """The attributes and methods of a layer that the arena uses; every ``Layer`` has them."""

    name: str
    arena: "Arena"
    kernels: ModuleType
    run: RunState
    input_shape: Shape
    output_shape: Shape
    needs_dx: bool
    penalty: Array
    penalty_name: str

    def plan(self, input_shape: Shape, arena: "Arena") -> Shape:
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


def aligned_empty(nbytes: int, multiple: int = ALIGNMENT, beyond: int = 0) -> Array:
    """Uninitialised bytes (nbytes,) that start ``beyond`` a ``multiple`` of 64 bytes."""
    raw = np.empty(nbytes + multiple, dtype=np.uint8)
    offset = (beyond - raw.ctypes.data) % multiple
    return raw[offset : offset + nbytes]


def zero_vector(size: int, dtype: Any, number: int) -> Array:
    """Zeros (size,) for θ, which is number 0, dθ, which is 1, or what an optimizer remembers, from 2 on.

    The loop of an optimizer reads and writes all of them at once. It took three times as long where some did not start
    at a cache line, and a third longer where all started at the same place of a page, so that a processor takes a read
    of one for a read of what it is about to write to another.
    """
    dtype = np.dtype(dtype)
    vector: Array = aligned_empty(size * dtype.itemsize, PAGE, number * APART % PAGE).view(dtype)
    vector[...] = 0
    return vector


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


class Arena:
    """Plans, allocates and binds the memory of one network.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of parameters, gradients and activations: float32 for training, float64 for gradient checks.
    kernels : module
        ``npae.kernels.reference`` or ``npae.kernels.compiled``; bound to every layer as ``layer.kernels``.
    seed : int
        Seed of the initial weights and of all noise.
    """

    theta: Array  # (size,) all parameters
    dtheta: Array  # (size,) gradient of the loss by each parameter

    def __init__(self, dtype: str, kernels: ModuleType, seed: int = 0) -> None:
        if dtype not in ("float32", "float64"):
            raise ValueError(f'dtype is {dtype!r}; expected "float32" or "float64"')
        self.dtype = np.dtype(dtype)
        self.kernels = kernels
        self.run = RunState(seed=whole_number(seed, "seed", least=0))
        self.lock = RLock()  # held by whoever uses the buffers: a network does one thing at a time
        self.layers: dict[str, Any] = {}  # every ``Layer`` by its name
        self.penalized: list[PlannedLayer] = []
        self.pooled_sizes: list[tuple[int, int]] = []
        self._parameters: list[PlannedParameter] = []
        self._buffers: list[Buffer] = []
        self._workspaces: list[PlannedWorkspace] = []
        self.capacity = 0
        _arenas.add(self)
        self.generation = 0  # number of times the buffers have been reallocated
        self.batch_size = 0
        self.decayed = slice(0, 0)

    # Phase one: planning.

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

    # Phase two: allocation.

    @property
    def is_allocated(self) -> bool:
        """Whether the parameters have their memory."""
        return hasattr(self, "theta")

    def allocate(self, theta: Array | None = None) -> None:
        """Allocate θ and dθ, bind the layers' views of them, and draw the initial weights.

        Parameters
        ----------
        theta : ndarray of shape (size,), optional
            Parameter vector of another network with the same layers, which is then shared and not drawn anew.

        Raises
        ------
        MemoryError
            If the vectors do not fit in free memory.
        """
        vectors = 2 if theta is None else 1
        require_memory(vectors * self.parameter_bytes, "a network of this size", "choose a smaller one")
        itemsize = self.dtype.itemsize
        start = 0
        for decay in (True, False):
            for p in self._parameters:
                if p.decay is decay:
                    p.start = start
                    start = _round_up(start + prod(p.shape), ALIGNMENT // itemsize)
            if decay:
                self.decayed = slice(0, start)
        self.dtheta = zero_vector(start, self.dtype, 1)
        self.theta = zero_vector(start, self.dtype, 0) if theta is None else theta
        for p in self._parameters:
            setattr(p.layer, p.attribute, self.theta[p.slice].reshape(p.shape))
            setattr(p.layer, "d" + p.attribute, self.dtheta[p.slice].reshape(p.shape))
        if theta is None:
            self._draw_initial_parameters()

    def _draw_initial_parameters(self) -> None:
        for p in self._parameters:
            values = generator(self.run.seed, "initial " + p.name).uniform(-p.bound, p.bound, prod(p.shape))
            self.theta[p.slice] = values

    def resize(self, batch_size: int) -> None:
        """Set every buffer to the first ``batch_size`` rows of its memory, which grows only for the largest batch yet.

        Raises
        ------
        MemoryError
            If the buffers do not fit in free memory.
        """
        if batch_size == self.batch_size:
            return
        if self.capacity == 0:
            self._allocate_workspaces()
        if batch_size > self.capacity:
            self._allocate_buffers(batch_size)
        for b in self._buffers:
            assert b.full is not None
            setattr(b.layer, b.attribute, b.full[:batch_size])
        self.batch_size = batch_size

    def _allocate_workspaces(self) -> None:
        require_memory(self.workspace_bytes, "the layers' workspace", "choose a smaller network")
        for w in self._workspaces:
            array = aligned_empty(prod(w.shape) * w.dtype.itemsize).view(w.dtype).reshape(w.shape)
            array[...] = 0 if w.values is None else w.values()
            setattr(w.layer, w.attribute, array)

    def _allocate_buffers(self, capacity: int) -> None:
        sizes = [_round_up(capacity * prod(b.shape) * b.dtype.itemsize, ALIGNMENT) for b in self._buffers]
        require_memory(sum(sizes), f"a batch of {counted(capacity, 'sample')}", "choose a smaller batch or network")
        block = aligned_empty(sum(sizes))
        start = 0
        for b, size in zip(self._buffers, sizes, strict=True):
            nbytes = capacity * prod(b.shape) * b.dtype.itemsize
            b.full = block[start : start + nbytes].view(b.dtype).reshape((capacity, *b.shape))
            if b.zeroed:
                b.full[...] = 0
            start += size
        self.capacity = capacity
        self.generation += 1

    def release(self, *inputs: Array) -> None:
        """Let layers drop what they have kept of ``inputs``, so that the network does not hold its caller's data.

        A layer that needs its input for ``backward`` keeps it until the next ``forward``: npae's own as ``x``, others
        under any name.
        """
        for kept, is_own in self._attributes:
            if is_own:
                x = kept.get("x")
                if x is not None and any(np.may_share_memory(x, a) for a in inputs):
                    del kept["x"]
                continue
            arrays = [(name, value) for name, value in kept.items() if isinstance(value, np.ndarray)]
            for name, value in arrays:
                if not self._is_view(value) and any(np.may_share_memory(value, a) for a in inputs):
                    del kept[name]

    @cached_property
    def _attributes(self) -> list[tuple[dict[str, Any], bool]]:
        """The attributes of each layer, fused ones included, and whether it is one of npae's."""
        return [(vars(layer), type(layer).__module__.startswith("npae.layers.")) for layer in self.layers.values()]

    def _is_view(self, array: Array) -> bool:
        """Whether an array lies in this memory, or is a workspace."""
        planned = [*(b.full for b in self._buffers), self.theta, self.dtheta]
        planned += [getattr(w.layer, w.attribute) for w in self._workspaces]
        return any(own is not None and np.may_share_memory(array, own) for own in planned)

    # What others ask of it.

    def parameters(self) -> Iterator[tuple[str, Array, Array]]:
        """Yield every parameter as (name, view of θ, view of dθ), in the order in which the layers planned them."""
        for p in self._parameters:
            yield p.name, getattr(p.layer, p.attribute), getattr(p.layer, "d" + p.attribute)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Shape of every parameter by name; available before allocation."""
        return {p.name: p.shape for p in self._parameters}

    def parameter_count(self, layer: PlannedLayer | None = None) -> int:
        """Number of learned values, of ``layer`` or of all layers."""
        return sum(prod(p.shape) for p in self._parameters if layer is None or p.layer is layer)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of θ; available before allocation."""
        return sum(_round_up(prod(p.shape) * self.dtype.itemsize, ALIGNMENT) for p in self._parameters)

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
