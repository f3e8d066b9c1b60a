"""The arguments of a function or class, whatever its annotations say."""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any


def arguments_of(f: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """What ``f`` takes, by name.

    Annotations are not evaluated. Since Python 3.14 ``inspect.signature`` would do so, and end in a NameError where one
    names what is imported for type checkers alone.

    Raises
    ------
    TypeError, ValueError
        Where ``f`` does not tell.
    """
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(f, annotation_format=Format.STRING).parameters
    return inspect.signature(f).parameters
