"""Attributes: directions in the code along which a property of samples changes, such as glasses on faces.

The mean code of samples that have a property, less that of samples that lack it, is a vector; a multiple of it added to
any code gives the property to that sample, or takes it away (Larsen et al. 2016, §4.2; White 2016, §3). What else
distinguishes the two groups is in the vector, too: groups that are alike in all other respects give the clearest one.
"""

from typing import Any

import numpy as np

from npae.estimators import AutoencoderEstimator
from npae.utils.scalars import real_number
from npae.utils.types import Array
from npae.utils.validation import check_array


def attribute_vector(model: AutoencoderEstimator, plus: Any, minus: Any) -> Array:
    """The mean code of some samples less that of others.

    Parameters
    ----------
    model : fitted estimator
    plus, minus : array-like of shape ``(n, *shape)``
        Samples with the attribute, and without; at least one each.

    Returns
    -------
    ndarray of float64, shape (code_size,)

    Raises
    ------
    ValueError
        If both means are the same, as those of the same samples are.

    References
    ----------
    Larsen, Sønderby, Larochelle & Winther, Autoencoding beyond pixels using a learned similarity metric,
    ICML 2016. T. White, Sampling generative networks, 2016, https://arxiv.org/abs/1609.04468.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import DeepAutoencoder
    >>> from npae.applications.attributes import attribute_vector
    >>> X = np.random.default_rng(0).random((200, 8), dtype="float32")
    >>> model = DeepAutoencoder(hidden=(16,), code_size=3, epochs=3, random_state=0).fit(X)
    >>> attribute_vector(model, X[X[:, 0] > 0.5], X[X[:, 0] < 0.5]).shape
    (3,)
    """
    with_it, without_it = (model.network_.encode(samples).mean(axis=0, dtype=np.float64) for samples in (plus, minus))
    vector: Array = with_it - without_it
    if not vector.any():
        raise ValueError(
            "the mean code of the samples with the attribute is that of those without it, so that the attribute is "
            "zero; give other samples for one of the two"
        )
    return vector


def apply_attribute(model: AutoencoderEstimator, X: Any, vector: Any, strengths: Any, *, labels: Any = None) -> Array:
    """Samples with an attribute added to their codes in several strengths, and decoded.

    Parameters
    ----------
    model : fitted estimator
    X : array-like of shape ``(n, *shape)``
    vector : array-like of shape (code_size,)
        As ``attribute_vector`` returns it.
    strengths : sequence of float
        Multiples of the vector: 0 gives the reconstruction, 1 moves a sample as far as the groups lie apart, and a
        negative one takes the attribute away.
    labels : object, optional
        The label of all samples, which a conditional model needs.

    Returns
    -------
    ndarray of shape ``(n, len(strengths), *shape)``

    Raises
    ------
    ValueError
        If a strength is no finite number, there is none, or the vector is of another size than codes.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.attributes import apply_attribute
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> apply_attribute(model, X[:3], [1.0, 0.0], strengths=[0, 1]).shape
    (3, 2, 8)
    """
    (vector,) = check_array([vector], model.network_.code_shape, np.float64, "vectors")
    strengths = np.array([real_number(strength, "a strength") for strength in strengths])
    if not len(strengths):
        raise ValueError("strengths are empty; give at least one number, such as 1")
    codes = model.network_.encode(X)  # (n, size)
    moved = codes[:, None] + strengths[:, None] * vector  # (n, strengths, size)
    decoded = model.inverse_transform(moved.reshape(-1, codes.shape[1]).astype(codes.dtype), labels)
    return decoded.reshape(len(codes), len(strengths), *decoded.shape[1:])
