"""Check a layer of other code through an adapter."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.adapters import Adapter, find_adapter
from npae.gradcheck.engine.examine import CheckSettings
from npae.gradcheck.function import FunctionSubject, examine_function
from npae.gradcheck.report.report import Report
from npae.utils.types import Array


def check_foreign_layer(
    layer: Any, x: Array, adapter: Adapter | None, plan: CheckSettings, keep_dtype: bool = False
) -> Report:
    """The report on a copy of a layer at the batch x (N, …), and at batches of other sizes."""
    copied = copied_layer(layer, keep_dtype)
    found = adapter or find_adapter(copied_layer(layer, keep_dtype), x)
    found.call_forward(copied, x.copy())  # some layers make their parameters now
    parameters = dict(found.parameters(copied))
    others = [name for name, a in parameters.items() if not isinstance(a, np.ndarray) or a.dtype.kind != "f"]
    if others:
        kind = type(parameters[others[0]]).__name__
        raise ValueError(
            f"the parameter {others[0]} in {found.where} is a {kind}; expected an array "
            f"of floating-point numbers, which can be moved in place"
        )
    before = {name: a.copy() for name, a in parameters.items()}
    found.call_forward(copied, 0.5 * x)
    now = found.parameters(copied)
    state = [name for name in parameters if not np.array_equal(now[name], before[name], equal_nan=True)]
    parameters = {name: now[name] for name in parameters if name not in state}
    rng = plan.generator("parameters")
    constant = [name for name, a in parameters.items() if a.size and np.ptp(a) == 0]
    for name in constant:  # zeros and ones hide wrong factors
        parameters[name][...] += 0.5 * np.asarray(rng.standard_normal(parameters[name].shape))
    subject = _subject(copied, found, x, parameters, keep_dtype)
    report = examine_function(subject, plan, {"x": 0})
    report.subject = type(layer).__name__
    report.notes.append(
        f"parameters and gradients are read from {found.where}"
        if parameters
        else "no parameters were found, so only dx was checked; give an adapter if there are some"
    )
    if state:
        report.notes.append(f"forward passes change {', '.join(state)}, so no gradient by these was expected")
    if constant:
        report.notes.append(f"random numbers were added to {', '.join(constant)}, where all were equal")
    if found.reset is not None:
        report.notes.append(f"{found.reset} was called before each forward pass")
    return report


def _subject(
    layer: Any, adapter: Adapter, x: Array, parameters: Mapping[str, Array], keep_dtype: bool
) -> FunctionSubject:
    """The layer as a function of x and its parameters, and its gradients by them."""

    def f(x: Array, *values: Array) -> Any:
        held = adapter.parameters(layer)
        for name, value in zip(parameters, values, strict=True):
            held[name][...] = value
        return adapter.call_forward(layer, x)

    def backward(dy: Any, x: Array, *values: Array) -> tuple[Any, ...]:
        f(x, *values)
        dx, gradients = adapter.gradients(layer, adapter.call_backward(layer, dy))
        return (dx, *(gradients.get(name) for name in parameters))

    inputs = [x, *(a.copy() for a in parameters.values())]
    names = ["x", *parameters]
    return FunctionSubject(f, backward, inputs, names, keep_dtype, names)


def copied_layer(layer: Any, keep_dtype: bool = False) -> Any:
    """A deep copy of a layer whose floating-point arrays are float64, unless ``keep_dtype``; one array stays one.

    Raises
    ------
    ValueError
        Where it cannot be copied.
    """
    memo: dict[int, Any] = {}
    for array in _arrays_within(layer, set()):
        if not keep_dtype and array.dtype.kind == "f" and array.dtype != np.float64:
            memo[id(array)] = array.astype(np.float64)
    try:
        return copy.deepcopy(layer, memo)
    except Exception as error:
        raise ValueError(
            f"{type(layer).__name__} cannot be copied ({type(error).__name__}: {error}); check its functions with check"
        ) from None


def _arrays_within(value: Any, seen: set[int]) -> Iterator[Array]:
    """The arrays in attributes, dicts, lists and tuples, at any depth."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _arrays_within(each, seen)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _arrays_within(each, seen)
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from _arrays_within(vars(value), seen)
