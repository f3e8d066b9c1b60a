"""The parameters of a function or class, without evaluating annotations."""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any


def arguments_of(f: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of ``f`` by name.

    Annotations are not evaluated. Since Python 3.14 ``inspect.signature`` does so by default, and raises a NameError
    for names that are imported for type checkers only.

    Raises
    ------
    TypeError, ValueError
        If ``f`` has no signature, like some functions written in C.

    Examples
    --------
    >>> list(arguments_of(lambda a, b=1: a))
    ['a', 'b']
    """
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(f, annotation_format=Format.STRING).parameters
    return inspect.signature(f).parameters
