"""Calls of an estimator's public methods with wrong arguments, refused in the words of the person who called."""

import inspect
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, NoReturn

from npae.utils.signature import arguments_of

#: What to do in place of an argument that other libraries have.
INSTEAD = {
    "sample_weight": "samples have no weights here, so repeat the rows that are to count more, as with "
    "X[np.repeat(np.arange(len(X)), counts)]"
}


class PublicMethods:
    """Base class whose subclasses say which method of which class was called with wrong arguments, and what it takes.

    Python would name the mixin that defines the method instead of the class that the caller wrote.

    Examples
    --------
    >>> class Model(PublicMethods):
    ...     def fit(self, X, y=None):
    ...         return self
    >>> class Deep(Model):
    ...     pass
    >>> Deep().fit([[1.0]], epochs=3)
    Traceback (most recent call last):
        ...
    TypeError: Deep.fit() got an unexpected keyword argument 'epochs'; it takes X and y=None
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, method in list(vars(cls).items()):
            if isinstance(method, FunctionType) and not name.startswith("_"):
                setattr(cls, name, _explained(method))


def _explained(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, with a TypeError in other words where its arguments are wrong."""

    @wraps(method)
    def called(self: Any, /, *arguments: Any, **named: Any) -> Any:
        try:
            return method(self, *arguments, **named)
        except TypeError as error:
            is_begun = error.__traceback__ is None or error.__traceback__.tb_next is not None
            if is_begun:  # it is no error of the arguments' number and names
                raise
        is_called_by_name = getattr(type(self), method.__name__, None) is called  # False where super() called it
        name = f"{type(self).__name__}.{method.__name__}" if is_called_by_name else method.__name__
        _refuse(name, method, self, arguments, named)

    return called


def _refuse(name: str, method: Callable[..., Any], self: Any, arguments: Any, named: dict[str, Any]) -> NoReturn:
    """Raise a TypeError with what is wrong and what the method takes."""
    signature = inspect.Signature(list(arguments_of(method).values()))
    unknown = [given for given in named if given not in signature.parameters]
    if unknown:
        reason = f"got an unexpected keyword argument {unknown[0]!r}"
        advice = "".join(f"; {INSTEAD[given]}" for given in unknown if given in INSTEAD)
    else:
        reason, advice = _wrong_number(signature, self, arguments, named), ""
    raise TypeError(f"{name}() {reason}{advice}; it takes {_taken(signature)}") from None


def _wrong_number(signature: inspect.Signature, self: Any, arguments: Any, named: dict[str, Any]) -> str:
    """Which argument is missing or given twice, or that there are too many."""
    try:
        signature.bind(self, *arguments, **named)
    except TypeError as error:
        text = str(error)
        return f"is {text}" if text.startswith("missing") else f"got {text}"
    raise AssertionError  # not reached: Python refused the same arguments


def _taken(signature: inspect.Signature) -> str:
    """The parameters but self, with their defaults, as a phrase."""
    named = list(signature.parameters.values())[1:]
    words = [str(parameter.replace(annotation=inspect.Parameter.empty)) for parameter in named]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "no arguments"
