"""Adapters for layers of other code: how they are called, and where their parameters and gradients lie.

There is one for each of the usual forms of teaching code. ``check_layer`` recognises them all but ``returned``, and the
report says where it found the parameters; an ``Adapter`` of one's own covers any other form.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

from npae.utils.types import Array

METHODS = (("forward", "backward"), ("forward_pass", "backward_pass"))  # the usual names
DICTS_OR_LISTS = (("params", "grads"), ("parameters", "gradients"))
GRADIENTS = ("d{}", "grad_{}", "{}_grad")  # the usual names of the gradient by an attribute
RESETS = ("zero_grad", "flush_gradients")  # methods that forget gradients that have been added up


@dataclass(frozen=True)
class Adapter:
    """How a layer is called, and where its parameters and gradients lie.

    Attributes
    ----------
    parameters : callable
        ``parameters(layer)`` returns the arrays of the parameters by name: those that ``forward`` uses, not copies.
    gradients : callable
        ``gradients(layer, returned)`` returns dx and a dict with the gradients by the parameters, where ``returned`` is
        what ``backward`` has returned.
    where : str
        In words, where they lie, for messages and notes.
    forward, backward : str or callable
        Names of the methods, or functions: ``forward(layer, x)`` and ``backward(layer, dy)``.
    reset : str, optional
        A method without arguments that is called before each forward pass, such as "zero_grad".

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check_layer
    >>> from npae.gradcheck.adapters import Adapter
    >>> class Scale:
    ...     weight = np.array([2.0, 3.0, 4.0])
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.weight * x
    ...     def backward(self, dy):
    ...         self.update = -(self.x * dy).sum(axis=0)
    ...         return self.weight * dy
    >>> adapter = Adapter(
    ...     parameters=lambda layer: {"weight": layer.weight},
    ...     gradients=lambda layer, dx: (dx, {"weight": -layer.update}),
    ...     where="layer.weight, and −layer.update",
    ... )
    >>> print(check_layer(Scale(), (3,), adapter=adapter).verdict)
    PASS
    >>> layer = Scale()
    >>> adapter.call_forward(layer, np.ones((1, 3))).tolist(), adapter.call_backward(layer, np.ones((1, 3))).tolist()
    ([[2.0, 3.0, 4.0]], [[2.0, 3.0, 4.0]])
    """

    parameters: Callable[[Any], Mapping[str, Any]]
    gradients: Callable[[Any, Any], tuple[Any, Mapping[str, Any]]]
    where: str
    forward: str | Callable[[Any, Array], Any] = "forward"
    backward: str | Callable[[Any, Any], Any] = "backward"
    reset: str | None = None

    def call_forward(self, layer: Any, x: Array) -> Any:
        """The forward pass, after gradients that were added up have been reset.

        Parameters
        ----------
        layer : object
        x : ndarray of shape (N, ...)

        Returns
        -------
        object
            What ``forward`` returns.
        """
        if self.reset is not None:
            getattr(layer, self.reset)()
        return getattr(layer, self.forward)(x) if isinstance(self.forward, str) else self.forward(layer, x)

    def call_backward(self, layer: Any, dy: Any) -> Any:
        """The backward pass.

        Parameters
        ----------
        layer : object
        dy : ndarray of the shape of y

        Returns
        -------
        object
            What ``backward`` returns.
        """
        return getattr(layer, self.backward)(dy) if isinstance(self.backward, str) else self.backward(layer, dy)


def attributes(*names: str, gradient: str = "d{}", **methods: Any) -> Adapter:
    """Parameters are attributes, and their gradients too: ``attributes("W", "b")`` for layer.W and layer.dW.

    Parameters
    ----------
    *names : str
        Of the parameters.
    gradient : str, default "d{}"
        The form of the gradient's name, such as "grad_{}".
    **methods
        ``forward``, ``backward`` and ``reset`` of ``Adapter``.

    Returns
    -------
    Adapter

    Examples
    --------
    >>> from npae.gradcheck.adapters import attributes
    >>> attributes("W", "b", gradient="grad_{}").where
    'layer.W with layer.grad_W, layer.b with layer.grad_b'
    """
    where = ", ".join(f"layer.{name} with layer.{gradient.format(name)}" for name in names) or "no attributes"
    return Adapter(
        lambda layer: {name: getattr(layer, name) for name in names},
        lambda layer, dx: (dx, {name: getattr(layer, gradient.format(name), None) for name in names}),
        where,
        **methods,
    )


def dicts(parameters: str = "params", gradients: str = "grads", **methods: Any) -> Adapter:
    """Parameters and gradients are two dicts with the same keys: layer.params["W"] and layer.grads["W"].

    Parameters
    ----------
    parameters, gradients : str, default "params" and "grads"
        Names of the attributes that hold them.
    **methods
        ``forward``, ``backward`` and ``reset`` of ``Adapter``.

    Returns
    -------
    Adapter

    Examples
    --------
    >>> from npae.gradcheck.adapters import dicts
    >>> dicts().where
    'the dicts layer.params and layer.grads'
    """
    return Adapter(
        lambda layer: dict(getattr(layer, parameters)),
        lambda layer, dx: (dx, dict(getattr(layer, gradients))),
        f"the dicts layer.{parameters} and layer.{gradients}",
        **methods,
    )


def lists(parameters: str = "params", gradients: str = "grads", **methods: Any) -> Adapter:
    """Parameters and gradients are two lists in the same order: layer.params[0] and layer.grads[0].

    Parameters
    ----------
    parameters, gradients : str, default "params" and "grads"
        Names of the attributes that hold them.
    **methods
        ``forward``, ``backward`` and ``reset`` of ``Adapter``.

    Returns
    -------
    Adapter

    Examples
    --------
    >>> from npae.gradcheck.adapters import lists
    >>> lists().where
    'the lists layer.params and layer.grads'
    """
    return Adapter(
        lambda layer: {f"{parameters}[{i}]": each for i, each in enumerate(getattr(layer, parameters))},
        lambda layer, dx: (dx, {f"{parameters}[{i}]": each for i, each in enumerate(getattr(layer, gradients))}),
        f"the lists layer.{parameters} and layer.{gradients}",
        **methods,
    )


def returned(*names: str, **methods: Any) -> Adapter:
    """``backward`` returns (dx, dW, db): ``returned("W", "b")`` for the attributes layer.W and layer.b.

    The second value may also be a dict of gradients by the names of the attributes.

    Parameters
    ----------
    *names : str
        Of the parameters, in the order of their gradients.
    **methods
        ``forward``, ``backward`` and ``reset`` of ``Adapter``.

    Returns
    -------
    Adapter

    Examples
    --------
    >>> from npae.gradcheck.adapters import returned
    >>> returned("W", "b").where
    'layer.W, layer.b, with their gradients returned by backward after dx'
    """

    def gradients(layer: Any, result: Any) -> tuple[Any, Mapping[str, Any]]:
        dx, *others = result if isinstance(result, tuple | list) else (result,)
        if len(others) == 1 and isinstance(others[0], Mapping):
            return dx, others[0]
        return dx, dict(zip(names, others, strict=False))

    where = f"layer.{', layer.'.join(names)}, with their gradients returned by backward after dx"
    return Adapter(lambda layer: {name: getattr(layer, name) for name in names}, gradients, where, **methods)


def with_cache(
    forward: Callable[..., tuple[Any, Any]], backward: Callable[[Any, Any], Any]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function and its gradient for ``check``, from two functions that pass a cache on.

    Parameters
    ----------
    forward : callable
        ``forward(x, W, b)`` returns (y, cache), as ``affine_forward`` of CS231n does.
    backward : callable
        ``backward(dy, cache)`` returns the gradients by all arguments of ``forward``.

    Returns
    -------
    f, gradient : callable
        ``f(x, W, b)`` returns y, and ``gradient(dy, x, W, b)`` what ``backward`` returns.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck import check
    >>> from npae.gradcheck.adapters import with_cache
    >>> def affine_forward(x, w, b):
    ...     return x @ w + b, (x, w, b)
    >>> def affine_backward(dout, cache):
    ...     x, w, _ = cache
    ...     return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    >>> rng = np.random.default_rng(0)
    >>> inputs = [rng.normal(size=shape) for shape in ((3, 4), (4, 5), (5,))]
    >>> print(check(*with_cache(affine_forward, affine_backward), inputs).verdict)
    PASS
    """

    @wraps(forward)  # keeps the names of the arguments, which the report prints
    def f(*inputs: Any) -> Any:
        return _pair(forward(*inputs))[0]

    @wraps(backward)
    def gradient(dy: Any, *inputs: Any) -> Any:
        return backward(dy, _pair(forward(*inputs))[1])

    return f, gradient


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        what = f"{len(result)} values" if isinstance(result, tuple) else f"a {type(result).__name__}"
        raise ValueError(f"forward returned {what}; expected the output and a cache, (y, cache)")
    return result


# Recognition


def find_adapter(layer: Any, x: Array) -> Adapter:
    """The adapter of a usual form that a layer has; the layer is run at x, and changed by that.

    Parameters
    ----------
    layer : object
        With methods ``forward`` and ``backward``.
    x : ndarray of shape (N, ...)

    Returns
    -------
    Adapter

    Raises
    ------
    ValueError
        Where the layer has no such methods, or ``backward`` returns several gradients, whose parameters are not known.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.gradcheck.adapters import find_adapter
    >>> class Scale:
    ...     w = np.array([2.0, 3.0])
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.w * x
    ...     def backward(self, dy):
    ...         self.dw = (self.x * dy).sum(axis=0)
    ...         return self.w * dy
    >>> find_adapter(Scale(), np.ones((4, 2))).where
    'layer.w with layer.dw'
    """
    methods = usual_methods(layer)
    if methods is None:
        raise ValueError(f"{type(layer).__name__} has no methods forward and backward; give an adapter that calls it")
    options: dict[str, Any] = dict(zip(("forward", "backward"), methods, strict=True))
    options["reset"] = next((name for name in RESETS if callable(getattr(layer, name, None))), None)
    trial = attributes(**options)
    trial.call_forward(layer, 0.5 * x)
    before = _arrays(layer)
    y = trial.call_forward(layer, x.copy())
    # What a forward pass sets is no parameter.
    kept = [name for name, a in _arrays(layer).items() if name in before and np.array_equal(a, before[name])]
    try:
        result = trial.call_backward(layer, np.ones(np.shape(y)))
    except Exception:  # a finding of the check, which calls it again
        result = None
    if isinstance(result, tuple) and len(result) > 1:
        raise ValueError(
            f"{methods[1]} of {type(layer).__name__} returns {len(result)} gradients; name their parameters with "
            f'adapter=returned("W", "b") of npae.gradcheck.adapters'
        )
    for names in DICTS_OR_LISTS:
        values = [getattr(layer, name, None) for name in names]
        if all(isinstance(value, Mapping) for value in values):
            return dicts(*names, **options)
        if all(_is_list_of_arrays(value) for value in values):
            return lists(*names, **options)
    for form in GRADIENTS:
        found = [name for name in kept if hasattr(layer, form.format(name))]
        if found:
            return attributes(*found, gradient=form, **options)
    return trial


def usual_methods(layer: Any) -> tuple[str, str] | None:
    """The names of the methods of a layer, if it has usual ones.

    Parameters
    ----------
    layer : object

    Returns
    -------
    pair of str, or None

    Examples
    --------
    >>> from npae.gradcheck.adapters import usual_methods
    >>> from npae.layers import ReLU
    >>> usual_methods(ReLU())
    ('forward', 'backward')
    """
    return next((pair for pair in METHODS if all(callable(getattr(layer, name, None)) for name in pair)), None)


def _arrays(layer: Any) -> dict[str, Array]:
    """Copies of the floating-point arrays that are attributes of a layer or its class."""
    own = {**vars(type(layer)), **getattr(layer, "__dict__", {})}
    return {name: a.copy() for name, a in own.items() if isinstance(a, np.ndarray) and a.dtype.kind == "f"}


def _is_list_of_arrays(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and len(value) > 0 and all(isinstance(each, np.ndarray) for each in value)
