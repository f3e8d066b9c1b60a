"""What compression achieves: bits for each value of a sample, and the error of what is rebuilt, as PSNR."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from npae.applications.compression.packing import unpack
from npae.estimators import AutoencoderEstimator
from npae.network.recorded_encoding import ends_of_parts
from npae.utils.samples import dense
from npae.utils.types import Array


def bits_per_value(content: bytes, shape: Sequence[int]) -> float:
    """Bits of a file per value (pixel) of the samples in it.

    Parameters
    ----------
    content : bytes
    shape : sequence of int
        Of the samples, (n, ...).

    Returns
    -------
    float

    Examples
    --------
    >>> from npae.applications.compression import bits_per_value
    >>> bits_per_value(bytes(49), (1, 28, 28))
    0.5
    """
    return 8 * len(content) / prod(shape)


def psnr(rebuilt: Array, X: Array) -> float:
    """Peak signal-to-noise ratio, 10 log₁₀(1 / MSE), for values in [0, 1].

    Parameters
    ----------
    rebuilt, X : ndarray of one shape
        Reconstructions and samples.

    Returns
    -------
    float
        In dB; infinite for equal arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.compression import psnr
    >>> psnr(np.zeros(4), np.full(4, 0.1))
    20.0
    """
    return float(-10 * np.log10(np.square(rebuilt - X, dtype=np.float64).mean()))


def quality(model: AutoencoderEstimator, content: bytes, X: Any) -> float:
    """The PSNR of what ``decompress`` rebuilds, in parts; see ``psnr``.

    Parameters
    ----------
    model : fitted estimator
    content : bytes
        As ``compress`` returned it.
    X : array-like of shape ``(n, *shape)``
        The samples that were compressed.

    Returns
    -------
    float
        In dB.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import compress, quality
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> quality(model, compress(model, X, bits=8), X) > 0
    True
    """
    X = model.network_.check(X)
    numbers, quantizer, _ = unpack(content)
    squares, start = 0.0, 0
    for stop in ends_of_parts(X.shape, 1):
        rebuilt = model.network_.decode(quantizer.restore(numbers[start:stop]))
        squares += float(np.square(rebuilt - dense(X[start:stop]), dtype=np.float64).sum())
        start = stop
    return float(-10 * np.log10(squares / X.size))
