"""Compilation of all kernels ahead of time, for ``npae warmup``.

A kernel's machine code is made at its first call, for the dtypes and numbers of dimensions that it is given, whatever
the sizes, and kept on disk. So small models that are used like large ones make all the calls that the large ones will.
"""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npae.estimators import ESTIMATORS
from npae.kernels import default_kernels, reference_kernels
from npae.layers.activation import ACTIVATIONS
from npae.layers.corruption import NOISES
from npae.network.batching import BATCH
from npae.training.optimizers import OPTIMIZERS
from npae.utils.sources import ArraySource
from npae.utils.types import Array, Shape

FLAT: list[Shape] = [(7,), (6, 6)]  # vectors, and images that a dense network flattens
IMAGES: list[Shape] = [(6, 6), (6, 6, 3)]  # 6 → 3 is pooled in a fused layer, 3 → 2 in a plain one
CONVOLUTIONAL = {"filters": (2, 3), "code_size": 3}
# What Winograd's algorithm convolves: whole lines of channels, and images that pooling divides by 2 without a rest.
WHOLE: dict[str, Any] = {"filters": (16, 16), "code_size": 3}
WHOLE_IMAGES: list[Shape] = [(8, 8), (8, 8, 3)]

#: A name to show, an estimator, its arguments, and the shapes of its samples.
MODELS: list[tuple[str, str, dict[str, Any], list[Shape]]] = [
    ("vanilla", "vanilla", {}, FLAT),
    ("deep", "deep", {"hidden": (5,)}, FLAT),
    ("convolutional", "convolutional", CONVOLUTIONAL, IMAGES),
    ("convolutional, filters by 16", "convolutional", WHOLE, WHOLE_IMAGES),
    ("convolutional, other filters", "convolutional", {"filters": (5, 6), "code_size": 3}, WHOLE_IMAGES),
    ("denoising", "denoising", {"hidden": (5,)}, FLAT),
    ("denoising, convolutional", "denoising", CONVOLUTIONAL, IMAGES),
    ("variational", "variational", {"hidden": (5,)}, FLAT),
    ("variational, convolutional", "variational", CONVOLUTIONAL, IMAGES),
    ("variational, conditional", "variational", {"hidden": (5,), "conditional": True}, FLAT),
]


class Warmed(NamedTuple):
    """A model whose kernels were compiled, and the time in seconds."""

    name: str
    seconds: float


def cache_folder() -> Path:
    """The folder of cached machine code.

    Raises
    ------
    ValueError
        Where there is none to keep, since kernels are plain NumPy.
    OSError
        Where it cannot be kept.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the error below says the same
        kernels = default_kernels()
    if kernels is reference_kernels():
        raise ValueError(
            "nothing is compiled here: numba is not installed, or NUMBA_DISABLE_JIT is set; install it, or unset that"
        )
    path = kernels.affine.stats.cache_path
    if path is None:
        raise OSError(
            "machine code cannot be kept on disk, neither beside the kernels nor in your cache folder; "
            "set NUMBA_CACHE_DIR to a folder that can be written"
        )
    return Path(path)


def warm_up(dtype: str = "float32") -> Iterator[Warmed]:
    """Compile the kernels of the five types, or load those from the cache, and yield a result for each model.

    Kernels that only user-defined networks call, such as those of average pooling, and the conversion of stored numbers
    other than bytes, are still compiled when they are first called.

    Parameters
    ----------
    dtype : {"float32", "float64"}, default "float32"
    """
    for name, kind, arguments, shapes in MODELS:
        start = time.perf_counter()
        for shape in shapes:
            for settings in _settings(kind):
                _use(ESTIMATORS[kind](**(arguments | settings), batch_size=4, epochs=1, dtype=dtype), shape)
        yield Warmed(name, time.perf_counter() - start)


def _settings(kind: str) -> Iterator[dict[str, Any]]:
    """Lists of arguments that together call every kernel of this type."""
    yield {}
    yield {"loss": "mse", "n_jobs": 2, "weight_decay": 0.1, "activity_l1": 0.1}
    for activation in ACTIVATIONS:
        yield {"activation": activation}
    if kind == "denoising":
        for noise in NOISES:
            yield {"noise": noise}
    if kind == "vanilla":
        yield {"tied_weights": True}
        for optimizer in OPTIMIZERS:
            yield {"optimizer": optimizer}


def _use(model: Any, shape: Shape) -> None:
    """Take two steps, the second with fewer samples, and call all methods of a model, with few and many samples."""
    X: Array = np.random.default_rng(0).random((6, *shape), dtype=np.float32).astype(model.dtype)
    conditional = getattr(model, "conditional", False)
    y, label = (np.arange(len(X)) % 2, 0) if conditional else (None, None)
    model.fit(X, y)
    read_only = X.view()
    read_only.flags.writeable = False  # like an array that is mapped from a file, which is another type to Numba
    for x in (X, read_only):
        model.partial_fit(x, y)
        many = np.broadcast_to(x[0], (2 * BATCH, *shape)).copy()
        many.flags.writeable = x.flags.writeable
        model.transform(many)
        codes = model.transform(x)
        codes.flags.writeable = x.flags.writeable
        model.inverse_transform(codes, label)
        model.score_samples(x, y)
    model.sample(2, labels=label)
    model.partial_fit(ArraySource((X * 255).astype(np.uint8), divide=255), y)
