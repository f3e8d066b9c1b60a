"""Columns of a dataframe: what they are called, and whether they are those that a model was fitted to.

No library of dataframes is imported: what has ``columns`` is one.
"""

import warnings
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from npae.utils.callers import level_of_caller

SHOWN = 5  # names in a message


@dataclass(frozen=True)
class Columns:
    """What the columns of a dataframe are called, in their order.

    Parameters
    ----------
    labels : tuple of str
        Text as it is; numbers, pairs and all else as Python writes them.
    are_names : bool
        Whether they are text, which scikit-learn calls feature names.
    """

    labels: tuple[str, ...]
    are_names: bool

    @property
    def are_default(self) -> bool:
        """Whether they are 0, 1, 2 and so on, which pandas gives to columns that were given no names."""
        return not self.are_names and self.labels == tuple(str(i) for i in range(len(self.labels)))


def columns_of(X: Any) -> Columns | None:
    """The columns of a dataframe, or None where X is none.

    Raises
    ------
    TypeError
        If some names are text and some are not.
    """
    if type(X) is np.ndarray:
        return None
    columns = getattr(X, "column_names", getattr(X, "columns", None))  # the former in a table of pyarrow
    if columns is None or callable(columns) or len(columns) == 0:
        return None
    return _columns(list(columns))


def columns_of_row(x: Any) -> Columns | None:
    """The columns that a row of a dataframe of pandas remembers, or None where x is none."""
    index = getattr(x, "index", None)
    if index is None or callable(index) or len(index) == 0:
        return None
    return _columns(list(index))


def _columns(labels: list[Any]) -> Columns:
    kinds = sorted({type(label).__name__ for label in labels})
    if "str" in kinds and len(kinds) > 1:
        raise TypeError(
            f"Feature names are only supported if all input features have string names, but these have {kinds} as "
            f"types; convert them: X.columns = X.columns.astype(str)"
        )
    if kinds == ["str"]:
        return Columns(tuple(labels), are_names=True)
    return Columns(tuple(str(label) for label in labels), are_names=False)


def check_columns(given: Columns | None, fitted: Columns | None) -> None:
    """Refuse columns that are not those of ``fit``, or not in their order; nothing is put in order silently.

    Where only one side has names there is nothing to compare. Labels that pandas gave by itself (0, 1, 2 and so on)
    say nothing of which columns these are, but something of their order.

    The words are scikit-learn's, which people search for and its own tests read.
    """
    if given is None or fitted is None or given.are_names != fitted.are_names or given.labels == fitted.labels:
        return
    unseen = sorted(set(given.labels) - set(fitted.labels))
    missing = sorted(set(fitted.labels) - set(given.labels))
    if (unseen or missing) and (given.are_default or fitted.are_default):
        return
    message = "The feature names should match those that were passed during fit.\n"
    if unseen:
        message += f"Feature names unseen at fit time:\n{_listed(unseen)}"
    if missing:
        message += f"Feature names seen at fit time, yet now missing:\n{_listed(missing)}"
    if not unseen and not missing:
        pairs = enumerate(zip_longest(given.labels, fitted.labels))
        place, (now, then) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
        found = f"is {now!r}" if now is not None else "is missing"
        expected = f"was {then!r}" if then is not None else "there was none"
        message += (
            f"Feature names must be in the same order as they were in fit.\n"
            f"Column {place + 1} {found}, but {expected}; give the columns of fit in their order, as with X[columns]\n"
        )
    raise ValueError(message)


def check_order(given: Columns | None, expected: Columns) -> None:
    """Refuse columns that are the expected ones in another order; others may be called what they will."""
    if given is not None and sorted(given.labels) == sorted(expected.labels):
        check_columns(given, expected)


def warn_of_names_on_one_side(given: Columns | None, fitted: Columns | None, who: str) -> None:
    """Say that the order of columns cannot be compared, where only ``fit`` or only X had names of columns.

    The words are scikit-learn's.
    """
    if given is None and fitted is None:
        return
    has, had = (side is not None and side.are_names for side in (given, fitted))
    if has and not had:
        warnings.warn(f"X has feature names, but {who} was fitted without feature names", stacklevel=level_of_caller())
    if had and not has:
        warnings.warn(
            f"X does not have valid feature names, but {who} was fitted with feature names",
            stacklevel=level_of_caller(),
        )


def _listed(names: list[str]) -> str:
    more = ["..."] if len(names) > SHOWN else []
    return "".join(f"- {name}\n" for name in names[:SHOWN] + more)
