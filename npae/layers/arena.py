"""Memory of a network: all parameters in one vector θ, all gradients in one vector dθ, all activations in one block.

There are two phases. First every layer *plans* (``npae.layers.plan``): it declares its parameters and its per-sample
buffers and returns the shape of its output. Then everything is allocated at once, and each layer's attributes
(``layer.W``, ``layer.dW``, ``layer.y``) become views of it. So an optimizer is one loop over flat vectors, a checkpoint
is one array and a table of names, and summing the gradients of several replicas is one addition.

In θ the weights come first and the biases after them, so the part that weight decay applies to is one slice.
"""

import os
from collections.abc import Iterator
from functools import cached_property
from math import prod
from types import ModuleType
from typing import Any
from weakref import WeakSet

import numpy as np

from npae.kernels.execution.shared_lock import SharedLock
from npae.layers.aligned import ALIGNMENT, aligned_empty, round_up, zero_vector
from npae.layers.plan import Plan
from npae.utils.memory import require_memory
from npae.utils.randomness import generator
from npae.utils.types import Array
from npae.utils.wording import counted

_arenas: "WeakSet[Arena]" = WeakSet()  # of this process


def _renew_locks() -> None:
    """Replace every arena's lock in a forked child: the parent's thread that held one is absent and never frees it."""
    for arena in _arenas:
        arena.lock = SharedLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class Arena(Plan):
    """Plans, allocates and binds the memory of one network; the arguments are those of ``Plan``."""

    theta: Array  # (size,) all parameters
    dtheta: Array  # (size,) gradient of the loss by each parameter

    def __init__(self, dtype: str, kernels: ModuleType, seed: int = 0) -> None:
        super().__init__(dtype, kernels, seed)
        self.lock = SharedLock()  # held by whoever uses the buffers: a network does one thing at a time
        self.capacity = 0
        _arenas.add(self)
        self.generation = 0  # number of times the buffers have been reallocated
        self.batch_size = 0
        self.decayed = slice(0, 0)

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
                    start = round_up(start + prod(p.shape), ALIGNMENT // itemsize)
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

    def parameters(self) -> Iterator[tuple[str, Array, Array]]:
        """Yield every parameter as (name, view of θ, view of dθ), in the order in which the layers planned them."""
        for p in self._parameters:
            yield p.name, getattr(p.layer, p.attribute), getattr(p.layer, "d" + p.attribute)

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
        sizes = [round_up(capacity * prod(b.shape) * b.dtype.itemsize, ALIGNMENT) for b in self._buffers]
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
