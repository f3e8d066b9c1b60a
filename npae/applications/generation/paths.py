"""Samples along paths of codes: between two samples, along each dimension of the code, and over a plane.

A conditional model decodes codes with the given ``labels``, as for ``sample``.
"""

from typing import Any

import numpy as np

from npae.applications.pca import PCA
from npae.estimators import AutoencoderEstimator
from npae.utils.scalars import real_number, truth_value, whole_number
from npae.utils.types import Array
from npae.utils.validation import one_sample, stack_two


def slerp(a: Array, b: Array, t: Array) -> Array:
    """Codes on the great circle from a to b: (sin((1−t)Ω) a + sin(tΩ) b) / sin Ω (Shoemake 1985).

    Codes from N(0, 1) in many dimensions are close to a sphere, which a straight line between two of them leaves
    (White 2016). The length changes linearly from that of a to that of b.

    Parameters
    ----------
    a, b : ndarray of shape (size,)
        Not zero.
    t : ndarray of shape (steps,)
        From 0 (a) to 1 (b).

    Returns
    -------
    ndarray of shape (steps, size)

    Raises
    ------
    ValueError
        If a code is zero, which has no direction.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.generation import slerp
    >>> slerp(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.5])).round(4)
    array([[0.7071, 0.7071]])
    """
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if min(lengths) == 0:
        raise ValueError("one of the codes is zero, which has no direction; interpolate along a straight line")
    u, v = a / lengths[0], b / lengths[1]
    omega = np.arccos(np.clip(u @ v, -1, 1))
    t = t[:, None]
    direction = ((1 - t) * u + t * v) if omega < 1e-6 else (np.sin((1 - t) * omega) * u + np.sin(t * omega) * v)
    direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    path: Array = direction * ((1 - t) * lengths[0] + t * lengths[1])
    return path


def walk(
    model: AutoencoderEstimator, a: Any, b: Any, steps: int = 9, *, spherical: bool = False, labels: Any = None
) -> Array:
    """Samples from a to b, both ends included, along a straight line or a great circle of codes.

    Parameters
    ----------
    model : fitted estimator
    a, b : array-like of shape ``shape``
        Two samples.
    steps : int, default 9
        Number of samples to return.
    spherical : bool, default False
        Whether codes are on a great circle; see ``slerp``.
    labels : label or array-like of labels, optional
        Those of a conditional model, which needs them.

    Returns
    -------
    ndarray of shape ``(steps, *shape)``

    Raises
    ------
    ValueError
        As ``AutoencoderEstimator.interpolate``, or if a code on a great circle is zero.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import walk
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.DeepAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> walk(model, X[0], X[1], steps=5, spherical=True).shape
    (5, 8)
    """
    if not truth_value(spherical, "spherical"):
        return model.interpolate(a, b, steps, labels=labels)
    start, end = model.network_.encode(stack_two(a, b)).astype(np.float64)
    return model.inverse_transform(slerp(start, end, np.linspace(0, 1, whole_number(steps, "steps"))), labels)


def traversals(model: AutoencoderEstimator, x: Any, steps: int = 9, reach: float = 2.5, *, labels: Any = None) -> Array:
    """Latent traversals of one sample: each dimension of its code takes values from −reach to reach.

    Parameters
    ----------
    model : fitted estimator
    x : array-like of shape ``shape``
        The sample.
    steps : int, default 9
        Number of values of each dimension.
    reach : float, default 2.5
        For a variational model, whose codes are close to N(0, 1), in standard deviations; for others in units of the
        code.
    labels : label or array-like of labels, optional
        Those of a conditional model, which needs them.

    Returns
    -------
    ndarray of shape ``(code_size, steps, *shape)``

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import traversals
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.DeepAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> traversals(model, X[0], steps=5).shape
    (2, 5, 8)
    """
    (code,) = model.network_.encode(one_sample(x, "x")[None])
    steps, reach = whole_number(steps, "steps"), real_number(reach, "reach")
    codes = np.tile(code, (len(code), steps, 1))  # (code, steps, code)
    each = np.arange(len(code))
    codes[each, :, each] = np.linspace(-reach, reach, steps)
    samples = model.inverse_transform(codes.reshape(-1, len(code)), labels)
    return samples.reshape(len(code), steps, *samples.shape[1:])


def latent_grid(
    model: AutoencoderEstimator, X: Any, steps: int = 15, reach: float = 2.0, *, labels: Any = None
) -> Array:
    """Samples on a grid in the plane of the first two principal components of codes.

    Parameters
    ----------
    model : fitted estimator
    X : array-like of shape ``(n, *shape)``
        Whose codes the plane is fitted to.
    steps : int, default 15
        Number of rows, and of columns.
    reach : float, default 2.0
        Standard deviations to which the grid extends on both sides of each axis.
    labels : label or array-like of labels, optional
        Those of a conditional model, which needs them.

    Returns
    -------
    ndarray of shape ``(steps², *shape)``
        In row-major order.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.generation import latent_grid
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.DeepAutoencoder(hidden=(8,), code_size=2, epochs=1, random_state=0).fit(X)
    >>> latent_grid(model, X, steps=3).shape
    (9, 8)
    """
    codes = model.network_.encode(X).astype(np.float64)
    pca = PCA(codes, 2)
    deviation = pca.encode(codes, 2).std(axis=0)
    reach = real_number(reach, "reach")
    ticks = np.linspace(-reach, reach, whole_number(steps, "steps"))
    plane = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
    return model.inverse_transform(pca.decode(plane[:, : len(deviation)] * deviation), labels)
