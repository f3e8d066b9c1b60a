"""Support of dataframes without importing their library: column names of the input, named columns of the output."""

import sys
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from npae.utils.errors import MissingExtraError
from npae.utils.types import Array

#: Values of ``set_output``, as in scikit-learn.
CONTAINERS = ("default", "pandas", "polars")
SHOWN = 5  # names in a message


def column_names(X: Any) -> Array | None:
    """The names (features,) of a dataframe's columns, or None if X has no columns or their names are not strings.

    Raises
    ------
    TypeError
        If some names are text and some are not.
    """
    columns = getattr(X, "columns", None)
    if columns is None or len(columns) == 0:
        return None
    names = np.asarray(list(columns), dtype=object)
    kinds = sorted({type(name).__name__ for name in names})
    if "str" not in kinds:
        return None
    if len(kinds) > 1:
        raise TypeError(
            f"Feature names are only supported if all input features have string names, but these have {kinds} as "
            f"types; convert them: X.columns = X.columns.astype(str)"
        )
    return names


def check_names(given: Array | None, fitted: Array | None, who: str) -> None:
    """Raise ValueError for columns that are not those of ``fit``, and warn if only one of both has names.

    The words are scikit-learn's, which people search for and its own tests read.
    """
    if given is None and fitted is None:
        return
    if fitted is None:
        warnings.warn(f"X has feature names, but {who} was fitted without feature names", stacklevel=5)
        return
    if given is None:
        warnings.warn(f"X does not have valid feature names, but {who} was fitted with feature names", stacklevel=5)
        return
    if np.array_equal(given, fitted):
        return
    unseen, missing = sorted(set(given) - set(fitted)), sorted(set(fitted) - set(given))
    message = "The feature names should match those that were passed during fit.\n"
    if unseen:
        message += f"Feature names unseen at fit time:\n{_listed(unseen)}"
    if missing:
        message += f"Feature names seen at fit time, yet now missing:\n{_listed(missing)}"
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(message)


def _listed(names: list[str]) -> str:
    more = ["..."] if len(names) > SHOWN else []
    return "".join(f"- {name}\n" for name in names[:SHOWN] + more)


def wanted_container(chosen: str | None) -> str:
    """The choice of ``set_output``, or else scikit-learn's global setting if scikit-learn is imported."""
    sklearn = sys.modules.get("sklearn")
    if chosen is None and sklearn is not None:
        chosen = sklearn.get_config()["transform_output"]
    return chosen or "default"


def in_container(container: str, values: Array, columns: Array, X: Any) -> Any:
    """``values`` (n, columns) as the type that ``container`` names; a pandas index is that of X."""
    if container == "default":
        return values
    try:
        library = import_module(container)
    except ImportError:
        raise MissingExtraError(
            f"set_output asks for {container}, which is not installed; pip install {container}"
        ) from None
    if container == "polars":
        return library.DataFrame(values, schema=list(columns), orient="row")
    index = X.index if isinstance(X, library.DataFrame) else None
    return library.DataFrame(values, index=index, columns=columns)
