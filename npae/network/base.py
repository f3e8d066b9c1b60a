"""A network as four slots of layers and a loss: planned, allocated, described and copied.

What they compute together is the subject of ``npae.network.autoencoder``.
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution.program import Program, Recorder
from npae.layers.arena import Arena
from npae.layers.base import Chain, Layer
from npae.layers.fused import FusedLayer, fused
from npae.layers.losses import loss_by_name
from npae.network.config import from_config, to_config
from npae.network.summary import summary
from npae.utils.columns import Columns
from npae.utils.types import Array
from npae.utils.validation import check_number


class Network:
    """Four slots and a loss; see ``npae.Autoencoder`` for what they take."""

    #: The columns of the dataframe that it was trained on, if it was one.
    columns: Columns | None = None

    def __init__(
        self,
        encoder: Sequence[Layer],
        decoder: Sequence[Layer],
        *,
        loss: str = "bce",
        corrupt: Sequence[Layer] = (),
        code: Sequence[Layer] = (),
        weight_decay: float = 0.0,
    ) -> None:
        check_number(weight_decay, "weight_decay", least=0)
        self.corrupt, self.encoder = Chain(corrupt), Chain(encoder)
        self.code, self.decoder = Chain(code), Chain(decoder)
        self.loss = loss_by_name(loss)
        self.weight_decay = weight_decay
        self.terms: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        if name in ("arena", "run", "input_shape", "code_shape", "theta", "dtheta"):
            raise AttributeError(f"this Autoencoder has no {name} yet; call build(input_shape) first")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def build(
        self,
        input_shape: Sequence[int],
        *,
        seed: int = 0,
        dtype: str = "float32",
        kernels: ModuleType | None = None,
        fuse: bool = True,
        recorded: bool = True,
    ) -> Self:
        """Plan all layers for samples of ``input_shape``, allocate, and draw the initial weights.

        Parameters
        ----------
        input_shape : sequence of int
            Shape of one sample: (features,) or (height, width, channels).
        seed : int, default 0
            Of the initial weights and of all noise.
        dtype : {"float32", "float64"}, default "float32"
        kernels : module, optional
            ``npae.kernels.reference`` for plain NumPy; compiled ones by default, where Numba is installed.
        fuse : bool, default True
            Let one fast layer do the work of several, such as convolution, ReLU and pooling; see ``npae.layers.fused``.
        recorded : bool, default True
            In training, record the kernels that a step calls and run the recording from then on. False calls
            ``forward`` and ``backward`` of every layer at every step, with the same bits, so that a breakpoint or a
            print in them works; give ``fuse=False`` as well to see the plain layers instead of the fused ones.
        """
        self.plan(input_shape, seed=seed, dtype=dtype, kernels=kernels, fuse=fuse, recorded=recorded)
        self.arena.allocate()
        return self

    def plan(
        self,
        input_shape: Sequence[int],
        *,
        seed: int = 0,
        dtype: str = "float32",
        kernels: ModuleType | None = None,
        fuse: bool = True,
        recorded: bool = True,
    ) -> None:
        """The first half of ``build``: shapes are known and agree, nothing is allocated."""
        for layer in (layer for slot in self._slots() for layer in slot.layers):
            owner = layer.network() if layer.network is not None else None
            if owner is not None and owner is not self:
                raise ValueError(f"the layer {layer!r} belongs to another network; make a new one for this network")
            layer.network = weakref.ref(self)
        arena = Arena(dtype, kernels or default_kernels(), seed)
        self.input_shape = tuple(int(n) for n in input_shape)
        if not self.input_shape or min(self.input_shape) < 1:
            raise ValueError(f"input_shape is {self.input_shape}; expected the shape of one sample, all at least 1")
        arena.add(self.corrupt, self.input_shape, "corrupt")
        if arena.parameter_shapes() or arena.penalized:
            raise ValueError("corrupt holds a layer that learns or has a penalty; put it into the encoder")
        hidden_shape = arena.add(self.encoder, self.input_shape, "encoder")
        self.code_shape = arena.add(self.code, hidden_shape, "code")
        output_shape = arena.add(self.decoder, self.code_shape, "decoder")
        if output_shape != self.input_shape:
            raise ValueError(
                f"the decoder returns samples of shape {output_shape}, but the input has {self.input_shape}; "
                f"change the decoder's last layers so that both agree"
            )
        self.loss.plan(output_shape, arena)
        self.fuse, self.recorded = fuse, recorded
        if fuse:
            for chain in (self.encoder, self.decoder):
                chain.steps = fused(chain.layers, arena, chain.name)
        self._learning = self._from_the_first_that_learns(arena)
        self._encodings: dict[int, Any] = {}  # recorded encodings by their number of threads
        self._drawing = [layer for layer in arena.layers.values() if type(layer).draw is not Layer.draw]
        for layer in arena.layers.values():
            # A network and its memory are gone with the last reference to it; a circle would wait for a collector.
            layer.arena = weakref.proxy(arena)
        self.arena, self.run = arena, arena.run

    def _from_the_first_that_learns(self, arena: Arena) -> list[Layer]:
        """The encoder's steps that a gradient must pass: from the first with parameters on, which needs no dx."""
        for i, step in enumerate(self.encoder.steps):
            for layer in step.plain if isinstance(step, FusedLayer) else [step]:
                # by name, since the parameters may be those of layers within it
                if any(name.startswith(f"{layer.name}.") for name in arena.parameter_shapes()):
                    layer.needs_dx = False
                    return self.encoder.steps[i:]
        return []

    @property
    def theta(self) -> Array:
        """All parameters (size,)."""
        return self.arena.theta

    @theta.setter
    def theta(self, value: Array) -> None:
        self.arena.theta[...] = value

    @property
    def dtheta(self) -> Array:
        """The gradient by each (size,)."""
        return self.arena.dtheta

    # All layers at once

    @property
    def is_recordable(self) -> bool:
        """Whether a step may be recorded: it is wanted, and all layers are npae's own, which only call kernels."""
        return self.recorded and all(
            type(layer).__module__.startswith("npae.layers.") for layer in self.arena.layers.values()
        )

    @contextmanager
    def recording(self, program: Program) -> Iterator[None]:
        """Within, the kernels that layers and loss call are added to the program instead."""
        self._use(Recorder(self.arena.kernels, program))
        try:
            yield
        finally:
            self._use(self.arena.kernels)

    def _use(self, kernels: Any) -> None:
        for layer in self.arena.layers.values():
            layer.kernels = kernels
        self.loss.kernels = kernels

    def record_encoding(self, x: Array, program: Program) -> Array:
        """Add to the program what encoding the batch x does; the codes are in the buffer that is returned."""
        raise NotImplementedError

    def draw(self) -> None:
        """What a recorded pass needs anew for each step."""
        self.run.training = True
        for layer in self._drawing:
            layer.draw()
        self.run.training = False

    @contextmanager
    def _training(self) -> Iterator[None]:
        """Noise is drawn within."""
        self.run.training = True
        try:
            yield
        finally:
            self.run.training = False

    # Description

    def config(self) -> dict[str, Any]:
        """Everything that ``from_config`` needs for an equal, unbuilt network; plain JSON."""
        return {
            "encoder": to_config(self.encoder.layers),
            "decoder": to_config(self.decoder.layers),
            "loss": self.loss.name,
            "corrupt": to_config(self.corrupt.layers),
            "code": to_config(self.code.layers),
            "weight_decay": self.weight_decay,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], layers: Iterable[type[Layer]] = ()) -> Self:
        """The network that ``config`` describes; ``layers`` are layer classes of your own."""
        arguments = dict(config)
        for slot in ("encoder", "decoder", "corrupt", "code"):
            arguments[slot] = from_config(arguments[slot], layers)
        return cls(**arguments)

    def replica(self, shard: int) -> Self:
        """Another network with the same θ, and with gradients, activations and noise of its own."""
        other = type(self).from_config(self.config(), self._layer_types())
        other.plan(
            self.input_shape,
            seed=self.run.seed,
            dtype=self.arena.dtype.name,
            kernels=self.arena.kernels,
            fuse=self.fuse,
            recorded=self.recorded,
        )
        other.arena.allocate(self.theta)
        other.run.shard = shard
        return other

    def _layer_types(self) -> list[type[Layer]]:
        types = {type(layer) for slot in self._slots() for layer in slot.layers}
        return sorted(types, key=lambda cls: cls.__name__)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: the description and θ; views and buffers are made anew."""
        state: dict[str, Any] = {"config": self.config(), "layers": self._layer_types()}
        if hasattr(self, "arena"):
            state["build"] = (self.input_shape, self.run.seed, self.arena.dtype.name, self.fuse, self.recorded)
            state["compiled"] = self.arena.kernels is not reference_kernels()
            state["theta"], state["step"] = self.theta.copy(), self.run.step
            state["columns"] = self.columns
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        fresh = type(self).from_config(state["config"], state["layers"])
        if "build" in state:
            input_shape, seed, dtype, fuse, recorded = state["build"]
            kernels = default_kernels() if state["compiled"] else reference_kernels()
            fresh.build(input_shape, seed=seed, dtype=dtype, kernels=kernels, fuse=fuse, recorded=recorded)
            fresh.theta[...] = state["theta"]
            fresh.run.step = state["step"]
            fresh.columns = state.get("columns")
        self.__dict__.update(fresh.__dict__)

    def _slots(self) -> tuple[Chain, Chain, Chain, Chain]:
        return self.corrupt, self.encoder, self.code, self.decoder

    def summary(self) -> str:
        """A table: layer, output shape, parameters, multiply-adds and bytes of buffers for one sample.

        A fused layer follows those whose work it does; the buffers are its own, all else is theirs.
        """
        return summary(self.arena, self.loss)
