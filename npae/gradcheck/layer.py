"""Check a layer: one of npae's, any class with ``plan``, ``forward`` and ``backward``, or one of other code."""

import copy
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from npae.gradcheck.adapters import Adapter, usual_methods
from npae.gradcheck.bugs.identify import Call, name_report, without_crash
from npae.gradcheck.engine.examine import CheckSettings, examine, raised
from npae.gradcheck.engine.invariants import distance
from npae.gradcheck.engine.larger_batch import larger_batch, more_samples
from npae.gradcheck.engine.ratio import sizes_of
from npae.gradcheck.engine.subject import NoGradientError, Subject, copy_parameters
from npae.gradcheck.engine.window_hints import window_hints
from npae.gradcheck.foreign_layer import check_foreign_layer
from npae.gradcheck.report.findings import Invariant
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import FLOAT32, Verdict
from npae.kernels import default_kernels
from npae.layers import Chain
from npae.layers.arena import Arena
from npae.utils.types import Array, Shape
from npae.utils.validation import check_dense

T = TypeVar("T")
STEP = 5  # training step at which the layer is checked: after step 0, so that warm-ups have begun


class LayerSubject(Subject):
    """F = Σ u·y + the mean over the batch of the layer's penalties, if it has any.

    The layer is copied, so that the original is not changed, and built in float64.
    """

    def __init__(
        self, layer: Any, input_shape: Shape, x: Array, kernels: ModuleType, seed: int, dtype: str = "float64"
    ):
        self.layer = clone(layer)
        self._original, self._kernels, self._seed = layer, kernels, seed
        self.name = type(layer).__name__.lower()
        self.arena = Arena(dtype, kernels, seed)
        self.arena.add(self.layer, input_shape, self.name)
        self.arena.allocate()
        self.dtype, self.eps = np.dtype(dtype).type, float(np.finfo(dtype).eps)
        self.x = np.ascontiguousarray(x, dtype=dtype)
        self.run = self.arena.run
        self.run.training, self.run.step, self.run.sample_weight = True, STEP, 1 / len(x)
        self.blocks = {"x": self.x, **{self.short(name): value for name, value, _ in self.arena.parameters()}}
        self.affine = bool(self.arena.penalized)
        self.hints = window_hints(self.layer)
        self._overwritten: set[str] = set()
        self.shape: Shape = self.restoring(self.forward).shape
        self.known = sizes_of(self.blocks)
        beta = getattr(layer, "beta", None)
        if isinstance(beta, int | float):
            self.known["β"] = float(beta)

    def copied(self, x: Array, dtype: str | None = None) -> "LayerSubject":
        """The same layer with the same parameters, on other samples or in another precision."""
        precision = dtype or np.dtype(self.dtype).name
        copied = LayerSubject(self._original, x.shape[1:], x, self._kernels, self._seed, precision)
        copy_parameters(self.arena, copied.arena)
        return copied

    def enlarged(self, generator: np.random.Generator) -> "LayerSubject":
        """The same layer with the same parameters, and more samples."""
        larger = self.copied(more_samples(self.x, generator))
        larger.eps = self.eps
        return larger

    def short(self, name: str) -> str:
        """A parameter's name within the layer."""
        return name.removeprefix(f"{self.name}.")

    def forward(self, x: Array | None = None) -> Array:
        """y of the current x, or of the given batch."""
        x = self.x if x is None else x
        self.arena.resize(len(x))
        y: Array = np.asarray(self.layer.forward(x))
        return y.copy()

    def output(self) -> Array:
        y = self.forward()
        parts = [y.reshape(-1), *(layer.penalty.reshape(-1) for layer in self.arena.penalized)]
        return np.concatenate(parts).astype(np.float64)

    def restoring(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call, record which blocks the call overwrote, and restore them."""
        before = {name: block.copy() for name, block in self.blocks.items()}
        try:
            return call(*arguments)
        finally:
            for name, block in self.blocks.items():
                if not np.array_equal(block, before[name], equal_nan=True):
                    self._overwritten.add(name)
                    block[...] = before[name]

    def overwritten(self) -> list[str]:
        return sorted(self._overwritten)

    def upstream(self, generator: np.random.Generator) -> Array:
        u = generator.standard_normal(int(np.prod(self.shape)))
        penalties = np.full(len(self.x) * len(self.arena.penalized), self.run.sample_weight)
        return np.concatenate([u, penalties])

    def split(self, u: Array) -> Array:
        """The part of u that weights y."""
        return np.ascontiguousarray(u[: int(np.prod(self.shape))].reshape(self.shape), dtype=self.x.dtype)

    def gradients(self, u: Array) -> dict[str, Array]:
        self.forward()
        dy = self.split(u).copy()
        given = dy.copy()
        dx = self.layer.backward(dy)
        if not np.array_equal(dy, given, equal_nan=True):
            self._overwritten.add("the upstream gradient")
        if dx is None:
            raise NoGradientError(f"{type(self.layer).__name__}.backward returned None; it must return dx")
        gradients = {self.short(name): gradient for name, _, gradient in self.arena.parameters()}
        return {name: np.array(gradient, dtype=np.float64) for name, gradient in {"x": dx, **gradients}.items()}

    def call(self, u: Array) -> Call:
        """The inputs, outputs and gradients; of a ``Reparameterization``, those of μ and log σ²."""
        y, seen, layer = self.forward(), self.gradients(u), self.layer
        if all(hasattr(layer, name) for name in ("mu", "log_var", "eps", "dmu", "dlog_var", "penalty")):
            arrays = {name: getattr(layer, name).copy() for name in ("mu", "log_var", "eps")}
            heads = {"mu": layer.dmu.copy(), "log_var": layer.dlog_var.copy()}
            return Call(arrays, [y, np.asarray(layer.penalty.mean())], (self.split(u), 1.0), heads)
        return Call(dict(self.blocks), [y], self.split(u), seen).copy()


def clone(layer: Any) -> Any:
    """An unbuilt copy of a layer, with the same options."""
    for method in ("plan", "forward", "backward"):
        if not callable(getattr(layer, method, None)):
            raise ValueError(
                f"{layer!r} has no method {method}; a layer has plan(input_shape, arena), forward(x) and backward(dy)"
            )
    if isinstance(layer, type):
        raise ValueError(f"{layer.__name__} is a class; give a layer made from it, such as {layer.__name__}()")
    if isinstance(layer, Chain):
        return type(layer)([clone(part) for part in layer.layers])
    if hasattr(layer, "arena"):  # a built layer refers to its arena, which cannot be copied
        return type(layer)(**layer.config())
    return copy.deepcopy(layer)


def randomize(subject: LayerSubject, original: Any, generator: np.random.Generator) -> None:
    """Set every parameter: to that of a built original, else at random, biases too, so that no term is 0."""
    built = getattr(original, "arena", None)
    theirs = {} if built is None else {name: value for name, value, _ in built.parameters()}
    for name, value, _ in subject.arena.parameters():
        own = f"{getattr(original, 'name', '')}.{subject.short(name)}"
        if own in theirs:
            value[...] = theirs[own]
        else:
            fan_in = int(np.prod(value.shape[:-1])) if value.ndim > 1 else 4
            value[...] = generator.normal(0, 1 / np.sqrt(max(fan_in, 4)), value.shape)


def check_layer(
    layer: Any,
    input_shape: Shape,
    *,
    x: Array | None = None,
    mode: str = "full",
    budget_s: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    kernels: ModuleType | None = None,
    adapter: Adapter | None = None,
    nondet_tol: float = 0.0,
    keep_dtype: bool = False,
) -> Report:
    """Check the gradients of a layer by its input and by its parameters.

    Parameters
    ----------
    layer : Layer, or any object with ``plan``, ``forward`` and ``backward``, or a layer of other code
        It is copied; a built layer is checked at its own parameters, an unbuilt one at random parameters. A layer of
        other code has ``forward(x)`` and ``backward(dy)`` and no ``plan``; see ``adapter``.
    input_shape : tuple of int
        Shape of one sample. Sizes that all differ make the strongest check.
    x : ndarray of shape (N, ``*input_shape``), optional
        The batch at which to check; by default 2 to 5 samples of standard normal numbers.
    mode, budget_s, tolerance
        As for ``check``.
    seed : int, default 0
        Seed of x, parameters, noise and upstream gradient.
    kernels : module, optional
        ``npae.kernels.reference``, or the compiled ones: the default where Numba is installed.
    adapter : Adapter, optional
        Where a layer of other code has its parameters and gradients: one of ``npae.gradcheck.adapters``, or your own.
        By default the usual forms are tried: the dicts or lists ``params`` and ``grads``, and attributes W and dW. The
        report says where they were found. Such a layer is also checked with batches of 1, 2, 9 and 17 samples.
    nondet_tol : float, default 0
        As for ``check``.
    keep_dtype : bool, default False
        Check a layer of npae's form in the precision of ``x``, or in float32 where x is not given, and a layer of other
        code with the arrays that it has; the default tolerance is then 2e-3. Otherwise both are checked in float64.

    Returns
    -------
    Report
        A backward that raises gives a report with the verdict WRONG, not an exception.

    Raises
    ------
    ValueError
        Where the layer lacks a method, x does not have ``input_shape``, or mode, budget or tolerance is out of range.

    Examples
    --------
    >>> from npae.gradcheck import check_layer
    >>> from npae.layers import Dense
    >>> print(check_layer(Dense(3), (5,)).verdict)
    PASS
    """
    plan = CheckSettings(mode, budget_s, tolerance, seed, nondet_tol)
    shape = tuple(np.atleast_1d(input_shape).tolist())
    precision = _precision(x) if keep_dtype else "float64"
    if x is None:
        n = next(n for n in (3, 4, 5, 2) if n not in shape or n == 2)
        x = plan.generator("x").standard_normal((n, *shape))
    elif (x := check_dense(x, "x")).shape[1:] != shape or len(x) < 1:
        raise ValueError(f"x has shape {x.shape}, but input_shape {shape} asks for (N, {', '.join(map(str, shape))})")
    if adapter is not None or _is_foreign(layer):
        return check_foreign_layer(layer, np.array(x, dtype=precision, order="C"), adapter, plan, keep_dtype)
    kernels = kernels or default_kernels()
    subject = LayerSubject(layer, shape, x, kernels, seed, precision)
    randomize(subject, layer, plan.generator("parameters"))
    title = type(layer).__name__ if " object at " in repr(layer) else repr(layer)
    u = subject.upstream(plan.generator("upstream"))
    try:
        subject.restoring(subject.gradients, u)
    except Exception as error:  # an exception of the checked code is a finding, not a crash
        return raised(subject, title, error)
    report = examine(subject, title, plan, u)
    report.invariants += layer_invariants(subject, u)
    if report.verdict is not Verdict.WRONG:
        report.invariants += larger_batch(subject, plan.generator("larger"))
    if subject.dtype == np.float64:
        report.invariants.append(float32_invariant(subject, u))
    without_crash(report, name_report, subject, report, u, plan.generator("names"))
    return report


def _precision(x: Any) -> str:
    """The precision of x where it is one that layers are built in, else float32."""
    name = str(getattr(x, "dtype", "float32"))
    return name if name in ("float32", "float64") else "float32"


def _is_foreign(layer: Any) -> bool:
    """Whether a layer has a forward and a backward pass, but no ``plan``."""
    no_plan = not callable(getattr(layer, "plan", None)) and not isinstance(layer, type)
    return no_plan and usual_methods(layer) is not None


def layer_invariants(subject: LayerSubject, u: Array) -> Iterator[Invariant]:
    """Invariants of layers only: about the noise, and about the independence of samples."""
    yield from noise_invariant(subject)
    yield samples_apart(subject, u)


def noise_invariant(subject: LayerSubject) -> Iterator[Invariant]:
    """Noise differs between training steps. (That it is fixed within one step is checked by ``forward_repeats``.)"""
    run = subject.run
    drawn = subject.forward()
    run.training = False
    without = subject.forward()
    run.training = True
    if np.array_equal(drawn, without):
        return
    run.step += 1
    later = subject.forward()
    run.step -= 1
    holds = not np.array_equal(drawn, later)
    yield Invariant("noise is drawn anew", holds, "" if holds else "another step of training sees the same noise")


def samples_apart(subject: LayerSubject, u: Array) -> Invariant:
    """The gradient of one sample does not depend on the other samples, if its output does not.

    Noise is off, since it differs between batches. Batches of one sample also test buffers whose size changes.
    """
    x, dy, run = subject.x, subject.split(u), subject.run
    run.training = False
    limit = max(1e-10, 1e2 * (subject.eps if subject.dtype != np.float64 else 0.0), subject.repeats_to)
    try:
        y, dx = subject.forward(), np.array(subject.layer.backward(dy))
        alone = []
        for i in range(len(x)):
            y_alone = subject.forward(x[i : i + 1])
            alone.append((y_alone, np.array(subject.layer.backward(np.ascontiguousarray(dy[i : i + 1])))))
        again = subject.forward()
    finally:
        run.training = True
    if distance(y, again) > subject.repeats_to:
        return Invariant(
            "samples are independent", False, "after a batch of one sample the output of the whole batch has changed"
        )
    if any(distance(y[i : i + 1], one) > limit for i, (one, _) in enumerate(alone)):
        return Invariant("samples are independent", True, "y of one sample depends on the others, so dx may too")
    holds = all(
        dx[i : i + 1].shape == one.shape and distance(dx[i : i + 1], one) < limit for i, (_, one) in enumerate(alone)
    )
    return Invariant(
        "samples are independent", holds, "" if holds else "dx of one sample depends on the others, y does not"
    )


def float32_invariant(subject: LayerSubject, u: Array) -> Invariant:
    """The backward in float32, the precision of training, agrees with that in float64 to 1e-4."""
    single = subject.copied(subject.x, "float32")
    subject.run.training = single.run.training = False  # the noise drawn in float32 differs
    try:
        wide, narrow = subject.gradients(u), single.gradients(u)
    finally:
        subject.run.training = True
    apart = [name for name in wide if distance(wide[name], narrow[name].astype(np.float64)) > FLOAT32]
    detail = f"{', '.join(apart)}: float32 and float64 give gradients that differ by more than 1e-4" if apart else ""
    return Invariant("float32 agrees", not apart, detail)
