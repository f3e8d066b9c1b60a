"""What NumPy would make numbers of without a word, refused by name: masked cells, missing values, dates, and the like.

``np.asarray`` shows what lies beneath a mask, ``astype(float)`` counts dates in nanoseconds and makes NaN of None, and
a list of dataframes loses the names of their columns.
"""

import datetime
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from npae.utils.columns import columns_of
from npae.utils.sparse import is_sparse
from npae.utils.types import Array

DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
#: Types of columns, as pandas (periods) and pyarrow write them.
DATE_TYPES = ("period[", "timestamp[", "date32[", "date64[", "time32[", "time64[", "duration[")
#: Types of what stands for a missing value, by name, so that pandas need not be imported.
MISSING = ("NoneType", "NAType", "NaTType")


def refuse_masked(x: Any, what: str) -> None:
    """Refuse an array with masked cells."""
    if isinstance(x, np.ma.MaskedArray) and (mask := np.ma.getmaskarray(x)).any():
        count = f"contains masked values: {int(mask.sum())} of {mask.size}, the first at index {_first(mask)}, and"
        raise ValueError(
            f"{what} {count if x.ndim else 'is masked, and'} what lies beneath a mask is no data; fill masked values, "
            f"as with X.filled(0), or remove their samples"
        )


def refuse_read_once(x: Any, what: str) -> None:
    """Refuse an iterator, which has one epoch only, and the function that makes one."""
    if isinstance(x, Iterator):
        raise TypeError(
            f"{what} is a {type(x).__name__}, which can be read once, but is needed more often; give "
            f"npae.datasets.StreamSource(function), whose function takes the number of an epoch and returns an "
            f"iterator of arrays"
        )
    if isinstance(x, FunctionType):
        raise TypeError(
            f"{what} is a function, but samples are expected; where it returns an iterator of arrays for the number of "
            f"an epoch, give npae.datasets.StreamSource({x.__name__})"
        )


#: Lists of arrays that may be parts of the data: so few, of so many rows; or of more rows than images have.
FEW_ENTRIES, MANY_ROWS, MOST_ROWS = 10, 50, 2000


def refuse_parts(x: list[Any] | tuple[Any, ...]) -> None:
    """Refuse a list of arrays that may be parts of the data, whose rows are the samples, rather than samples."""
    if not x or not all(isinstance(entry, np.ndarray) and entry.ndim > 1 for entry in x):
        return
    shape = x[0].shape
    is_alike = all(entry.shape == shape for entry in x)
    is_large = shape[0] > MOST_ROWS or (len(x) < FEW_ENTRIES and shape[0] > MANY_ROWS)
    if is_alike and is_large:
        raise ValueError(
            f"X is a list of {len(x)} arrays of shape {shape}, which may be {len(x)} samples of that shape, or parts "
            f"with {len(x) * shape[0]:,} samples of shape {shape[1:]}; give np.stack(X) for samples, or "
            f"npae.datasets.ShardSource(X) for parts"
        )


def refuse_in_list(x: list[Any] | tuple[Any, ...], what: str) -> None:
    """Refuse a list of what loses its meaning in an array: masks, sparse matrices, columns in different orders."""
    if set(map(type, x)) <= {float, int, bool, str}:
        return
    columns = None
    for i, entry in enumerate(x):
        place = f"{what}[{i}]"
        if isinstance(entry, list | tuple):
            refuse_in_list(entry, place)
        elif is_sparse(entry):
            raise TypeError(
                f"{what} is a list of sparse matrices; join them into one, as with scipy.sparse.vstack, or call "
                f"partial_fit with each"
            )
        elif isinstance(entry, np.ma.MaskedArray):
            refuse_masked(entry, place)
        elif isinstance(entry, np.generic):  # a text of NumPy has a method called index, but no rows
            continue
        elif hasattr(entry, "columns") or (hasattr(entry, "index") and hasattr(entry, "dtype")):
            refuse_table(entry, place)
            own = columns_of(entry) if hasattr(entry, "columns") else tuple(map(str, entry.index))
            columns = own if columns is None else columns
            if own != columns:
                raise ValueError(
                    f"{place} has other columns than {what}[0], or has them in another order; give all the same "
                    f"columns, in one order"
                )


def refuse_table(x: Any, what: str) -> None:
    """Refuse dates and missing values in the columns of a dataframe, or in a series."""
    if hasattr(x, "collect") and hasattr(x, "columns"):
        raise TypeError(f"{what} is a {type(x).__name__}, which has yet to be computed; give its .collect()")
    names, dtypes = getattr(x, "columns", None), getattr(x, "dtypes", None)
    if hasattr(x, "column_names") and hasattr(x, "schema"):  # a table of pyarrow
        names, dtypes = x.schema.names, x.schema.types
    if names is not None and dtypes is not None:
        for name, dtype in zip(list(names), list(dtypes), strict=True):
            if _is_date(dtype):
                raise TypeError(
                    f"the column {name!r} of {what} holds dates ({dtype}), which are no numbers; leave it out, or make "
                    f"it a number such as days since a day"
                )
    if hasattr(x, "isna"):  # pandas
        _refuse_missing_in_pandas(x, what)
    elif hasattr(x, "null_count") and hasattr(x, "columns"):  # polars
        _refuse_null_in_polars(x, what)


def _refuse_missing_in_pandas(x: Any, what: str) -> None:
    """NaN of a column of NumPy's own floats is no missing value to pandas alone; the gate counts it with infinity."""
    is_frame = hasattr(x, "columns")
    missing = np.asarray(x.isna())
    dtypes = list(x.dtypes) if is_frame else [x.dtype]
    if missing.size == 0:
        return
    nullable = np.asarray([not (isinstance(dtype, np.dtype) and dtype.kind == "f") for dtype in dtypes])
    missing = missing & nullable if is_frame else missing & nullable[0]
    if missing.any():
        first = _first(missing)
        column = f" of column {x.columns[first[1]]!r}" if is_frame else ""
        _refuse_missing(what, int(missing.sum()), missing.size, f"in row {first[0]}{column}")


def _refuse_null_in_polars(x: Any, what: str) -> None:
    counts = dict(zip(x.columns, x.null_count().row(0), strict=True))
    name = next((name for name, count in counts.items() if count), None)
    if name is not None:
        rows, columns = x.shape
        first = x[name].is_null().arg_max()
        _refuse_missing(what, sum(counts.values()), rows * columns, f"in row {first} of column {name!r}")


def _is_date(dtype: Any) -> bool:
    is_temporal = getattr(dtype, "is_temporal", None)  # polars
    if callable(is_temporal):
        return bool(is_temporal())
    return getattr(dtype, "kind", "") in ("M", "m") or str(dtype).startswith(DATE_TYPES)


def numbers_of(x: Array, what: str, given: Any = None) -> Array:
    """An array of any dtype as real numbers; ``given`` is what it was made of, a dataframe perhaps."""
    if x.dtype.kind in "biuf":
        return x
    if x.dtype.kind == "c":
        _refuse_complex(what, x.dtype)
    if x.dtype.kind in "Mm":
        missing = np.isnat(x)
        also = f", {int(missing.sum())} of them missing (NaT)" if missing.any() else ""
        raise TypeError(f"{what} holds dates ({x.dtype}){also}, which are no numbers; {_ADVICE_ON_DATES}")
    if x.dtype.names is not None:
        raise TypeError(
            f"{what} is a structured array with the fields {', '.join(x.dtype.names[:5])}; give an array of numbers, "
            f"as numpy.lib.recfunctions.structured_to_unstructured makes of it"
        )
    if x.ndim == 0 and x.item() is None:
        return np.asarray(np.nan)  # of no shape that a model takes
    if x.ndim == 0:
        text = repr(x.item())
        raise TypeError(
            f"{what} is {text[:40]}{'…' * (len(text) > 40)} ({type(x.item()).__name__}), but an array of samples is "
            f"expected; npae.datasets.read reads files"
        )
    if x.dtype.kind == "O":
        _refuse_objects(x, what)
    try:
        return x.astype(np.float64)
    except OverflowError:
        raise ValueError(
            f"{what} holds whole numbers beyond 1.8e308, the largest floating-point number; scale them, or leave them "
            f"out if they only name the samples"
        ) from None
    except (TypeError, ValueError) as error:
        _refuse_nested(x, what, given)
        raise type(error)(
            f"{what} have dtype {x.dtype} and are not all numbers ({error}){_first_column_of_text(given)}; encode them "
            f"as numbers first"
        ) from None


def _refuse_nested(x: Array, what: str, given: Any) -> None:
    """Refuse objects that hold several values each, such as the images of an array of objects."""
    values = x.reshape(-1) if x.dtype.kind == "O" else ()
    kinds = {type(value).__name__ for value in values if _is_sequence(value)}
    if kinds:
        is_of_samples = x.ndim == 1 and not hasattr(given, "columns")
        advice = "join them: np.stack(list(X))" if is_of_samples else "give each value a column or an axis of its own"
        raise ValueError(
            f"{what} is an array of objects of shape {x.shape} that holds values of type {min(kinds)}, not numbers"
            f"{_first_column_of_text(given)}; {advice}"
        )


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _first_column_of_text(x: Any) -> str:
    """Where in a dataframe the first value is that is no number, as the end of a phrase."""
    for label in list(getattr(x, "column_names", getattr(x, "columns", ()))):  # the former in a table of pyarrow
        try:
            np.asarray(x[label]).astype(np.float64)
        except (TypeError, ValueError):
            return f", first in the column {label!r}"
    return ""


_ADVICE_ON_DATES = "leave them out, or make them numbers such as days since a day"


def _refuse_objects(x: Array, what: str) -> None:
    """Refuse objects that NumPy would convert, or refuse in words that help nobody."""
    flat = x.reshape(-1)
    types = set(map(type, flat))
    if any(issubclass(t, complex | np.complexfloating) for t in types):
        _refuse_complex(what, x.dtype)
    dates = {t for t in types if issubclass(t, DATES) and t.__name__ not in MISSING}
    if dates:
        is_date = _are_of(flat, dates).reshape(x.shape)
        raise TypeError(
            f"{what} contains dates ({min(t.__name__ for t in dates)}): {int(is_date.sum())} of {x.size} values, the "
            f"first at index {_first(is_date)}, and dates are no numbers; {_ADVICE_ON_DATES}"
        )
    refuse_missing(x, what)


def refuse_missing(x: Array, what: str) -> None:
    """Refuse marks of missing values among objects, dates and floats."""
    if x.dtype.kind == "O":
        types = set(map(type, x.reshape(-1)))
        missing = {t for t in types if t.__name__ in MISSING or issubclass(t, np.ma.core.MaskedConstant)}
        is_missing = _are_of(x.reshape(-1), missing).reshape(x.shape)
    else:
        is_missing = np.isnat(x) if x.dtype.kind in "Mm" else np.isnan(x) if x.dtype.kind == "f" else np.zeros(0, bool)
    if is_missing.any():
        _refuse_missing(what, int(is_missing.sum()), x.size, f"at index {_first(is_missing)}")


def _are_of(flat: Array, types: set[type]) -> Array:
    return np.fromiter((type(value) in types for value in flat), bool, len(flat))


def _refuse_missing(what: str, count: int, size: int, where: str) -> NoReturn:
    raise ValueError(
        f"{what} contains NaN or other marks of missing values (NA, NaT, None, null): {count} of {size} values are "
        f"missing, the first {where}; fill them or remove their samples"
    )


def _refuse_complex(what: str, dtype: np.dtype[Any]) -> NoReturn:
    raise ValueError(f"Complex data not supported: {what} have dtype {dtype}; give real numbers")


def _first(flags: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(flags)[0])
