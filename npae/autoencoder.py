"""The one network behind all five types: four slots and a loss.

::

    x ──corrupt──▶ x̃ ──encoder──▶ h ──code──▶ z ──decoder──▶ x̂ ──loss──▶ L
                                                                         │
    dθ ◀─encoder⁻¹── dh ◀──code⁻¹── dz ◀──decoder⁻¹── dx̂ ◀───loss⁻¹──────┘
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

import numpy as np

from npae.arena import Arena
from npae.blocks import RecordedEncoding, block_size, in_blocks
from npae.configuration import from_config, to_config
from npae.crew import crew_of, parts
from npae.kernels import default_kernels, reference_kernels
from npae.kernels.program import Program, Recorder
from npae.layers.base import Chain, Layer
from npae.layers.fused import FusedLayer, fused
from npae.losses import loss_by_name
from npae.summary import summary
from npae.types import Array
from npae.validation import check_number, check_samples, refuse_non_finite

LARGE = 2**18  # values of an array that is worth looking at with several threads


class Autoencoder:
    """A network that learns to rebuild its input from a small code.

    Parameters
    ----------
    encoder, decoder : sequence of Layer
    loss : {"bce", "bce_on_probabilities", "mse"}, default "bce"
        See ``npae.losses``. With "bce" the decoder's output is a logit, and users see its sigmoid.
    corrupt : sequence of Layer, default none
        Noise on the input while training; the target stays clean.
    code : sequence of Layer, default none
        What lies between encoder and decoder: ``Reparameterization``, ``ActivityL1``.
    weight_decay : float, default 0.0
        λ of the penalty ½ λ Σ W² on all weights (not on biases).

    Attributes
    ----------
    terms : dict of str to float
        The parts of the last gradient's loss: "reconstruction", and "kl", "activity", "weight_decay" where present.

    Examples
    --------
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense, ReLU
    >>> net = Autoencoder([Dense(8), ReLU(), Dense(2)], [Dense(8), ReLU(), Dense(16)], loss="mse").build((16,))
    >>> net.gradient(np.ones((4, 16), dtype="float32")) > 0
    True
    """

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
        """
        self.plan(input_shape, seed=seed, dtype=dtype, kernels=kernels, fuse=fuse)
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
        self.fuse = fuse
        if fuse:
            for chain in (self.encoder, self.decoder):
                chain.steps = fused(chain.layers, arena, chain.name)
        self._learning = self._from_the_first_that_learns(arena)
        self._encodings: dict[int, RecordedEncoding] = {}
        self._drawing = [layer for layer in arena.layers.values() if type(layer).draw is not Layer.draw]
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

    # Training

    def gradient(self, x: Array, target: Array | None = None) -> float:
        """The loss of a batch; its gradient by every parameter is left in ``dtheta``.

        The noise is that of ``run.step``, so the same call gives the same number until ``run.step`` moves on.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``
        target : ndarray of the same shape, optional
            What to rebuild; x itself by default.

        Returns
        -------
        float
            Mean over the batch of the loss of each sample, penalties included, plus weight decay.
        """
        x = self.check(x, as_target=target is None)
        target = x if target is None else self._check_target(target, len(x))
        totals = np.zeros(len(self.term_names))
        with self.arena.lock:
            self._pass(x, target, len(x), totals)
        return self.finish_gradient(self.terms_of([totals], len(x)))

    def _pass(self, x: Array, target: Array, n: int, totals: Array) -> None:
        """The part that x has in a batch of ``n``, in training: dθ, and the total of each term over the samples."""
        with self._training():
            _, dy = self._forward(x, target, n)
            self._backward(dy)
        for i, (owner, values) in enumerate(self._losses_and_penalties()):
            owner.kernels.total(values, totals[i : i + 1])

    def _losses_and_penalties(self) -> list[tuple[Any, Array]]:
        return [(self.loss, self.loss.losses), *((layer, layer.penalty) for layer in self.arena.penalized)]

    @property
    def term_names(self) -> list[str]:
        """What ``_pass`` totals: the loss, and each layer's penalty."""
        return ["reconstruction", *(layer.penalty_name for layer in self.arena.penalized)]

    def terms_of(self, totals: Iterable[Array], n: int) -> dict[str, float]:
        """The terms of the loss of a batch of ``n``, from the totals of its parts in their order."""
        terms: dict[str, float] = {}
        for part in totals:
            for name, total in zip(self.term_names, part.tolist(), strict=True):
                terms[name] = terms.get(name, 0.0) + total / n
        return terms

    @property
    def is_recordable(self) -> bool:
        """Whether all layers are npae's own: nobody knows what another's does besides calling kernels."""
        return all(type(layer).__module__.startswith("npae.layers.") for layer in self.arena.layers.values())

    def record_pass(self, x: Array, target: Array, n: int, totals: Array, program: Program) -> None:
        """Add to the program what ``gradient`` does with x, a part of a batch of ``n``: dθ, and the terms' ``totals``.

        npae's own layers do nothing but call kernels, so that their calls are all there is to it. What is known of
        somebody else's layer is only that it can be called.
        """
        if self.is_recordable:
            self._use(Recorder(self.arena.kernels, program))
            try:
                self._pass(x, target, n, totals)
            finally:
                self._use(self.arena.kernels)
        else:
            program.add(self._pass, x, target, n, totals)

    def _use(self, kernels: Any) -> None:
        for layer in self.arena.layers.values():
            layer.kernels = kernels
        self.loss.kernels = kernels

    def draw(self) -> None:
        """What a recorded pass needs anew for each step."""
        self.run.training = True
        for layer in self._drawing:
            layer.draw()
        self.run.training = False

    def finish_gradient(self, terms: dict[str, float]) -> float:
        """Add what belongs to no sample: L += ½ λ ‖W‖², so dW += λ W. The weights are the first part of θ."""
        self.terms = terms
        if self.weight_decay:
            self.terms["weight_decay"] = self.weight_penalty()
            W, dW = self.theta[self.arena.decayed], self.dtheta[self.arena.decayed]
            self.arena.kernels.add_scaled(W, self.weight_decay, dW)
        return sum(self.terms.values())

    def _forward(self, x: Array, target: Array, n: int) -> tuple[Array, Array]:
        self.arena.resize(len(x))
        self.run.sample_weight = 1 / n
        h = self.encoder.forward(self.corrupt.forward(x))
        z = self.code.forward(h)
        return self.loss.value_and_gradient(self.decoder.forward(z), target)

    def _backward(self, dy: Array) -> None:
        dz = self.decoder.backward(dy)
        dh = self.code.backward(dz)
        for layer in reversed(self._learning):
            dh = layer.backward(dh)

    def weight_penalty(self) -> float:
        """½ λ ‖W‖², which no single sample's loss holds."""
        W = self.theta[self.arena.decayed]
        return 0.5 * self.weight_decay * float(W @ W)

    # Use: no noise, no gradient, any number of samples

    def encode(self, x: Array, *, n_jobs: int = 1) -> Array:
        """Codes ``(n, *code_shape)`` of x ``(n, *input_shape)``; of a variational network the means.

        Many samples are shared out among ``n_jobs`` threads.
        """
        is_long = isinstance(x, np.ndarray) and x.ndim > 0 and len(x) >= 2 * block_size(self.arena)
        if not (is_long and self.is_recordable):
            return in_blocks(self.arena, self._code_of, self.code_shape, self.check(x))
        x = check_samples(x, self.input_shape, self.arena.dtype, "samples", is_within=lambda *_: True)
        with self.arena.lock:
            codes, is_finite = self._recorded_encoding(n_jobs).encode(x)
        if not is_finite:
            refuse_non_finite(x, "samples")
        return codes

    def _code_of(self, x: Array) -> Array:
        return self.code.forward(self.encoder.forward(x))

    def _recorded_encoding(self, n_jobs: int) -> RecordedEncoding:
        self.arena.resize(block_size(self.arena))
        recorded = self._encodings.get(n_jobs)
        if recorded is None or recorded.recorded_for != recorded.present():
            recorded = self._encodings[n_jobs] = RecordedEncoding(self, n_jobs)
        return recorded

    def record_encoding(self, x: Array, program: Program) -> Array:
        """Add to the program what ``encode`` does with the block x; the codes are in the buffer that is returned."""
        self.arena.resize(len(x))
        self._use(Recorder(self.arena.kernels, program))
        try:
            return self._code_of(x)
        finally:
            self._use(self.arena.kernels)

    def decode(self, z: Array) -> Array:
        """Samples ``(n, *input_shape)`` rebuilt from codes z ``(n, *code_shape)``."""
        z = check_samples(z, self.code_shape, self.arena.dtype, "codes")
        return in_blocks(self.arena, lambda z: self._visible(self.decoder.forward(z)), self.input_shape, z)

    def reconstruct(self, x: Array) -> Array:
        """``decode(encode(x))``."""
        return self.decode(self.encode(x))

    def losses(self, x: Array, target: Array | None = None) -> Array:
        """Each sample's loss (n,), penalties included and noise not; of a variational network at the mean code."""
        x = self.check(x, as_target=target is None)
        target = x if target is None else self._check_target(target, len(x))
        return in_blocks(self.arena, self._losses, (), x, target)

    def _losses(self, x: Array, target: Array) -> Array:
        losses, _ = self._forward(x, target, len(x))
        for layer in self.arena.penalized:
            losses += layer.penalty
        return losses

    def _visible(self, y: Array) -> Array:
        """The network's output as users see it."""
        if self.loss.on_logits:
            self.arena.kernels.sigmoid(y, self.loss.dy)
            return self.loss.dy
        return y

    def check(self, x: Any, *, as_target: bool = False, n_jobs: int = 1) -> Array:
        """x as a contiguous array of the network's dtype, or an error that says what is wrong with it."""

        def all_within(x: Array, low: float, high: float) -> bool:
            look, count = self.arena.kernels.count_within, np.zeros((n_jobs, 1), np.int64)
            if x.size < LARGE:
                look(x, low, high, count[0])
            else:
                flat, programs = x.reshape(-1), [Program() for _ in range(n_jobs)]
                for program, part, own in zip(programs, parts(flat, n_jobs), count, strict=True):
                    program.add(look, flat[part], low, high, own)
                crew_of(n_jobs).run(programs)
            return int(count.sum()) == x.size

        unit_interval = as_target and self.loss.needs_unit_interval
        return check_samples(
            x, self.input_shape, self.arena.dtype, "samples", unit_interval=unit_interval, is_within=all_within
        )

    def _check_target(self, target: Any, n: int) -> Array:
        targets = self.check(target, as_target=True)
        if len(targets) != n:
            raise ValueError(f"{n} samples and {len(targets)} targets were given; give one target for each sample")
        return targets

    def first_non_finite(self, x: Array) -> str | None:
        """The name of the first layer whose output for the batch x, in training, is not finite, or None."""
        self.arena.resize(len(x))
        with self._training():
            for step in (step for slot in self._slots() for step in slot.steps):
                x = step.forward(x)
                if not np.isfinite(x).all():
                    return step.convolution.name if isinstance(step, FusedLayer) else step.name
        return None

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
            state["build"] = (self.input_shape, self.run.seed, self.arena.dtype.name, self.fuse)
            state["compiled"] = self.arena.kernels is not reference_kernels()
            state["theta"], state["step"] = self.theta.copy(), self.run.step
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        fresh = type(self).from_config(state["config"], state["layers"])
        if "build" in state:
            input_shape, seed, dtype, fuse = state["build"]
            kernels = default_kernels() if state["compiled"] else reference_kernels()
            fresh.build(input_shape, seed=seed, dtype=dtype, kernels=kernels, fuse=fuse)
            fresh.theta[...] = state["theta"]
            fresh.run.step = state["step"]
        self.__dict__.update(fresh.__dict__)

    def _slots(self) -> tuple[Chain, Chain, Chain, Chain]:
        return self.corrupt, self.encoder, self.code, self.decoder

    def summary(self) -> str:
        """A table: layer, output shape, parameters, multiply-adds and bytes of buffers for one sample.

        A fused layer follows those whose work it does; the buffers are its own, all else is theirs.
        """
        return summary(self.arena, self.loss)
