"""Check a plain function and the gradient written for it."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

import numpy as np

from npae.gradcheck.bugs.identify import Call, name_raising, name_report, without_crash
from npae.gradcheck.engine.batch_sizes import batch_axes, other_sizes
from npae.gradcheck.engine.containers import ContainerError, arrays_in, gradients_in, is_container, replaced
from npae.gradcheck.engine.examine import CheckSettings, examine, raised, refused_block
from npae.gradcheck.engine.ratio import sizes_of
from npae.gradcheck.engine.subject import NoGradientError, Subject
from npae.gradcheck.report.findings import BlockReport, gradient_name
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.utils.signature import arguments_of
from npae.utils.types import Array

#: Calls in which it is looked whether an input was overwritten: comparing large arrays takes as long as many functions.
LOOKS = 32


class FunctionSubject(Subject):
    """f(*inputs) -> y, or a tuple of several; backward(g, *inputs) -> the gradient by each block.

    An input may be a dict, list or tuple of arrays. Both functions receive copies, so that a function that writes into
    its inputs is detected and changes no later call. With ``keep_dtype`` they receive floating-point arrays in the
    precision of ``inputs``, otherwise in float64.

    Attributes
    ----------
    arrays : dict of str to ndarray
        All arrays in the inputs by name, floating-point ones in float64; ``blocks`` are those that have a gradient.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: Sequence[Any],
        wrt: list[str],
        keep_dtype: bool = False,
        names: Sequence[str] | None = None,
    ):
        self.f, self.backward, self.keep_dtype = f, backward, keep_dtype
        self.inputs = dict(zip(names or input_names(f, len(inputs)), inputs, strict=True))
        self.wrt = wrt
        self.arrays = {
            name: _copy(array) for given, value in self.inputs.items() for name, array in arrays_in(given, value)
        }
        self.blocks = {name: self.arrays[name] for given in wrt for name in floating_in(given, self.inputs[given])}
        given_arrays = {name: array for given, value in self.inputs.items() for name, array in arrays_in(given, value)}
        self._dtypes = {name: array.dtype for name, array in given_arrays.items()} if keep_dtype else {}
        if keep_dtype:  # steps are rounded to the coarsest
            coarsest = max((self._dtypes[name] for name in self.blocks), key=lambda dtype: float(np.finfo(dtype).eps))
            self.dtype, self.eps = coarsest.type, float(np.finfo(coarsest).eps)
        self._overwritten: set[str] = set()
        self._looks = 0
        y, self.several = self._parts()
        self.shapes, self._output_dtypes = [part.shape for part in y], [part.dtype for part in y]
        names = [f"y[{i}]" if self.several else "y" for i in range(len(y))]
        self.known = sizes_of({**self.arrays, **dict(zip(names, y, strict=True))})
        self.eps = max([self.eps, *(float(np.finfo(part.dtype).eps) for part in y if part.dtype.kind == "f")])

    def arguments(self, arrays: Mapping[str, Array]) -> list[Any]:
        """The arguments of f with these arrays in them."""
        return [replaced(name, value, arrays) for name, value in self.inputs.items()]

    def with_arrays(self, arrays: Mapping[str, Array]) -> "FunctionSubject":
        """The same functions at other arrays, whose shapes may differ."""
        inputs = self.arguments(self._copies(arrays))
        return type(self)(self.f, self.backward, inputs, self.wrt, self.keep_dtype, list(self.inputs))

    def _copies(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Copies in the precision in which they are handed over."""
        return {name: array.astype(self._dtypes.get(name, array.dtype)) for name, array in arrays.items()}

    def _note_overwritten(self, copies: Mapping[str, Array], arrays: Mapping[str, Array]) -> None:
        self._looks += 1
        if self._looks > LOOKS:
            return
        for name, array in arrays.items():
            if not _equal(copies[name], array.astype(self._dtypes.get(name, array.dtype))):
                self._overwritten.add(name)

    def _parts(self) -> tuple[list[Array], bool]:
        """The outputs at the current values, and whether f returns a tuple of them."""
        copies = self._copies(self.arrays)
        y = self.f(*self.arguments(copies))
        self._note_overwritten(copies, self.arrays)
        parts = [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]
        for part in parts:
            if part.dtype.kind not in "fiub":
                what = "None" if y is None else f"an array of {part.dtype}"
                raise ValueError(f"f returned {what}; expected real numbers, in an array or a tuple of arrays")
        return parts, isinstance(y, tuple)

    def output(self) -> Array:
        return np.concatenate([part.astype(np.float64).reshape(-1) for part in self._parts()[0]])

    def upstream(self, generator: np.random.Generator) -> Array:
        return generator.standard_normal(sum(int(np.prod(shape)) for shape in self.shapes))

    def split(self, u: Array) -> Any:
        """The vector u in the form that backward expects: one array of y's shape, or a tuple of arrays."""
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        parts = [p.reshape(s) for p, s in zip(np.split(u, np.cumsum(sizes)[:-1]), self.shapes, strict=True)]
        if self.keep_dtype:
            parts = [p.astype(d) if d.kind == "f" else p for p, d in zip(parts, self._output_dtypes, strict=True)]
        scalars = [float(p) if p.ndim == 0 else p.copy() for p in parts]
        return tuple(scalars) if self.several else scalars[0]

    def gradients(self, u: Array) -> dict[str, Array]:
        return self.gradients_of(self.split(u), self.arrays)

    def gradients_of(self, g: Any, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The gradients that backward returns for an upstream gradient and these arrays, by block."""
        before = [_copy(part) for part in (g if isinstance(g, tuple) else (g,))]
        copies = self._copies(arrays)
        result = self.call_backward(g, self.arguments(copies))
        for old, new in zip(before, g if isinstance(g, tuple) else (g,), strict=True):
            if not _equal(np.asarray(old), np.asarray(new)):
                self._overwritten.add("the upstream gradient")
        self._note_overwritten(copies, arrays)
        return self.as_gradients(result)

    def as_gradients(self, result: Any, returned_by: str = "backward") -> dict[str, Array]:
        """What a function returned, as one gradient for each block; ``returned_by`` is its name in messages."""
        parts = self._by_block(result, returned_by)
        return {name: _as_gradient(name, claimed) for name, claimed in parts if name in self.blocks}

    def direction(self, v: Mapping[str, Array]) -> Any:
        """Directions by block in the form of the inputs ``wrt``: that of a single one, or a tuple."""
        parts = [replaced(name, self.inputs[name], v) for name in self.wrt]
        parts = [float(part) if isinstance(part, np.ndarray) and part.ndim == 0 else part for part in parts]
        return parts[0] if len(parts) == 1 else tuple(parts)

    def call_backward(self, g: Any, arguments: list[Any]) -> Any:
        """What backward returns."""
        return self.backward(g, *arguments)

    def _by_block(self, result: Any, returned_by: str) -> Iterator[tuple[str, Any]]:
        """The parts of what ``returned_by`` returned, by block."""
        expected = ", ".join(map(gradient_name, self.blocks))
        if result is None:
            raise NoGradientError(f"{returned_by} returned None; it must return {expected}")
        parts = list(result) if isinstance(result, tuple | list) else [result]
        (first, *others) = self.wrt
        if not others and is_container(self.inputs[first]):  # the container itself, or in a tuple of one
            parts = parts if isinstance(result, tuple) and len(parts) == 1 and is_container(parts[0]) else [result]
        elif not others and isinstance(result, list) and _shape(result) == self.arrays[first].shape:
            parts = [result]  # the gradient as a list of numbers
        if len(parts) != len(self.wrt):
            raise NoGradientError(
                f"{returned_by} returned {len(parts)} gradient{'s' if len(parts) > 1 else ''}, where {expected} was "
                f"expected; return one for each in this order, or name the inputs that have a gradient with wrt="
            )
        for name, part in zip(self.wrt, parts, strict=True):
            try:
                yield from gradients_in(name, self.inputs[name], part)
            except ContainerError as error:
                raise NoGradientError(str(error)) from None

    def overwritten(self) -> list[str]:
        return sorted(self._overwritten)

    def outputs(self) -> list[Array]:
        """The outputs at the current inputs, in float64: one array, or one for each part of a tuple."""
        return [part.astype(np.float64) for part in self._parts()[0]]

    def call(self, u: Array) -> Call:
        """The inputs, outputs, upstream gradient and gradients at the current inputs."""
        return Call(self.arrays, self.outputs(), self.split(u), self.gradients(u)).copy()

    def call_at(self, arrays: dict[str, Array], generator: np.random.Generator) -> Call:
        """The same for other arrays, whose shapes may differ, with a random upstream gradient."""
        y = self.f(*self.arguments(arrays))
        outputs = [np.asarray(part) for part in (y if isinstance(y, tuple) else (y,))]
        g = [generator.standard_normal(part.shape) for part in outputs]
        upstream = tuple(g) if self.several else g[0]
        return Call(arrays, outputs, upstream, self.gradients_of(upstream, arrays))


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
    batch_axis: int | Mapping[str, int] | None = None,
    nondet_tol: float = 0.0,
    keep_dtype: bool = False,
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
        The arguments of f: arrays, dicts, lists and tuples of arrays, which may be nested, and any others. The gradient
        by a container is one with the same entries. Floating-point arrays are converted to float64, unless
        ``keep_dtype``. Random arrays whose sizes all differ make the strongest check.
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
    batch_axis : int or dict of str to int, optional
        The axis of the samples. The check is repeated with 1, 2, 9 and 17 samples, which are those given, repeated and
        scaled. A number stands for this axis of the first array that has it, and of all others of the same length
        there; a dict says it for each array: ``{"x": 0, "t": 0}``.
    nondet_tol : float, default 0
        By how much two equal calls may differ, relative to the largest number; less than 1e-3. By default they must be
        equal. The steps grow with it, and the default tolerance is 2e-3 from 1e-10 on.
    keep_dtype : bool, default False
        Hand floating-point arrays over in the precision that they have, for functions that exist in that only. The
        default tolerance is 2e-3 in float32; in float16 differences prove nothing, and the verdict is CAN'T TELL.

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
    >>> from npae.gradcheck import check
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> print(check(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), [x]).verdict)
    PASS
    >>> total = lambda x: x.sum(axis=0)
    >>> squeezed = lambda g, x: np.tile(g, (len(x), 1)).squeeze()
    >>> report = check(total, squeezed, [x], batch_axis=0)
    >>> print(report.invariants[-1].detail)
    with 1 sample dx is wrong
    """
    plan = CheckSettings(mode, budget_s, tolerance, seed, nondet_tol)
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        raise ValueError(f"inputs is a {type(inputs).__name__}; expected a list of f's arguments, such as [x, W]")
    chosen = chosen_inputs(wrt, input_names(f, len(inputs)), inputs)
    return examine_function(FunctionSubject(f, backward, inputs, chosen, keep_dtype), plan, batch_axis)


def examine_function(
    subject: FunctionSubject, plan: CheckSettings, batch_axis: int | Mapping[str, int] | None = None
) -> Report:
    """The report on a function, with names; a backward that raises is a finding."""
    axes = {} if batch_axis is None else batch_axes(batch_axis, subject.arrays)
    start = monotonic()
    title = getattr(subject.backward, "__name__", type(subject.backward).__name__)
    u = subject.upstream(plan.generator("upstream"))
    order, refused = list(subject.blocks), []
    try:
        while (refusal := _refusal(subject, u)) is not None:
            refused.append(refusal)
            del subject.blocks[refusal.name]
    except Exception as error:  # an exception of the checked code is a finding, not a crash
        report = raised(subject, title, error)
        without_crash(report, name_raising, subject, report)
    else:
        report = examine(subject, title, plan, u)
        if axes:
            right = [block.name for block in report.blocks if block.verdict in (Verdict.PASS, Verdict.KINK)]
            deadline = np.inf if plan.budget_s is None else start + plan.budget_s
            with warnings.catch_warnings():  # about sizes that the user has not chosen
                warnings.simplefilter("ignore", RuntimeWarning)
                found = other_sizes(subject, axes, u, right, plan.generator("batches"), deadline)
            report.invariants.append(found)
            report.notes += [f"{found.name}: {found.detail}"] * (found.holds and bool(found.detail))
            report.notes.append(f"the batch is axis {', '.join(f'{axis} of {name}' for name, axis in axes.items())}")
            report.seconds = monotonic() - start
        without_crash(report, name_report, subject, report, u, plan.generator("names"))
    report.blocks = sorted(report.blocks + refused, key=lambda block: order.index(block.name))
    return report


def _refusal(subject: FunctionSubject, u: Array) -> BlockReport | None:
    """The report on a block whose gradient cannot be used, where others may be; None if all can be used."""
    try:
        subject.gradients(u)
    except NoGradientError as error:
        if error.block is None or len(subject.blocks) == 1:
            raise
        return refused_block(subject, error.block, str(error))
    return None


def input_names(f: Callable[..., Any], n: int) -> list[str]:
    """The names of f's first n parameters; x0, x1, … where its signature is not available."""
    try:
        parameters = arguments_of(f).values()
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        names = []
    return names[:n] if len(names) >= n else [f"x{i}" for i in range(n)] if n > 1 else ["x"]


def chosen_inputs(wrt: Sequence[str | int] | str | int | None, names: list[str], inputs: Sequence[Any]) -> list[str]:
    """The inputs that have a gradient; by default all that are, or hold, floating-point arrays."""
    given = dict(zip(names, inputs, strict=True))
    if wrt is None:
        chosen = [name for name, value in given.items() if floating_in(name, value)]
        if not chosen:
            raise ValueError(
                "no input is an array of floating-point numbers, and only those have a gradient; "
                "write np.array([1.0, 2.0]) for [1, 2]"
            )
    else:
        chosen = [_named(which, names, given) for which in ([wrt] if isinstance(wrt, str | int) else wrt)]
    for name in chosen:
        for block in floating_in(name, given[name]):
            if dict(arrays_in(name, given[name]))[block].size == 0:
                raise ValueError(f"{block} is empty, so it has no gradient; give an array with at least one number")
    return chosen


def _named(which: str | int, names: list[str], given: Mapping[str, Any]) -> str:
    if which not in names and which not in range(len(names)):
        raise ValueError(f"wrt names {which!r}; expected some of {', '.join(names)}, or places from 0")
    name = which if isinstance(which, str) else names[which]
    if not floating_in(name, given[name]):
        raise ValueError(f"wrt names {name!r}, which is no array of floating-point numbers; convert it to float64")
    return name


def floating_in(name: str, value: Any) -> list[str]:
    """The names of the floating-point arrays in an input."""
    return [part for part, array in arrays_in(name, value) if array.dtype.kind == "f"]


def _equal(a: Array, b: Array) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def _shape(value: Any) -> tuple[int, ...] | None:
    try:
        shape: tuple[int, ...] = np.shape(value)
    except ValueError:  # lists of different lengths
        return None
    return shape


def _as_gradient(name: str, claimed: Any) -> Array:
    if claimed is None:
        raise NoGradientError(f"the gradient by {name} is None; expected an array of {name}'s shape", name)
    try:
        if np.iscomplexobj(claimed):
            raise NoGradientError(f"the gradient by {name} is complex; expected real numbers", name)
        return np.array(claimed, dtype=np.float64)
    except NoGradientError:
        raise
    except (TypeError, ValueError):
        raise NoGradientError(
            f"the gradient by {name} is of type {type(claimed).__name__}; expected an array of {name}'s shape", name
        ) from None


def _copy(value: Any) -> Any:
    """Floating-point arrays as contiguous float64, so that the numeric side is always float64."""
    if isinstance(value, np.ndarray | np.floating) and np.asarray(value).dtype.kind == "f":
        return np.array(value, dtype=np.float64, order="C")
    return value.copy() if isinstance(value, np.ndarray) else value
