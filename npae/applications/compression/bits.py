"""How finely codes are quantised: the range of each dimension, and the fewest bits that cost little quality."""

import numpy as np

from npae.applications.quantization import BITS, Quantizer
from npae.estimators import AutoencoderEstimator
from npae.utils.samples import Samples, dense
from npae.utils.types import Array

#: Without ``bits``, the share that quantisation may add to the squared error of reconstruction.
ADDED_ERROR = 0.02
JUDGED = 1000  # samples by which the number of bits is chosen


def quantizer_for(model: AutoencoderEstimator, X: Samples, bits: int | None) -> Quantizer:
    """The quantizer of the codes of samples, which are computed in parts and not kept.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape ``(n, *shape)``, rows of a sparse matrix, or a source
    bits : int or None
        As for ``compress``.

    Returns
    -------
    Quantizer

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import quantizer_for
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> quantizer_for(model, X, bits=8).low.shape
    (2,)
    """
    bounds, first = np.empty((0, 0)), np.empty((0, 0))
    for i, codes in enumerate(model.network_.encode_parts(X)):
        seen = np.concatenate([bounds, codes]) if i else codes
        bounds = np.stack([seen.min(axis=0), seen.max(axis=0)])
        first = np.concatenate([first, codes])[:JUDGED] if i else codes[:JUDGED].copy()
    return Quantizer.fit(bounds, bits if bits is not None else fewest_bits(model, X, first))


def fewest_bits(model: AutoencoderEstimator, X: Samples, codes: Array) -> int:
    """The fewest bits with which quantisation adds at most the share ``ADDED_ERROR`` to the reconstruction error.

    Parameters
    ----------
    model : fitted estimator
    X : ndarray of shape ``(n, *shape)``, rows of a sparse matrix, or a source
        Only as many of the first samples are used as codes are given.
    codes : ndarray of shape (m, code_size)
        Their codes.

    Returns
    -------
    int
        Bits for the dimension of the widest range.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.compression import fewest_bits
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> 1 <= fewest_bits(model, X, model.transform(X)) <= 16
    True
    """
    some = dense(model.network_.check(X[: len(codes)]))

    def error(z: Array) -> float:
        return float(np.square(model.network_.decode(z) - some, dtype=np.float64).mean())

    limit = (1 + ADDED_ERROR) * error(codes)
    for bits in BITS:
        quantizer = Quantizer.fit(codes, bits)
        if error(quantizer.restore(quantizer.quantize(codes))) <= limit:
            return bits
    return BITS[-1]
