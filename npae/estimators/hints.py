"""Hints: one warning where data was probably meant otherwise, or where a variational code is not used.

Nothing is changed and nothing is refused. Each hint says how the data is read, so that it is true in any case, and what
to give where that is not what was meant.
"""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from npae.layers.convolution import Conv2D
from npae.layers.reparameterization import Reparameterization
from npae.network.autoencoder import Autoencoder
from npae.network.posterior import posterior
from npae.utils.callers import level_of_caller
from npae.utils.columns import Columns
from npae.utils.errors import ChannelsFirstHint, Hint, ScaleHint, UnusedCodeHint, WindowsHint
from npae.utils.samples import Rows, Samples, dense
from npae.utils.sources import IN_MEMORY
from npae.utils.sparse import SparseRows
from npae.utils.types import Array
from npae.utils.wording import counted

CHANNELS = (1, 3, 4)  # of an image: grey, colours, colours and opacity
SMALLEST_IMAGE = 8  # height and width
MOST_OBLONG = 2  # the longer side of an image by the shorter one
MOST_CHANNELS = 16  # of a time series
LONGEST = 3  # times as long as it has channels, and more, an image is a series
ALIKE = 0.7  # neighbours in an image differ by less than this share of what any two columns differ by
LOOKED_AT = 200  # samples

SCALES = 100.0  # the largest scale by the middle one
FEWEST_ROWS = 20
FEWEST_POINTS, STEEPEST = 16, 10.0  # columns of a signal, and by what factor their scales differ from one to the next

CARRIED = 0.05  # nats: what a dimension of a code that is used carries at least
NOTHING = 0.1  # nats: of the whole code
FEWEST_EPOCHS, FEWEST_STEPS = 10, 200  # a code may be unused for a while when training begins
RISEN = 1.1  # by so much in the last quarter of the epochs, and the code is coming into use


def hint_at_data(X: Samples, network: Autoencoder) -> None:
    """Warn where samples were probably meant otherwise.

    Parameters
    ----------
    X : ndarray of shape (n, features), (n, height, width) or (n, height, width, channels)
        Finite. Sparse samples, such as counts of words, have columns of many scales by nature, and get no hint; nor do
        those of a source of more than 128 MiB, which would have to be read whole once more.
    network : Autoencoder
        That is about to be trained. Only to one that convolves it matters which values are neighbours.
    """
    if isinstance(X, Rows):
        if isinstance(X, SparseRows) or X.size * X.dtype.itemsize > IN_MEMORY:
            return
        X = dense(X)
    is_convolutional = any(isinstance(layer, Conv2D) for layer in network.encoder.layers)
    hint: Hint | None = None
    if X.ndim == 4:
        hint = _channels_first(X)
    elif X.ndim == 3 and is_convolutional:
        hint = _windows(X)
    elif X.ndim == 2 and not is_convolutional:
        hint = _scales(X, network.columns)
    if hint is not None:
        warnings.warn(hint, stacklevel=level_of_caller())


def _channels_first(X: Array) -> ChannelsFirstHint | None:
    n, channels, height, width = X.shape
    shorter, longer = sorted((height, width))
    if channels not in CHANNELS or shorter < SMALLEST_IMAGE or longer > MOST_OBLONG * shorter:
        return None
    return ChannelsFirstHint(
        f"X of shape {X.shape} is read as {counted(n, 'image')} of {channels}×{height} pixels with {width} "
        f"channels; where they are images of {height}×{width} pixels with channels first, fit X.transpose(0, 2, 3, 1)"
    )


def _windows(X: Array) -> WindowsHint | None:
    n, height, width = X.shape
    if 2 <= width <= MOST_CHANNELS and height >= LONGEST * width and not _are_neighbours(X):
        time, channels, remedy = height, width, "X[:, :, None, :]"
    elif 2 <= height <= MOST_CHANNELS and width >= LONGEST * height and not _are_neighbours(X.transpose(0, 2, 1)):
        time, channels, remedy = width, height, "X.transpose(0, 2, 1)[:, :, None, :]"
    else:
        return None
    return WindowsHint(
        f"X of shape {X.shape} is read as {counted(n, 'image')} of {height}×{width} pixels, so that convolution and "
        f"pooling go across both axes; where they are windows of {time} times with {channels} channels each, "
        f"fit {remedy}"
    )


def _are_neighbours(X: Array) -> bool:
    """Whether columns of X (n, length, columns) that lie side by side are more alike than others, as in an image."""
    columns = X[:LOOKED_AT].astype(np.float64).reshape(-1, X.shape[2])  # (n, length, columns) -> (n * length, columns)
    if columns.shape[1] < 4:
        return False
    covariance = columns.T @ columns
    squares = np.diag(covariance)
    differences = squares[:, None] + squares - 2 * covariance  # (columns, columns), of squares, summed
    side_by_side = np.diag(differences, 1).mean()
    any_two = differences[np.triu_indices(len(differences), 1)].mean()
    return bool(side_by_side < ALIKE * any_two)


def _scales(X: Array, columns: Columns | None) -> ScaleHint | None:
    if len(X) < FEWEST_ROWS or (X.min() >= -1 and X.max() <= 1):
        return None
    scales = np.maximum(np.abs(X.max(axis=0).astype(np.float64)), np.abs(X.min(axis=0).astype(np.float64)))
    used = np.sort(scales[scales > 0])
    middle = used[(len(used) - 1) // 2]
    if used[-1] < SCALES * middle or _is_signal(scales):
        return None
    scales = _without_outliers(X)
    place = int(scales.argmax())
    largest = scales[place]
    if largest < SCALES * middle:
        return None
    name = f" ({columns.labels[place]!r})" if columns is not None else ""
    return ScaleHint(
        f"the columns of X have very different scales: values reach {largest:.3g} in column {place + 1}{name} but "
        f"at most {middle:.3g} in half of them or more, so that the loss hardly sees these; scale the columns, for "
        f"example with sklearn.preprocessing.StandardScaler"
    )


def _is_signal(scales: Array) -> bool:
    """Whether the scales of columns (d,) change by little from one to the next, as along a peak in a spectrum."""
    if len(scales) < FEWEST_POINTS:
        return False
    higher, lower = np.maximum(scales[1:], scales[:-1]), np.minimum(scales[1:], scales[:-1])
    return bool((higher <= STEEPEST * lower).all())


def _without_outliers(X: Array) -> Array:
    """What each column of X (n, d) reaches in more than one row of a hundred, and in two at least."""
    n_outliers = -(-len(X) // 100)
    sizes = np.abs(X.astype(np.float64))
    reached: Array = np.partition(sizes, -n_outliers - 1, axis=0)[-n_outliers - 1]
    return reached


def hint_at_code(network: Autoencoder, X: Samples, history: Mapping[str, Sequence[float]], n_steps: int) -> None:
    """Warn where a variational code, or most of it, still carries nothing after a training of some length.

    Parameters
    ----------
    network : Autoencoder
        Trained for ``n_steps`` steps.
    X : ndarray of shape ``(n, *input_shape)``
        Checked; up to 200 samples are looked at.
    history : mapping of str to sequence of float
        Its "kl" is looked at: as long as it rises, nothing is said.
    """
    layer = next((layer for layer in network.code.layers if isinstance(layer, Reparameterization)), None)
    kl = list(history.get("kl", ()))
    if layer is None or len(kl) < FEWEST_EPOCHS or n_steps < max(FEWEST_STEPS, 2 * layer.warm_up_steps):
        return
    quarter = len(kl) // 4
    before, last = np.mean(kl[-2 * quarter : -quarter]), np.mean(kl[-quarter:])
    if not last <= RISEN * max(before, np.finfo(float).tiny):
        return
    # In blocks for which the memory is there: (n, code_size)
    mu, log_var = posterior(network, X[:: -(-len(X) // LOOKED_AT)], max(network.arena.capacity, 1))
    carried = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).mean(axis=0)
    n_used, size = int((carried >= CARRIED).sum()), len(carried)
    if 2 * n_used >= size:
        return
    after = f"after {len(kl)} epochs"
    if carried.sum() < NOTHING:
        hint = (
            f"the code carries {carried.sum():.2g} nats about a sample {after}, so that all are decoded nearly alike; "
            f"lower beta ({layer.beta:g}), let it rise with beta_warm_up, or scale data of small values up"
        )
    else:
        hint = (
            f"{size - n_used} of the code's {size} dimensions carry less than {CARRIED:g} nats each {after}; lower "
            f"beta ({layer.beta:g}) to use more of them, or code_size, which {max(n_used, 1)} would be enough for"
        )
    warnings.warn(UnusedCodeHint(hint), stacklevel=level_of_caller())
