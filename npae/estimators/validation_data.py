"""What ``fit`` is given as validation data: row numbers of X, or samples of their own."""

from typing import Any

import numpy as np

from npae.estimators.labels import places_of
from npae.training.order import is_by_window
from npae.training.split import split_at
from npae.training.state import Data
from npae.utils.samples import Samples
from npae.utils.types import Array
from npae.utils.validation import check_samples
from npae.utils.wording import counted


def data_with(
    validation: Any, X: Samples, labels: Array | None, classes: Array | None, *, shuffle: str, unit_interval: bool
) -> Data:
    """The data of a run whose validation data is given.

    Parameters
    ----------
    validation : array-like of int, shape (m,), or samples, or a pair of samples and their labels
        Row numbers of X, which are then not trained on; or samples like those of X. Of a conditional model the pair.
    X : ndarray of shape (n, *shape), or rows of a sparse matrix or of a source
        Checked.
    labels, classes : ndarray, or None
        Of a conditional model: places of the labels, and the labels in order.
    shuffle : str
    unit_interval : bool
        Whether values must lie in [0, 1].
    """
    if _are_row_numbers(validation):
        aside = _rows_aside(np.asarray(validation), len(X))
        if is_by_window(X, shuffle):
            raise ValueError(
                "validation holds row numbers, but X is shuffled in windows and read in chunks; give a source of its "
                'own, validation_fraction, or shuffle="global"'
            )
        return Data(*split_at(X, labels, np.setdiff1d(np.arange(len(X)), aside), aside))
    given, own = validation, None
    if isinstance(validation, tuple) and len(validation) == 2:
        given, own = validation
    samples = check_samples(given, X.shape[1:], X.dtype, "validation samples", unit_interval=unit_interval)
    if classes is None:
        return Data(X, labels, samples)
    if own is None:
        raise ValueError("this model is conditional, so validation needs labels too; give validation=(X, y)")
    return Data(X, labels, samples, places_of(own, classes, len(samples), "the validation labels"))


def _are_row_numbers(validation: Any) -> bool:
    if not isinstance(validation, np.ndarray | list | range):
        return False
    array = np.asarray(validation)
    return array.ndim == 1 and array.dtype.kind in "iu"


def _rows_aside(rows: Array, n: int) -> Array:
    if not len(rows) or rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) < len(rows) or len(rows) >= n:
        raise ValueError(
            f"validation holds {counted(len(rows), 'row number')} of {counted(n, 'sample')}; expected different ones "
            f"from 0 to {n - 1}, fewer than all"
        )
    return rows.astype(np.int64)
