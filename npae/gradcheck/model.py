"""Check a whole autoencoder: the gradient of its loss by every parameter."""

from types import ModuleType
from typing import Any

import numpy as np

from npae.gradcheck.engine.examine import CheckSettings, examine
from npae.gradcheck.engine.larger_batch import larger_batch, more_samples
from npae.gradcheck.engine.ratio import sizes_of
from npae.gradcheck.engine.subject import Subject, copy_parameters
from npae.gradcheck.layer import check_layer
from npae.gradcheck.report.findings import Invariant
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import KINKED, Verdict
from npae.kernels import default_kernels
from npae.layers import Chain, Dense, Layer, TiedDense
from npae.network.autoencoder import Autoencoder
from npae.network.condition import given
from npae.utils.types import Array
from npae.utils.validation import check_dense


class ModelSubject(Subject):
    """F = the training loss of a batch: mean loss of the samples, mean of each activity penalty, and weight penalty.

    The network is rebuilt in float64 from its configuration, with the same parameters and at the same step, so its
    noise, a function of (seed, layer, step), is fixed. F's gradient is what ``Autoencoder.gradient`` writes into dθ;
    the upstream gradient is fixed too.
    """

    def __init__(
        self, net: Autoencoder, x: Array, target: Array | None, kernels: ModuleType, dtype: str = "float64"
    ) -> None:
        self._kernels = kernels
        self.net = in_precision(net, x, kernels, dtype)
        self.dtype, self.eps = np.dtype(dtype).type, float(np.finfo(dtype).eps)
        self.x = np.array(x, dtype=dtype, order="C")
        self.target = None if target is None else np.array(target, dtype=dtype, order="C")
        self.given = self.x.copy()
        n_labels = self.net.condition.n_labels
        self.labels = np.arange(len(x)) % n_labels if n_labels else None
        self.blocks = {name: value for name, value, _ in self.net.arena.parameters()}
        self.known = sizes_of({"x": self.x})
        self.has_upstream = False

    def enlarged(self, generator: np.random.Generator) -> "ModelSubject":
        """The same network with the same parameters, and more samples."""
        x = more_samples(self.x, generator)
        target = None if self.target is None else more_samples(self.target, generator)
        return ModelSubject(self.net, x, target, self._kernels, np.dtype(self.dtype).name)

    def output(self) -> Array:
        self.net.arena.resize(len(self.x))
        self.net.condition.set(*given(self.labels))
        with self.net._training():  # the forward pass of Autoencoder.gradient
            self.net._forward(self.x, self.x if self.target is None else self.target, len(self.x))
        parts = [self.net.loss.losses, *(layer.penalty for layer in self.net.arena.penalized)]
        return np.concatenate([*parts, [self.net.weight_penalty()]]).astype(np.float64)

    def upstream(self, generator: np.random.Generator) -> Array:
        """1/N for each sample's loss and penalties, and 1 for the weight penalty; nothing is random."""
        n = len(self.x) * (1 + len(self.net.arena.penalized))
        return np.concatenate([np.full(n, 1 / len(self.x)), [1.0]])

    def gradients(self, u: Array) -> dict[str, Array]:
        self.net.gradient(self.x, self.target, labels=self.labels)
        return {name: gradient.astype(np.float64) for name, _, gradient in self.net.arena.parameters()}

    def overwritten(self) -> list[str]:
        return [] if np.array_equal(self.x, self.given) else ["the samples"]


def in_precision(net: Autoencoder, x: Array, kernels: ModuleType, dtype: str) -> Autoencoder:
    """A copy of a network in a precision; one that is not built gets random parameters, biases too."""
    built = hasattr(net, "arena")
    fresh = type(net).from_config(net.config(), net._layer_types())
    shape = net.input_shape if built else x.shape[1:]
    fresh.build(shape, seed=net.run.seed if built else 0, dtype=dtype, kernels=kernels)
    if built:
        fresh.run.step = net.run.step
        copy_parameters(net.arena, fresh.arena)
    else:
        rng = np.random.default_rng(0)
        for _, value, _ in fresh.arena.parameters():
            value += rng.normal(0, 0.1, value.shape)
    return fresh


def check_model(
    model: Any,
    x: Array,
    *,
    target: Array | None = None,
    mode: str = "full",
    budget_s: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    kernels: ModuleType | None = None,
    nondet_tol: float = 0.0,
    keep_dtype: bool = False,
) -> Report:
    """Check the gradient of a model's loss by every parameter.

    Parameters
    ----------
    model : Autoencoder, or a fitted estimator
        It is not changed: a float64 copy is checked, at the model's parameters. A network that is not built gets
        random parameters, which is the stronger check: biases of 0 hide mistakes and put units at kinks.
    x : ndarray of shape (N, ``*input_shape``)
        A few samples that all differ; the time grows with N. Of a conditional network each gets one of the labels in
        turn.
    target : ndarray of x's shape, optional
        The targets of the reconstruction; x by default.
    mode, budget_s, seed
        As for ``check``.
    tolerance : float, default 1e-4
        As for ``check``, but larger, since with ReLU and max-pooling most steps pass near kinks.
    kernels : module, optional
        ``npae.kernels.reference``, or the compiled ones: the default where Numba is installed.
    nondet_tol : float, default 0
        As for ``check``.
    keep_dtype : bool, default False
        Check a copy in the model's own precision, not in float64; in float32 the default tolerance is 2e-3.

    Returns
    -------
    Report
        Where a block is wrong, ``parts`` has the reports of the layers that are wrong when checked alone, and
        ``names`` the known mistakes found in them.

    Raises
    ------
    ValueError
        Where the model is neither an Autoencoder nor a fitted estimator, x is no batch of samples, or mode, budget or
        tolerance is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check_model
    >>> from npae.recipes import vanilla
    >>> x = np.random.default_rng(0).random((3, 6))
    >>> print(check_model(vanilla((6,), code_size=2, activation="tanh"), x).verdict)
    PASS
    """
    net = getattr(model, "network_", model)
    if not isinstance(net, Autoencoder):
        raise ValueError(f"{type(model).__name__} is no Autoencoder and no fitted estimator; build or fit one first")
    dtype = str(net.arena.dtype) if keep_dtype and hasattr(net, "arena") else "float32" if keep_dtype else "float64"
    plan = CheckSettings(mode, budget_s, tolerance or (KINKED if dtype == "float64" else None), seed, nondet_tol)
    x, target = check_dense(x, "x"), None if target is None else check_dense(target, "target")
    if x.ndim < 2 or len(x) == 0:
        raise ValueError(f"x has shape {x.shape}; expected a batch of samples (N, …)")
    kernels = kernels or default_kernels()
    subject = ModelSubject(net, x, target, kernels, dtype)
    report = examine(subject, type(model).__name__, plan, subject.upstream(plan.generator("upstream")))
    report.invariants += noise_invariant(subject)
    if report.verdict is not Verdict.WRONG:
        report.invariants += larger_batch(subject, plan.generator("larger"))
    if report.verdict is Verdict.WRONG:
        report.parts = wrong_layers(subject.net, kernels, seed)
        report.names = [name for part in report.parts for name in part.names]
        if not report.parts:
            report.notes.append(
                "every layer is right when checked alone; look at how they are connected, at the loss and the penalties"
            )
    return report


def noise_invariant(subject: ModelSubject) -> list[Invariant]:
    """Noise differs between seeds and between training steps; nothing to check in a network without noise."""
    run = subject.net.run
    drawn = subject.output()
    without = subject.net.losses(subject.x, subject.target, labels=subject.labels)
    if np.allclose(_sums(drawn, len(without)), without):
        return []
    same = []
    for what in ("seed", "step"):
        setattr(run, what, getattr(run, what) + 1)
        if np.array_equal(subject.output(), drawn):
            same.append(what)
        setattr(run, what, getattr(run, what) - 1)
    return [
        Invariant("noise is drawn anew", not same, f"another {' and '.join(same)} gives the same noise" if same else "")
    ]


def _sums(terms: Array, n: int) -> Array:
    """The loss of each sample, penalties included, from the outputs of a ModelSubject."""
    sums: Array = terms[:-1].reshape(-1, n).sum(axis=0)
    return sums


def wrong_layers(net: Autoencoder, kernels: ModuleType, seed: int) -> list[Report]:
    """The reports on the layers that are wrong when checked alone, at random inputs and parameters."""
    reports = []
    for name, layer in net.arena.layers.items():
        if isinstance(layer, Chain) or _is_within(name, net):
            continue
        alone, shape = _alone(layer)
        report = check_layer(alone, shape, mode="fast", seed=seed, kernels=kernels)
        if report.verdict is Verdict.WRONG:
            report.subject = f"{name}: {report.subject}"
            reports.append(report)
    return reports


def _is_within(name: str, net: Autoencoder) -> bool:
    """Whether a layer is a part of a layer that is no chain, such as the heads of a ``Reparameterization``."""
    owner = net.arena.layers.get(name.rpartition(".")[0])
    return owner is not None and not isinstance(owner, Chain)


def _alone(layer: Layer) -> tuple[Layer, tuple[int, ...]]:
    """An unbuilt copy of a layer and its input's shape; a tied layer comes in a chain with the layer it is tied to."""
    if isinstance(layer, TiedDense):
        return Chain([Dense(layer.partner.units), type(layer)("chain.0")]), layer.partner.input_shape
    return type(layer)(**layer.config()), layer.input_shape
