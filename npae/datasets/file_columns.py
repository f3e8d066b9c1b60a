"""The names of a file's columns, compared with those that a model was trained on."""

import warnings
from pathlib import Path

import numpy as np

from npae.datasets.formats import options_for
from npae.datasets.named_columns import NamedColumns
from npae.utils.columns import Columns, columns_of
from npae.utils.errors import quoted
from npae.utils.types import Array, Shape

SHOWN = 5  # names in a message


def check_file_columns(X: Array, source: str, fitted: Columns | None) -> Array:
    """X, if its columns are those of the model in their order; where only the model has names, a warning says so.

    Parameters
    ----------
    X : ndarray
        The samples of ``source``; with ``columns`` where that names them.
    source : str
        The file, for messages.
    fitted : Columns or None
        Those that the model was trained on.

    Returns
    -------
    ndarray
        With names only if the model has names too: those of the model, where the file has none.

    Raises
    ------
    ValueError
        If there are other columns, or if they are in another order.
    """
    names = checked_names(columns_of(X), X.shape, source, fitted)
    return np.asarray(X) if names is None else NamedColumns.of(X, names)


def checked_names(given: Columns | None, shape: Shape, source: str, fitted: Columns | None) -> tuple[str, ...] | None:
    """The names under which a model takes samples of this shape, or None; as ``check_file_columns``."""
    if fitted is None:
        return None
    if not fitted.are_names:
        if given is not None:  # numbers, which may be written in several ways: 400 and 400.0
            _check_order(given.labels, fitted.labels, source)
        return None
    if given is None:
        if len(shape) != 2 or shape[1] != len(fitted.labels):
            return None
        warnings.warn(
            f"{source} does not name its columns, so they are taken in the order of the training data: "
            f"{_listed(list(fitted.labels))}",
            stacklevel=4,
        )
        return fitted.labels
    known, present = set(fitted.labels), set(given.labels)
    unseen = [name for name in given.labels if name not in known]
    missing = [name for name in fitted.labels if name not in present]
    if missing:
        instead = f", but has {_listed(unseen)}" if unseen else ""
        raise ValueError(
            f"{source} lacks columns that the model was trained on: {_listed(missing)}{instead}; give the columns of "
            f"the training data, under their names"
        )
    if unseen:
        advice = "leave them out with --drop (in Python drop=)" if _can_drop(source) else "write it without them"
        raise ValueError(f"{source} has columns that the model was not trained on: {_listed(unseen)}; {advice}")
    _check_order(given.labels, fitted.labels, source)
    if given.labels != fitted.labels:
        raise ValueError(
            f"{source} has {len(given.labels)} columns, some under one name, but the model was trained on "
            f"{len(fitted.labels)}, and not as many under each name; give the columns of the training data"
        )
    return given.labels


def _can_drop(source: str) -> bool:
    """Whether columns can be left out where the source is read: not of a parquet, nor of several files."""
    return Path(source).exists() and "drop" in options_for(source)


def _check_order(given: tuple[str, ...], fitted: tuple[str, ...], source: str) -> None:
    """Refuse the same names in another order."""
    if given == fitted or sorted(given) != sorted(fitted):
        return
    place, now, then = next(
        (i, now, then) for i, (now, then) in enumerate(zip(given, fitted, strict=True), start=1) if now != then
    )
    raise ValueError(
        f"{source} has the columns of the training data in another order: column {place} is {quoted(now)}, but was "
        f"{quoted(then)}; write them in that order"
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(quoted, names[:SHOWN])) + more
