"""Dimension reduction: the information about samples that codes preserve, compared with PCA.

There are three measures: reconstruction error, trustworthiness (whether neighbours among the codes are neighbours in
the data; Venna & Kaski 2001), and the share of nearest neighbours that are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.features import feature_sets, require_sklearn, samples_for
from npae.applications.pca import PCA
from npae.applications.retrieval import Index
from npae.estimators import AutoencoderEstimator
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.wording import counted

NEIGHBOURS = 10
METHODS = ("pca", "tsne")


@dataclass(frozen=True)
class Reduction:
    """Measures of one kind of features on test samples.

    Attributes
    ----------
    name : str
        "autoencoder" or "PCA".
    size : int
        Number of features.
    error : float
        Mean squared error of reconstruction per value.
    trustworthiness : float
        From 0 to 1: no neighbour among the features is far away in the data (Venna & Kaski 2001).
    overlap : float
        Share of the nearest neighbours that are the same, from 0 to 1.

    Examples
    --------
    >>> from npae.applications.reduction import Reduction
    >>> Reduction("PCA", size=2, error=0.05, trustworthiness=0.9, overlap=0.4).size
    2
    """

    name: str
    size: int
    error: float  # mean squared error of reconstruction per value
    trustworthiness: float  # from 0 to 1: no neighbour among the features is far away in the data
    overlap: float  # share of the nearest neighbours that are the same


def neighbour_overlap(a: Array, b: Array, k: int = NEIGHBOURS) -> float:
    """Mean share of the k nearest neighbours that each sample has in common among two kinds of features.

    Parameters
    ----------
    a, b : ndarray of shape (n, p), (n, q)
        Features of the same samples.
    k : int, default 10
        Number of neighbours.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.reduction import neighbour_overlap
    >>> a = np.random.default_rng(0).random((20, 3))
    >>> neighbour_overlap(a, 2 * a, k=5)
    1.0
    """
    k, neighbours = whole_number(k, "k"), []
    for features in (a, b):
        places, _ = Index(features.astype(np.float32)).search(features, k + 1)
        # Omit the sample itself; if many equal ones displace it, omit the farthest.
        neighbours.append([set([j for j in row if j != i][:k]) for i, row in enumerate(places.tolist())])
    shared = [len(p & q) for p, q in zip(*neighbours, strict=True)]
    return float(np.mean(shared)) / k


def compare(model: AutoencoderEstimator, train: Any, test: Any, k: int = NEIGHBOURS) -> list[Reduction]:
    """Measures of codes and of PCA of the same size. Needs scikit-learn.

    Parameters
    ----------
    model : fitted estimator
    train : array-like of shape ``(m, *shape)``
        Samples to which PCA is fitted.
    test : array-like of shape ``(n, *shape)``
        Samples on which is measured; n > 2 k.
    k : int, default 10
        Number of neighbours.

    Returns
    -------
    list of Reduction
        Of the autoencoder and of PCA.

    Raises
    ------
    ValueError
        If there are too few test samples.
    MissingExtraError
        If scikit-learn is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.reduction import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [row.name for row in compare(model, X[:128], X[128:])]
    ['autoencoder', 'PCA']
    """
    require_sklearn("trustworthiness")
    from sklearn.manifold import trustworthiness

    train, test = samples_for(model, train, "the training samples"), samples_for(model, test, "the test samples")
    if len(test) <= 2 * k:
        raise ValueError(
            f"{counted(len(test), 'test sample')} {'is' if len(test) == 1 else 'are'} too few to compare {k} "
            f"neighbours; give more than {2 * k}"
        )
    (size,) = model.network_.code_shape
    rebuilt = {"autoencoder": model.network_.reconstruct(test), "PCA": PCA(train, size).reconstruct(test, size)}
    flat = test.reshape(len(test), -1)
    return [
        Reduction(
            features.name,
            features.size,
            float(np.square(rebuilt[features.name] - test, dtype=np.float64).mean()),
            float(trustworthiness(flat, features.test, n_neighbors=k)),
            neighbour_overlap(flat, features.test, k),
        )
        for features in feature_sets(model, train, test)
        if features.name in rebuilt
    ]


@dataclass(frozen=True)
class Plane:
    """Codes as points of a plane.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
    axes : pair of str
        What the two coordinates are; the second is empty where codes have one value, and then 0.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.reduction import plane
    >>> plane(np.zeros((9, 2))).points.shape
    (9, 2)
    """

    points: Array
    axes: tuple[str, str]


def plane(codes: Array, method: str = "pca") -> Plane:
    """Codes (n, size) as points of a plane.

    Parameters
    ----------
    codes : ndarray of shape (n, size)
    method : {"pca", "tsne"}
        Principal coordinates, or the codes themselves where they have at most two values; or t-SNE (van der Maaten &
        Hinton 2008), which keeps neighbours together but neither distances nor areas: that of scikit-learn, started
        from principal coordinates, with perplexity 30, or a third of n - 1 where that is less.

    Returns
    -------
    Plane

    Raises
    ------
    ValueError
        If the method is unknown, or t-SNE is asked for fewer than four codes or for codes of one value.
    MissingExtraError
        If t-SNE is asked for and scikit-learn is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.reduction import plane
    >>> plane(np.random.default_rng(0).normal(size=(9, 5))).axes
    ('principal coordinate 1 of the codes', 'principal coordinate 2 of the codes')
    """
    codes = np.asarray(codes)
    size = codes.shape[1]
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    if method == "tsne":
        return Plane(_tsne(codes), ("t-SNE 1", "t-SNE 2"))
    if size == 1:
        return Plane(np.concatenate([codes, np.zeros_like(codes)], axis=1), ("code value 1", ""))
    if size == 2:
        return Plane(codes, ("code value 1", "code value 2"))
    return Plane(
        PCA(codes, 2).encode(codes, 2),
        ("principal coordinate 1 of the codes", "principal coordinate 2 of the codes"),
    )


def _tsne(codes: Array) -> Array:
    n, size = codes.shape
    if n < 4 or size < 2:
        what = f"{n} codes" if n < 4 else "codes of one value"
        raise ValueError(f"t-SNE was asked for {what}, but needs at least 4 codes of 2 values; take method pca")
    require_sklearn("t-SNE")
    from sklearn.manifold import TSNE

    tsne = TSNE(init="pca", perplexity=min(30, (n - 1) / 3), random_state=0)
    points: Array = tsne.fit_transform(codes.astype(np.float32))
    return points


HEADER: Sequence[str] = ("features", "values", "MSE", "trustworthiness", "neighbours kept")
