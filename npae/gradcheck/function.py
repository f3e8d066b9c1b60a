"""Check a plain function and the gradient written for it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npae.gradcheck.bugs.identify import Call, name_raising, name_report
from npae.gradcheck.engine.examine import CheckSettings, examine, raised
from npae.gradcheck.engine.subject import NoGradientError, Subject
from npae.gradcheck.report.findings import gradient_name
from npae.gradcheck.report.report import Report
from npae.utils.signature import arguments_of
from npae.utils.types import Array


class FunctionSubject(Subject):
    """f(*inputs) -> y, or a tuple of several; backward(g, *inputs) -> the gradient by each block.

    Both receive copies, so that a function that writes into its inputs is detected and changes no later call.
    """

    def __init__(self, f: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[Any], wrt: list[str]):
        self.f, self.backward = f, backward
        self.names = input_names(f, len(inputs))
        self.inputs = dict(zip(self.names, (_copy(value) for value in inputs), strict=True))
        self.blocks = {name: self.inputs[name] for name in wrt}
        self._overwritten: set[str] = set()
        y = self._parts()
        self.several = isinstance(self._call(), tuple)
        self.shapes = [part.shape for part in y]
        self.known = {"N": float(len(self.inputs[wrt[0]])) if self.inputs[wrt[0]].ndim else 1.0}
        self.known["the number of elements"] = float(self.inputs[wrt[0]].size)
        if any(part.dtype == np.float32 for part in y):
            self.eps = float(np.finfo(np.float32).eps)

    def _call(self) -> Any:
        copies = {name: _copy(value) for name, value in self.inputs.items()}
        y = self.f(*copies.values())
        self._note(copies)
        return y

    def _note(self, copies: dict[str, Any]) -> None:
        for name, value in self.inputs.items():
            if isinstance(value, np.ndarray) and not np.array_equal(copies[name], value, equal_nan=True):
                self._overwritten.add(name)

    def _parts(self) -> list[Array]:
        y = self._call()
        parts = [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]
        for part in parts:
            if part.dtype.kind not in "fiub":
                what = "None" if y is None else f"an array of {part.dtype}"
                raise ValueError(f"f returned {what}; expected real numbers, in an array or a tuple of arrays")
        return parts

    def output(self) -> Array:
        return np.concatenate([part.astype(np.float64).reshape(-1) for part in self._parts()])

    def upstream(self, generator: np.random.Generator) -> Array:
        return generator.standard_normal(sum(int(np.prod(shape)) for shape in self.shapes))

    def split(self, u: Array) -> Any:
        """The vector u in the form that backward expects: one array of y's shape, or a tuple of arrays."""
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        parts = [p.reshape(s) for p, s in zip(np.split(u, np.cumsum(sizes)[:-1]), self.shapes, strict=True)]
        scalars = [float(p) if p.ndim == 0 else p.copy() for p in parts]
        return tuple(scalars) if self.several else scalars[0]

    def gradients(self, u: Array) -> dict[str, Array]:
        return self.gradients_of(self.split(u), self.inputs)

    def gradients_of(self, g: Any, inputs: dict[str, Any]) -> dict[str, Array]:
        """The gradients that backward returns for an upstream gradient and inputs, by block."""
        before = [_copy(part) for part in (g if isinstance(g, tuple) else (g,))]
        copies = {name: _copy(value) for name, value in inputs.items()}
        result = self.backward(g, *copies.values())
        self._note_gradient(before, g, copies, inputs)
        expected = ", ".join(map(gradient_name, self.blocks))
        if result is None:
            raise NoGradientError(f"backward returned None; it must return {expected}")
        claimed = list(result) if isinstance(result, tuple | list) else [result]
        if len(claimed) != len(self.blocks):
            raise NoGradientError(
                f"backward returned {len(claimed)} gradient{'s' if len(claimed) > 1 else ''}, where {expected} was "
                f"expected; return one for each in this order, or name the inputs that have a gradient with wrt="
            )
        for name, c in zip(self.blocks, claimed, strict=True):
            if np.iscomplexobj(c):
                raise NoGradientError(f"the gradient by {name} is complex; expected real numbers")
        return {name: np.array(c, dtype=np.float64) for name, c in zip(self.blocks, claimed, strict=True)}

    def _note_gradient(self, before: list[Any], g: Any, copies: dict[str, Any], inputs: dict[str, Any]) -> None:
        for old, new in zip(before, g if isinstance(g, tuple) else (g,), strict=True):
            if not np.array_equal(old, new):
                self._overwritten.add("the upstream gradient")
        for name, value in inputs.items():
            if isinstance(value, np.ndarray) and not np.array_equal(copies[name], value, equal_nan=True):
                self._overwritten.add(name)

    def overwritten(self) -> list[str]:
        return sorted(self._overwritten)

    def outputs(self) -> list[Array]:
        """The outputs at the current inputs, in float64: one array, or one for each part of a tuple."""
        return [part.astype(np.float64) for part in self._parts()]

    def call(self, u: Array) -> Call:
        """The inputs, outputs, upstream gradient and gradients at the current inputs."""
        return Call(self.inputs, self.outputs(), self.split(u), self.gradients(u)).copy()

    def call_at(self, inputs: dict[str, Any], generator: np.random.Generator) -> Call:
        """The same for other inputs, whose shapes may differ, with a random upstream gradient."""
        y = self.f(*inputs.values())
        outputs = [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]
        g = [generator.standard_normal(part.shape) for part in outputs]
        upstream = tuple(g) if self.several else g[0]
        return Call(inputs, outputs, upstream, self.gradients_of(upstream, inputs))


def check(
    f: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Sequence[Any],
    *,
    wrt: Sequence[str | int] | str | int | None = None,
    mode: str = "full",
    budget_s: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Report:
    """Check a hand-written gradient against its function.

    Parameters
    ----------
    f : callable
        ``f(*inputs)`` returns an array, a number, or a tuple of them.
    backward : callable
        ``backward(g, *inputs)`` returns the gradient of Σ g·y by each input in ``wrt``, in the inputs' order; a single
        gradient need not be in a tuple. g has y's shape; where f returns a tuple, g is a tuple of such arrays.
    inputs : sequence
        The arguments of f: arrays and any others. Floating-point arrays are converted to float64. Random arrays whose
        sizes all differ make the strongest check.
    wrt : str, int or a sequence of them, optional
        The inputs that have a gradient, by name or position; all floating-point arrays by default.
    mode : {"full", "fast"}, default "full"
        "full" measures every entry; "fast" random directions, and single entries only where a direction disagrees.
    budget_s : float, optional
        Time limit in seconds; none by default. The report says how many entries were measured.
    tolerance : float, optional
        Largest difference relative to a block's largest entry: 1e-6 by default, 2e-3 where f computes in float32.
    seed : int, default 0
        Seed of the upstream gradient and of the directions.

    Returns
    -------
    Report
        A backward that raises gives a report with the verdict WRONG, not an exception.

    Raises
    ------
    ValueError
        Where an argument is not usable: inputs that are no sequence, an empty array, an unknown name in ``wrt``, an
        output of f that is not real numbers, or a mode, budget or tolerance out of range.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> print(check(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), [x]).verdict)
    PASS
    """
    plan = CheckSettings(mode, budget_s, tolerance, seed)
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        raise ValueError(f"inputs is a {type(inputs).__name__}; expected a list of f's arguments, such as [x, W]")
    names = input_names(f, len(inputs))
    chosen = _chosen(wrt, names, inputs)
    for name in chosen:
        if np.size(inputs[names.index(name)]) == 0:
            raise ValueError(f"{name} is empty, so it has no gradient; give an array with at least one number")
    subject = FunctionSubject(f, backward, inputs, chosen)
    title = getattr(backward, "__name__", type(backward).__name__)
    u = subject.upstream(plan.generator("upstream"))
    try:
        subject.gradients(u)
    except Exception as error:  # an exception of the checked code is a finding, not a crash
        report = raised(subject, title, error)
        name_raising(subject, report)
        return report
    report = examine(subject, title, plan, u)
    name_report(subject, report, u, plan.generator("names"))
    return report


def input_names(f: Callable[..., Any], n: int) -> list[str]:
    """The names of f's first n parameters; x0, x1, … where its signature is not available."""
    try:
        parameters = arguments_of(f).values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        names = []
    return names[:n] if len(names) >= n else [f"x{i}" for i in range(n)] if n > 1 else ["x"]


def _chosen(wrt: Sequence[str | int] | str | int | None, names: list[str], inputs: Sequence[Any]) -> list[str]:
    if wrt is None:
        chosen = [name for name, value in zip(names, inputs, strict=True) if _is_floating(value)]
        if not chosen:
            raise ValueError(
                "no input is an array of floating-point numbers, and only those have a gradient; "
                "write np.array([1.0, 2.0]) for [1, 2]"
            )
        return chosen
    result = []
    for which in [wrt] if isinstance(wrt, str | int) else wrt:
        if which not in names and which not in range(len(names)):
            raise ValueError(f"wrt names {which!r}; expected some of {', '.join(names)}, or places from 0")
        name = which if isinstance(which, str) else names[which]
        if not _is_floating(inputs[names.index(name)]):
            raise ValueError(f"wrt names {name!r}, which is no array of floating-point numbers; convert it to float64")
        result.append(name)
    return result


def _is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.floating) and np.asarray(value).dtype.kind == "f"


def _copy(value: Any) -> Any:
    """Floating-point inputs as contiguous float64, so that the numeric side is always float64."""
    if _is_floating(value):
        return np.array(value, dtype=np.float64, order="C")
    return value.copy() if isinstance(value, np.ndarray) else value
