"""Data of 0-255 where data of [0, 1] is wanted: whether X is such data, and the hint that a division was forgotten."""

import re
import warnings
from collections.abc import Sequence

import numpy as np

from npae.utils.callers import level_of_caller
from npae.utils.errors import Hint
from npae.utils.samples import Rows, Samples, blocks, dense
from npae.utils.source_rows import SourceRows
from npae.utils.sparse import SparseRows

#: Least maximum of data that is taken for bytes.
BRIGHT = 200
#: Least number of columns of rows of pixels, 8 × 8, and what half of those that are not 0 throughout reach at least.
FEWEST_PIXELS, HALF_BRIGHT = 64, 100
LOOKED_AT = 32  # samples, before all are


def looks_like_bytes(x: Samples) -> bool:
    """Whether it has the range of images of 0-255, of whatever dtype; rows of features only if they are whole."""
    low, high = x.extremes() if isinstance(x, Rows) else (x.min(), x.max())
    if not (low >= 0 and high <= 255 and high >= BRIGHT):
        return False
    return x.ndim > 2 or are_whole(x)


def looks_like_images_of_bytes(x: Samples, names: Sequence[str] | None = None) -> bool:
    """Whether data for a new model has the range of images of 0-255, and is not rather a table in that range.

    Rows of pixels are dense, have as many columns as an image of 8 × 8 pixels or more, many of which are bright, and
    ``names``, if any, that only count them, such as pixel0, pixel1: a table of ages and counts is not meant.
    """
    if x.ndim > 2:
        return looks_like_bytes(x)
    if isinstance(x, SparseRows) or x.shape[1] < FEWEST_PIXELS or not looks_like_bytes(x):
        return False
    if names is not None and len({re.sub(r"[0-9]+", "", name) for name in names}) > 1:
        return False
    largest = np.max([block.max(axis=0) for block in blocks(x)], axis=0)
    return bool(np.median(largest[largest > 0]) >= HALF_BRIGHT)


def are_whole(x: Samples) -> bool:
    """Whether all values are whole numbers."""
    if isinstance(x, SourceRows) and x.source.divide is None and x.source.dtype.kind in "biu":
        return True
    return all(np.array_equal(block, np.trunc(block)) for block in blocks(x))


def hint_at_bytes(x: Samples) -> None:
    """Warn where samples of 0-255 are given to a model that was trained to rebuild data in [0, 1].

    Sparse samples, such as counts of words, are no images. All are looked at only where some of them are bright; of a
    source only these some.
    """
    if isinstance(x, SparseRows) or len(x) == 0:
        return
    if isinstance(x, SourceRows):
        x = dense(x[: min(len(x), LOOKED_AT)])
    if x[:: -(-len(x) // LOOKED_AT)].max() < BRIGHT:
        return
    if looks_like_bytes(x):
        warnings.warn(
            Hint(
                f"the samples run from {x.min():.9g} to {x.max():.9g}, but the model was trained to rebuild data in "
                f"[0, 1]; scale them as the training data was (images of 0-255: X / 255, on the command line "
                f"--divide 255)"
            ),
            stacklevel=level_of_caller(),
        )
