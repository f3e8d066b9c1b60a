"""Base class of networks: four slots of layers and a loss; planning, allocation, configuration and copies.

The forward and backward pass are in ``npae.network.autoencoder``.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter, methodcaller
from types import ModuleType
from typing import Any, Self

from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution.program import Program, Recorder
from npae.layers.arena import Arena
from npae.layers.base import Chain, Layer, settable_names
from npae.layers.fused import FusedLayer, fused
from npae.layers.losses import loss_by_name
from npae.network.condition import Condition
from npae.network.config import from_config, to_config
from npae.network.drawing import Drawing, draw
from npae.network.summary import summary
from npae.utils.columns import Columns
from npae.utils.scalars import real_number, truth_value, whole_numbers
from npae.utils.types import Array


def _is_own(layer: Layer) -> bool:
    """Whether it is one of npae's, which only call kernels and are described by their constructor's arguments."""
    return type(layer).__module__.startswith("npae.layers.")


def _settings_of(layer: Layer) -> Callable[[Layer], Any] | None:
    """A function that reads the settings of a layer; None where it has none."""
    if not _is_own(layer):
        return methodcaller("config")
    names = settable_names(layer)
    return attrgetter(*names) if names else None


class Network:
    """Four slots of layers and a loss; ``npae.Autoencoder`` describes the parameters."""

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
        self.corrupt, self.encoder = Chain(corrupt), Chain(encoder)
        self.code, self.decoder = Chain(code), Chain(decoder)
        self.loss = loss_by_name(loss)
        self.weight_decay = real_number(weight_decay, "weight_decay", least=0)
        self.terms: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        if name in ("arena", "run", "condition", "input_shape", "code_shape", "theta", "dtheta"):
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
            Seed of the initial weights and of all noise.
        dtype : {"float32", "float64"}, default "float32"
            Of parameters, gradients and activations.
        kernels : module, optional
            ``npae.kernels.reference`` for plain NumPy; by default ``npae.kernels.compiled`` where Numba is installed.
        fuse : bool, default True
            Replace sequences of layers, such as convolution, ReLU and pooling, by one faster layer; see
            ``npae.layers.fused``.
        recorded : bool, default True
            In training, record the kernel calls of the first step and replay them afterwards. False calls
            ``forward`` and ``backward`` of every layer at every step, with the same bits, so that a breakpoint or a
            print in them works; give ``fuse=False`` as well to see the plain layers instead of the fused ones.

        Returns
        -------
        Network
            This network.

        Raises
        ------
        ValueError
            If the layers do not fit each other or ``input_shape``, or if one belongs to another network.
        MemoryError
            If the parameters do not fit in free memory.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,), seed=1)
        >>> net.code_shape, net.theta.dtype.name
        ((2,), 'float32')
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
        """The first half of ``build``: determine and check all shapes, allocate nothing.

        Parameters
        ----------
        input_shape, seed, dtype, kernels, fuse, recorded
            As for ``build``.

        Raises
        ------
        ValueError
            If the layers do not fit each other or ``input_shape``, or if one belongs to another network.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse")
        >>> net.plan((5,))
        >>> net.code_shape, net.arena.is_allocated
        ((2,), False)
        """
        for layer in (layer for slot in self._slots() for layer in slot.layers):
            owner = layer.network() if layer.network is not None else None
            if owner is not None and owner is not self:
                raise ValueError(f"the layer {layer!r} belongs to another network; make a new one for this network")
            layer.network = weakref.ref(self)
        arena = Arena(dtype, kernels or default_kernels(), seed)
        self.input_shape = whole_numbers(input_shape, "input_shape")
        if not self.input_shape:
            raise ValueError("input_shape is (); expected the shape of one sample, such as (784,) or (28, 28, 1)")
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
        self.condition = Condition(self.decoder, others=(self.corrupt, self.encoder, self.code))
        self.loss.plan(output_shape, arena)
        self.fuse, self.recorded = truth_value(fuse, "fuse"), truth_value(recorded, "recorded")
        if self.fuse:
            for chain in (self.encoder, self.decoder):
                chain.steps = fused(chain.layers, arena, chain.name)
        self._learning = self._from_the_first_that_learns(arena)
        self._encodings: dict[int, Any] = {}  # recorded encodings by their number of threads
        self._of_few: Any = None  # recorded encodings of a few rows, from the first on
        self._check: Any = None  # the recorded look at the values of a large array, from the first on
        self._are_own = all(_is_own(layer) for layer in arena.layers.values())
        layers = [layer for slot in self._slots() for layer in slot.layers]
        self._settable = [(layer, settings) for layer in layers if (settings := _settings_of(layer)) is not None]
        self._drawing = [layer for layer in arena.layers.values() if type(layer).draw is not Layer.draw]
        for layer in arena.layers.values():
            # A weak reference: a reference cycle would keep the memory until the garbage collector runs.
            layer.arena = weakref.proxy(arena)
        self.arena, self.run = arena, arena.run

    def _from_the_first_that_learns(self, arena: Arena) -> list[Layer]:
        """The encoder's steps from the first with parameters on, whose ``needs_dx`` becomes False."""
        for i, step in enumerate(self.encoder.steps):
            for layer in step.plain if isinstance(step, FusedLayer) else [step]:
                # by name, since a layer may contain the layers that have the parameters
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
        """The gradient of the loss by all parameters (size,)."""
        return self.arena.dtheta

    # All layers at once

    @property
    def is_recordable(self) -> bool:
        """Whether a step can be recorded: ``recorded`` is set, and all layers are npae's, which only call kernels."""
        return self.recorded and self._are_own

    @contextmanager
    def recording(self, program: Program) -> Iterator[None]:
        """Context in which kernel calls of the layers and the loss are added to the program instead of being made.

        Parameters
        ----------
        program : Program
            Takes the calls.

        Yields
        ------
        None

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.kernels.execution.program import Program
        >>> from npae.layers import Dense
        >>> net, program = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)), Program()
        >>> net.arena.resize(3)
        >>> with net.recording(program):
        ...     y = net.encoder.forward(np.ones((3, 5), dtype="float32"))
        >>> len(program)  # y is a buffer, computed when the program runs
        1
        """
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
        """Record the encoding of a batch in a program.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``
            A buffer, whose contents are read when the program runs.
        program : Program
            Takes the calls.

        Returns
        -------
        ndarray of shape ``(N, *code_shape)``
            The buffer that will hold the codes.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.kernels.execution.program import Program
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.record_encoding(np.ones((3, 5), dtype="float32"), Program()).shape
        (3, 2)
        """
        raise NotImplementedError

    def draw_noise(self) -> None:
        """Update what depends on the step, such as the keys of random numbers, before recorded steps are replayed.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense, GaussianNoise
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse", corrupt=[GaussianNoise(0.1)]).build((5,))
        >>> net.arena.resize(1)
        >>> net.draw_noise()
        >>> net.corrupt.layers[0].key.shape
        (6,)
        """
        self.run.training = True
        for layer in self._drawing:
            layer.draw()
        self.run.training = False

    @contextmanager
    def _training(self) -> Iterator[None]:
        """Context of training mode: noise layers and the variational code draw random numbers."""
        self.run.training = True
        try:
            yield
        finally:
            self.run.training = False

    # Description

    def config(self) -> dict[str, Any]:
        """The layers of each slot, the loss and the weight decay as plain JSON values, for ``from_config``.

        Returns
        -------
        dict of str to object

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> config = Autoencoder([Dense(2)], [Dense(5)], loss="mse").config()
        >>> config["loss"], config["encoder"][0]["type"]
        ('mse', 'Dense')
        """
        return {
            "encoder": to_config(self.encoder.layers),
            "decoder": to_config(self.decoder.layers),
            "loss": self.loss.name,
            "corrupt": to_config(self.corrupt.layers),
            "code": to_config(self.code.layers),
            "weight_decay": self.weight_decay,
        }

    def settings(self) -> tuple[Any, ...]:
        """What ``config`` has, without names: quick to make and to compare with an earlier one of the same network.

        Returns
        -------
        tuple of object

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense, GaussianNoise
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse", corrupt=[GaussianNoise(0.1)]).build((5,))
        >>> before = net.settings()
        >>> net.corrupt.layers[0].level = 0.2
        >>> net.settings() == before
        False
        """
        return (self.loss.name, self.weight_decay, *[settings(layer) for layer, settings in self._settable])

    @classmethod
    def from_config(cls, config: Mapping[str, Any], layers: Iterable[type[Layer]] = ()) -> Self:
        """A new, unbuilt network from the result of ``config``.

        Parameters
        ----------
        config : dict
        layers : iterable of classes, default none
            User-defined layer classes that occur in ``config``.

        Returns
        -------
        Network

        Raises
        ------
        ValueError
            For a layer type that is unknown.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse")
        >>> Autoencoder.from_config(net.config()).decoder.layers
        [Dense(units=5, initializer='glorot_uniform')]
        """
        arguments = dict(config)
        for slot in ("encoder", "decoder", "corrupt", "code"):
            arguments[slot] = from_config(arguments[slot], layers)
        return cls(**arguments)

    def replica(self, shard: int) -> Self:
        """A built network that shares θ with this one and has its own gradients, activations and noise.

        Parameters
        ----------
        shard : int
            The replica's index, which enters the key of the noise; this network has 0.

        Returns
        -------
        Network

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> other = net.replica(1)
        >>> other.theta is net.theta, other.dtheta is net.dtheta
        (True, False)
        """
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
        """State for copies and pickles: configuration, θ and step; views and buffers are rebuilt."""
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

        A fused layer is listed after the layers that it replaces: it has the buffers, they have the other figures.

        Returns
        -------
        str

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> print(Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)).summary())
        layer ...
        """
        return summary(self.arena, self.loss)

    def draw(self) -> Drawing:
        """A picture of the architecture as SVG text: one bar a layer, as wide as the layer's output is large.

        Widths are logarithmic. The code is red, and each bar says what the layer is and the shape of its output.

        Returns
        -------
        str
            Notebooks show it as a picture; ``Path("net.svg").write_text(net.draw(), encoding="utf-8")`` saves it.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> "Dense 2, code z" in net.draw()
        True
        """
        return draw(self)
