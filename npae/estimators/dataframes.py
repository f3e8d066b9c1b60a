"""Codes as dataframes with named columns, without importing their library until one is asked for."""

import sys
from importlib import import_module
from typing import Any

from npae.utils.errors import MissingExtraError
from npae.utils.types import Array

#: Values of ``set_output``, as in scikit-learn.
CONTAINERS = ("default", "pandas", "polars")


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
