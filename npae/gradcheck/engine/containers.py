"""Arrays in dicts, lists and tuples, which may be nested, as arrays by name: {"params.W": W, "params.layers[0]": …}."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.utils.types import Array


class ContainerError(ValueError):
    """A container has other entries than the one that it belongs to."""


def is_container(value: Any) -> bool:
    """Whether a value is a dict, list or tuple."""
    return isinstance(value, dict | list | tuple)


def arrays_in(name: str, value: Any) -> Iterator[tuple[str, Array]]:
    """The arrays in a value, each with a name that says where it lies; in the order of the container.

    Examples
    --------
    >>> [name for name, _ in arrays_in("p", {"W": np.ones(2), "b": [np.ones(1), 3]})]
    ['p.W', 'p.b[0]']
    """
    if is_container(value):
        for part, entry in _entries(name, value):
            yield from arrays_in(part, entry)
    elif isinstance(value, np.ndarray | np.generic):
        yield name, np.asarray(value)


def replaced(name: str, value: Any, arrays: Mapping[str, Array]) -> Any:
    """The same container with these arrays in place of its own, those of the same names."""
    if isinstance(value, dict):
        parts = dict(_entries(name, value))
        return {key: replaced(part, value[key], arrays) for key, part in zip(value, parts, strict=True)}
    if is_container(value):
        entries = [replaced(part, entry, arrays) for part, entry in _entries(name, value)]
        if isinstance(value, list):
            return entries
        return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)  # a namedtuple
    return arrays.get(name, value)


def gradients_in(name: str, value: Any, claimed: Any) -> Iterator[tuple[str, Any]]:
    """For each floating-point array in a value, what lies at its place in ``claimed``, a container of the same kind.

    Raises
    ------
    ContainerError
        If entries are missing in ``claimed``, or it has others.
    """
    if not is_container(value):
        if isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype.kind == "f":
            yield name, claimed
        return
    if isinstance(value, dict) != isinstance(claimed, dict) or not is_container(claimed):
        kind = "dict" if isinstance(value, dict) else "list or tuple"
        raise ContainerError(f"the gradient by {name} is {_a(claimed)}; expected a {kind} with the entries of {name}")
    theirs = dict(enumerate(claimed)) if not isinstance(claimed, dict) else claimed
    ours = dict(enumerate(value)) if not isinstance(value, dict) else value
    missing = [key for key in ours if key not in theirs and any(True for _ in arrays_in(name, ours[key]))]
    extra = [key for key in theirs if key not in ours]
    if missing or extra:
        what = f"has no {missing[0]!r}" if missing else f"has {extra[0]!r}, which {name} has not"
        raise ContainerError(f"the gradient by {name} {what}; expected {', '.join(map(repr, ours))}")
    for (part, entry), key in zip(_entries(name, value), ours, strict=True):
        if key in theirs:
            yield from gradients_in(part, entry, theirs[key])


def _entries(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield f"{name}.{key}" if isinstance(key, str) and key.isidentifier() else f"{name}[{key!r}]", entry
    else:
        for i, entry in enumerate(value):
            yield f"{name}[{i}]", entry


def _a(value: Any) -> str:
    return "None" if value is None else f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
