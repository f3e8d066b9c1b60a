"""Heat maps of the error of a block, as characters for a terminal.

They show the pattern that the largest error alone hides: a wrong row, a wrong corner, a wrong last column.
"""

from collections.abc import Iterator

import numpy as np

from npae.utils.types import Array

SHADES = "·░▒▓█"
LIMITS = (1e-6, 1e-4, 1e-2, 1e-1)  # below the first an entry is right
UNKNOWN = " "
ROWS, COLUMNS = 12, 60


def plane(errors: Array) -> Array:
    """Any array as a matrix (rows, columns): the last axis gives the columns, all others the rows."""
    return np.atleast_2d(errors.reshape(-1, errors.shape[-1]) if errors.ndim else errors)


def condensed(errors: Array, rows: int, columns: int) -> Array:
    """The matrix reduced to at most rows × columns cells; each is the largest of its entries, NaN where all are NaN."""
    picture = plane(errors)
    for axis, limit in enumerate((rows, columns)):
        n = picture.shape[axis]
        if n > limit:
            parts = np.array_split(picture, limit, axis=axis)
            picture = np.stack([_worst(part, axis) for part in parts], axis=axis)
    return picture


def _worst(part: Array, axis: int) -> Array:
    known = np.where(np.isnan(part), -1.0, part).max(axis=axis)
    return np.where(known < 0, np.nan, known)


def shade(error: float) -> int:
    """The shade of an error: from 0 (right) to 4 (above the last of ``LIMITS``)."""
    return sum(error > limit for limit in LIMITS)


def text_map(errors: Array) -> Iterator[str]:
    """The lines of the heat map, and a legend as the last one."""
    picture = condensed(errors, ROWS, COLUMNS)
    for row in picture:
        yield "|" + "".join(UNKNOWN if np.isnan(e) else SHADES[shade(e)] for e in row) + "|"
    steps = "  ".join(f"{mark} > {limit:.0e}" for mark, limit in zip(SHADES[1:], LIMITS, strict=True))
    yield f"{SHADES[0]} right  {steps}  blank: not looked at"
