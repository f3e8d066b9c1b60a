"""Check the gradient of a function that returns one number, as losses do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter
from typing import Any

import numpy as np

from npae.gradcheck.engine.examine import CheckSettings
from npae.gradcheck.function import FunctionSubject, chosen_inputs, examine_function, floating_in, input_names
from npae.gradcheck.report.report import Report
from npae.utils.signature import arguments_of
from npae.utils.types import Array


class ScalarSubject(FunctionSubject):
    """f(*inputs) -> a number; grad(*inputs) -> its gradient. The upstream gradient is 1."""

    has_upstream = False

    def __init__(
        self,
        f: Callable[..., Any],
        grad: Callable[..., Any],
        inputs: Sequence[Any],
        wrt: list[str],
        keep_dtype: bool = False,
        names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(f, grad, inputs, wrt, keep_dtype, names)
        if self.several or int(np.prod(self.shapes[0])) != 1:
            what = f"{len(self.shapes)} outputs" if self.several else f"an array of shape {self.shapes[0]}"
            raise ValueError(
                f"f returned {what}, but check_grad is for functions that return one number; use check, whose "
                f"backward takes the gradient by the output"
            )

    def call_backward(self, g: Any, arguments: list[Any]) -> Any:
        return self.backward(*arguments)

    def upstream(self, generator: np.random.Generator) -> Array:
        return np.ones(1)


def check_grad(
    f: Callable[..., Any],
    grad: Callable[..., Any],
    x: Any,
    *args: Any,
    mode: str = "full",
    budget_s: float | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    batch_axis: int | Mapping[str, int] | None = None,
    nondet_tol: float = 0.0,
    keep_dtype: bool = False,
) -> Report:
    """Check the gradient of a function that returns one number.

    The arguments have the order of ``scipy.optimize.check_grad``; the result is a report, as that of ``check``.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` returns a number.
    grad : callable
        ``grad(x, *args)`` returns the gradient of f by x: an array of x's shape, or a container with x's entries.
    x : array, number, or dict, list or tuple of arrays
        Where to check. Containers may be nested. A tuple stands for several arguments, ``f(*x, *args)``, where f takes
        as many; ``grad`` then returns as many gradients.
    *args
        Further arguments, which have no gradient: data, labels, options.
    mode : {"full", "fast"}, default "full"
        "full" measures every entry; "fast" random directions, and single entries only where a direction disagrees.
    budget_s : float, optional
        Time limit in seconds; none by default.
    tolerance : float, optional
        Largest difference relative to a block's largest entry: 1e-6 by default, 2e-3 where f computes in float32.
    seed : int, default 0
        Seed of the directions.
    batch_axis, nondet_tol, keep_dtype
        As for ``check``.

    Returns
    -------
    Report
        ``grad`` that raises gives a report with the verdict WRONG, not an exception.

    Raises
    ------
    ValueError
        Where f does not return one number, x holds no floating-point numbers, or an option is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check_grad
    >>> x = np.random.default_rng(0).normal(size=(3, 4))
    >>> print(check_grad(lambda x: (x**2).sum(), lambda x: 2 * x, x).verdict)
    PASS
    >>> def loss(p, x):
    ...     return float(((x @ p["W"] + p["b"]) ** 2).sum())
    >>> def gradient(p, x):
    ...     dy = 2 * (x @ p["W"] + p["b"])
    ...     return {"W": x.T @ dy, "b": dy.mean(axis=0)}
    >>> p = {"W": np.ones((4, 2)), "b": np.zeros(2)}
    >>> [f"{block.gradient} {block.verdict}" for block in check_grad(loss, gradient, p, x).blocks]
    ['p.dW PASS', 'p.db WRONG']
    """
    plan = CheckSettings(mode, budget_s, tolerance, seed, nondet_tol)
    inputs, chosen = loss_inputs(f, x, args)
    return examine_function(ScalarSubject(f, grad, inputs, chosen, keep_dtype), plan, batch_axis)


def loss_inputs(f: Callable[..., Any], x: Any, args: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """The inputs of ``f(x, *args)``, and the names of those that x stands for, which have a gradient."""
    arguments = list(x) if _is_several(f, x, len(args)) else [x]
    n = len(arguments)
    inputs = [*(np.float64(a) if isinstance(a, float) else a for a in arguments), *args]
    names = input_names(f, len(inputs))
    for name, value in zip(names[:n], inputs, strict=False):
        if not floating_in(name, value):
            raise ValueError(
                f"{name} holds no array of floating-point numbers, and only those have a gradient; write "
                f"np.array([1.0, 2.0]) for [1, 2]"
            )
    return inputs, chosen_inputs(names[:n], names, inputs)


def check_loss(
    f: Callable[..., Any],
    grad: Callable[..., Any],
    inputs: Sequence[Any],
    *,
    wrt: Sequence[str | int] | str | int | None = None,
    batch_axis: int | Mapping[str, int] | None = None,
    keep_dtype: bool = False,
    **settings: Any,
) -> Report:
    """``check_grad`` with the arguments of ``check``: ``grad(*inputs)`` returns the gradients by the inputs ``wrt``.

    ``settings`` are those of ``CheckSettings``.
    """
    chosen = chosen_inputs(wrt, input_names(f, len(inputs)), inputs)
    return examine_function(ScalarSubject(f, grad, inputs, chosen, keep_dtype), CheckSettings(**settings), batch_axis)


def _is_several(f: Callable[..., Any], x: Any, n_others: int) -> bool:
    """Whether a tuple x stands for several arguments of f: unless f takes just one in its place."""
    if not isinstance(x, tuple):
        return False
    try:
        parameters = arguments_of(f).values()
    except (TypeError, ValueError):
        return True
    least, most = _positional(parameters)
    return least <= len(x) + n_others <= most or not least <= 1 + n_others <= most


def _positional(parameters: Iterable[Parameter]) -> tuple[int, float]:
    """The least and largest number of positional arguments."""
    positional = [p for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is Parameter.empty for p in positional)
    return least, np.inf if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters) else len(positional)
