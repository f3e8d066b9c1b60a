"""The only allocator: all parameters in one vector θ, all gradients in one vector dθ, all activations in one block.

It works in two phases. First every layer *plans*: it names its parameters and its per-sample buffers and returns the
shape of its output. Then everything is allocated at once, and each layer's attributes (``layer.W``, ``layer.dW``,
``layer.y``) are bound as views. So an optimizer is one loop over flat vectors, a checkpoint is one array and a table
of names, and adding up the gradients of several replicas is one addition.

Weights come first in θ and biases after them: what weight decay applies to is one slice.
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

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register

_arenas: "WeakSet[Arena]" = WeakSet()  # of this process


def _renew_locks() -> None:
    """Whoever held a lock in the parent does not exist in a forked process, and would be waited for in vain."""
    for arena in _arenas:
        arena.lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class PlannedLayer(Protocol):
    """What the arena reads and sets of a layer; every ``Layer`` has it."""

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
        """Name parameters and buffers for an input of this shape; return the shape of the output."""
        ...

    def draw(self) -> None:
        """Set what changes from step to step, whatever the input is."""
        ...


@dataclass
class Parameter:
    """A parameter as planned: whose it is, what it is called, and where it lies in θ."""

    layer: PlannedLayer
    attribute: str
    shape: Shape
    bound: float  # it starts as U(-bound, bound)
    decay: bool
    start: int = 0

    @property
    def name(self) -> str:
        return f"{self.layer.name}.{self.attribute}"

    @property
    def slice(self) -> slice:
        return slice(self.start, self.start + prod(self.shape))


@dataclass
class Buffer:
    """An array of one row for each sample of a batch, as planned."""

    layer: Any
    attribute: str
    shape: Shape  # of one sample
    dtype: np.dtype[Any]
    zeroed: bool
    full: Array | None = None  # (capacity, *shape)


@dataclass
class Workspace:
    """An array that does not grow with the batch, as planned."""

    layer: Any
    attribute: str
    shape: Shape
    values: Callable[[], Array] | None
    dtype: np.dtype[Any]


def aligned_empty(nbytes: int) -> Array:
    """Uninitialised bytes whose first lies on a 64-byte boundary."""
    raw = np.empty(nbytes + ALIGNMENT, dtype=np.uint8)
    offset = -raw.ctypes.data % ALIGNMENT
    return raw[offset : offset + nbytes]


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


class Arena:
    """Plans, allocates and binds the memory of one network.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        Of parameters, gradients and activations: float32 for work, float64 for gradient checks.
    kernels : module
        ``npae.kernels.reference`` or ``npae.kernels.compiled``; bound to every layer as ``layer.kernels``.
    seed : int
        Of the initial weights and of all noise.
    """

    theta: Array  # (size,) every parameter
    dtheta: Array  # (size,) the gradient of the loss by each

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
        self._parameters: list[Parameter] = []
        self._buffers: list[Buffer] = []
        self._workspaces: list[Workspace] = []
        self.capacity = 0
        _arenas.add(self)
        self.generation = 0  # how often the buffers have been moved
        self.batch_size = 0
        self.decayed = slice(0, 0)

    # Phase one: layers say what they need.

    def add(self, layer: PlannedLayer, input_shape: Shape, name: str) -> Shape:
        """Let ``layer`` plan itself under ``name``; returns the shape of one sample of its output."""
        if name in self.layers:
            raise ValueError(f"two layers are called {name!r}; give each a name of its own")
        if layer in self.layers.values():
            raise ValueError(
                f"the layer {name!r} stands in the network twice; make a new {type(layer).__name__} for each place"
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
        decay: bool = False,
    ) -> None:
        """Plan ``layer.W`` (for ``attribute="W"``) as a view of θ, and ``layer.dW`` as one of dθ.

        ``decay`` says whether weight decay applies to it: to weights, not to biases.
        """
        if initializer not in INITIALIZERS:
            raise ValueError(f"unknown initializer {initializer!r}; expected one of {', '.join(INITIALIZERS)}")
        if min(shape, default=1) < 1:
            raise ValueError(f"{layer!r} would have {attribute} of shape {shape}; expected sizes of at least 1")
        bound = INITIALIZERS[initializer](fan_in, fan_out)
        self._parameters.append(Parameter(layer, attribute, shape, bound, decay))

    def buffer(self, layer: Any, attribute: str, shape: Shape = (), *, dtype: Any = None, zeroed: bool = False) -> None:
        """Plan ``layer.<attribute>`` of shape (batch, …); a ``zeroed`` one is zero until it is written."""
        self._buffers.append(Buffer(layer, attribute, shape, np.dtype(dtype or self.dtype), zeroed))

    def drop_buffers(self, layer: Any) -> None:
        """Leave out the buffers that ``layer`` has planned: another does its work."""
        self._buffers = [b for b in self._buffers if b.layer is not layer]

    def workspace(
        self,
        layer: Any,
        attribute: str,
        shape: Shape,
        values: Callable[[], Array] | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        """Plan ``layer.<attribute>`` of a shape without the batch, from the first batch on.

        It starts as zeros, or as what ``values`` returns.
        """
        self._workspaces.append(Workspace(layer, attribute, shape, values, np.dtype(dtype or self.dtype)))

    def penalty(self, layer: PlannedLayer) -> None:
        """Announce that ``layer.penalty``, one number for each sample, belongs to the loss."""
        self.penalized.append(layer)

    # Phase two: everything is allocated and bound.

    def allocate(self, theta: Array | None = None) -> None:
        """Allocate θ and dθ, bind their views, and draw the initial weights.

        With ``theta`` given, that vector is shared instead: the network becomes a replica of the one that owns it.

        Raises
        ------
        MemoryError
            Where there is not so much memory.
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
        self.dtheta = self._zeros(start)
        self.theta = self._zeros(start) if theta is None else theta
        for p in self._parameters:
            setattr(p.layer, p.attribute, self.theta[p.slice].reshape(p.shape))
            setattr(p.layer, "d" + p.attribute, self.dtheta[p.slice].reshape(p.shape))
        if theta is None:
            self._draw_initial_parameters()

    def _zeros(self, size: int, dtype: np.dtype[Any] | None = None) -> Array:
        dtype = dtype or self.dtype
        vector = aligned_empty(size * dtype.itemsize).view(dtype)
        vector[...] = 0
        return vector

    def _draw_initial_parameters(self) -> None:
        for p in self._parameters:
            values = generator(self.run.seed, "initial " + p.name).uniform(-p.bound, p.bound, prod(p.shape))
            self.theta[p.slice] = values

    def resize(self, batch_size: int) -> None:
        """Point every buffer at its first ``batch_size`` rows; only a batch larger than ever needs new memory.

        Raises
        ------
        MemoryError
            Where there is not so much memory.
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
        require_memory(self.workspace_bytes, "what the layers keep beside their parameters", "choose a smaller network")
        for w in self._workspaces:
            array = self._zeros(prod(w.shape), w.dtype).reshape(w.shape)
            if w.values is not None:
                array[...] = w.values()
            setattr(w.layer, w.attribute, array)

    def _allocate_buffers(self, capacity: int) -> None:
        sizes = [_round_up(capacity * prod(b.shape) * b.dtype.itemsize, ALIGNMENT) for b in self._buffers]
        require_memory(sum(sizes), f"a batch of {capacity} samples", "choose a smaller batch or network")
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
        """Every parameter as (name, view of θ, view of dθ), in the order in which the layers planned them."""
        for p in self._parameters:
            yield p.name, getattr(p.layer, p.attribute), getattr(p.layer, "d" + p.attribute)

    def parameter_shapes(self) -> dict[str, Shape]:
        """Names and shapes as planned; known before anything is allocated."""
        return {p.name: p.shape for p in self._parameters}

    def parameter_count(self, layer: PlannedLayer | None = None) -> int:
        """How many numbers are learned, by ``layer`` or by all."""
        return sum(prod(p.shape) for p in self._parameters if layer is None or p.layer is layer)

    @property
    def parameter_bytes(self) -> int:
        """Of θ; known before anything is allocated."""
        return sum(_round_up(prod(p.shape) * self.dtype.itemsize, ALIGNMENT) for p in self._parameters)

    @property
    def workspace_bytes(self) -> int:
        """Of all arrays that do not grow with the batch."""
        return sum(prod(w.shape) * w.dtype.itemsize for w in self._workspaces)

    @cached_property
    def bytes_per_sample(self) -> int:
        """Of all buffers, once everything is planned."""
        return self.buffer_bytes()

    def buffer_bytes(self, layer: Any = None) -> int:
        """Bytes of buffers for one sample, of ``layer`` or of all."""
        return sum(prod(b.shape) * b.dtype.itemsize for b in self._buffers if layer is None or b.layer is layer)
