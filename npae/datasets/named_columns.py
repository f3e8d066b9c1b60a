"""An array of samples that keeps the names of its columns, as long as only rows are chosen from it."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from npae.utils.types import Array


class NamedColumns(np.ndarray[Any, np.dtype[Any]]):
    """A table of numbers with the names that its file gives to the columns.

    Whatever takes a dataframe reads the names from ``columns``. An array that is computed from this one, or chosen from
    it by more than rows, has no ``columns``.

    Examples
    --------
    >>> x = NamedColumns.of(np.array([[1.0, 2.0], [3.0, 4.0]]), ["width", "height"])
    >>> x[:1].columns
    ('width', 'height')
    >>> hasattr(2 * x, "columns"), hasattr(x[:, :1], "columns")
    (False, False)
    """

    columns: tuple[str, ...]

    @classmethod
    def of(cls, x: Array, columns: Iterable[str]) -> Self:
        """x (n, columns) with these names, without a copy."""
        named = x.view(cls)
        named.columns = tuple(columns)
        return named

    def __getitem__(self, key: Any) -> Any:
        chosen = super().__getitem__(key)
        chooses_rows = not isinstance(key, tuple) and isinstance(chosen, NamedColumns) and chosen.ndim == 2
        if chooses_rows and hasattr(self, "columns"):
            chosen.columns = self.columns
        return chosen
