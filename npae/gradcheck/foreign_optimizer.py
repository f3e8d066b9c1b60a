"""Run an optimizer of other people's code: a function, a callable object, or one with a method for a step."""

import copy
from collections.abc import Callable
from inspect import Parameter, signature
from types import CellType, FunctionType
from typing import Any

import numpy as np

from npae.gradcheck.bugs import BugCase
from npae.utils.types import Array

METHODS = ("step", "update", "update_params")
#: Names of attributes that hold a setting of Adam, in public code.
ATTRIBUTES = {
    "rate": ("learning_rate", "lr", "rate", "alpha", "step_size"),
    "beta1": ("beta1", "beta_1", "b1", "decay1"),
    "beta2": ("beta2", "beta_2", "b2", "decay2"),
    "epsilon": ("epsilon", "eps"),
}


class ForeignOptimizer:
    """``path`` gives θ after each step; every path begins with a copy of the state in which the optimizer was given."""

    def __init__(self, optimizer: Any) -> None:
        if isinstance(optimizer, type):
            raise ValueError(
                f"{optimizer.__name__} is a class; give an object made from it, such as {optimizer.__name__}()"
            )
        if not callable(optimizer) and _method_of(optimizer) is None:
            raise ValueError(
                f"{optimizer!r} is no optimizer; give one of npae.optimizers, update(theta, gradient), or an object "
                f"with a method {', '.join(METHODS[:-1])} or {METHODS[-1]}"
            )
        self.optimizer = optimizer
        try:
            _fresh(optimizer)
        except Exception as error:  # whatever copying the object raises
            raise ValueError(
                f"{optimizer!r} cannot be copied ({type(error).__name__}: {error}), so its state cannot be that of the "
                f"start in each run; give an object that copy.deepcopy copies"
            ) from None

    def settings(self, given: dict[str, float], said: list[str]) -> dict[str, float]:
        """The settings given, and others that the object's attributes hold; what was read is added to ``said``."""
        found = dict(given)
        read = []
        for name, attributes in ATTRIBUTES.items():
            for attribute in attributes:
                value = getattr(self.optimizer, attribute, None)
                if name not in found and isinstance(value, int | float) and not isinstance(value, bool):
                    found[name] = float(value)
                    read.append(f"{name} = {attribute} = {value:g}")
        if read:
            said.append(f"settings read from the object: {', '.join(read)}")
        return found

    def path(self, c: BugCase) -> Array:
        """θ after each step of the code, for gradients c.x from c.start."""
        try:
            return self._path(c, in_dicts=False)
        except (AttributeError, TypeError, IndexError, KeyError):
            # It may take parameters by name; where it does not, the first error is the one to show.
            try:
                return self._path(c, in_dicts=True)
            except (AttributeError, TypeError, IndexError, KeyError):
                pass
            raise

    def _path(self, c: BugCase, *, in_dicts: bool) -> Array:
        optimizer = _fresh(self.optimizer)
        step: Any = optimizer if callable(optimizer) else _method_of(optimizer)
        name = ["theta"] if _n_required(step) == 3 else []  # of the parameter, where it has a state for each
        theta = c.start.copy()
        result: Array = np.empty_like(c.x)
        for t, gradient in enumerate(c.x):
            given = {"theta": theta} if in_dicts else theta
            with np.errstate(invalid="ignore"):
                returned = step(given, {"theta": gradient.copy()} if in_dicts else gradient.copy(), *name)
            new = given if returned is None else returned
            theta = np.array(new["theta"] if isinstance(new, dict) else new, dtype=np.float64)
            if theta.shape != c.start.shape:
                raise ValueError(f"the new θ has shape {theta.shape}; expected {c.start.shape}")
            result[t] = theta
        return result


def _method_of(optimizer: Any) -> Callable[..., Any] | None:
    for name in METHODS:
        method = getattr(optimizer, name, None)
        if callable(method):
            found: Callable[..., Any] = method
            return found
    return None


def _n_required(step: Callable[..., Any]) -> int:
    """The number of arguments that must be given."""
    try:
        parameters = signature(step).parameters.values()
    except (TypeError, ValueError):
        return 2
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is Parameter.empty for p in parameters)


def _fresh(optimizer: Any) -> Any:
    """A copy with a state of its own; of a function, the variables that it closes over are copied."""
    if not isinstance(optimizer, FunctionType):
        return copy.deepcopy(optimizer)
    memory: dict[int, Any] = {}
    cells = tuple(CellType(copy.deepcopy(cell.cell_contents, memory)) for cell in optimizer.__closure__ or ())
    copied = FunctionType(
        optimizer.__code__, optimizer.__globals__, optimizer.__name__, optimizer.__defaults__, cells or None
    )
    copied.__kwdefaults__ = optimizer.__kwdefaults__
    return copied
