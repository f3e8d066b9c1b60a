"""Clustering: k-means on codes, how well groups are separated, and their agreement with labels that were not used.

Separation is measured by the silhouette (Rousseeuw 1987), from −1 to 1. Agreement is measured by the adjusted Rand
index (Hubert & Arabie 1985) and normalised mutual information; both are 1 for equal groups, and the first is 0 on
average for random groups. ``npae.applications.deep_clustering`` trains the encoder for groups.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.features import feature_sets, require_sklearn
from npae.estimators import AutoencoderEstimator
from npae.utils.randomness import generator
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_labels
from npae.utils.wording import counted

MOST_COMPARED = 2000  # samples whose distances from one another are computed for a silhouette


@dataclass(frozen=True)
class Groups:
    """Groups of n samples, k of them.

    Attributes
    ----------
    groups : ndarray of int, shape (n,)
        The group of each sample, from 0 to k − 1.
    distances : ndarray of shape (n,)
        Euclidean distance of each sample's features from its group's centroid.
    centroids : ndarray of shape (k, size)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.clustering import Groups
    >>> groups = Groups.around(np.array([[0.0], [0.2], [5.0]]), centroids=np.array([[0.0], [5.0]]))
    >>> groups.groups.tolist(), groups.distances.tolist()
    ([0, 0, 1], [0.0, 0.2, 0.0])
    """

    groups: Array
    distances: Array
    centroids: Array

    @classmethod
    def around(cls, features: Array, centroids: Array) -> "Groups":
        """Groups of samples: each is in that of the nearest centroid.

        Parameters
        ----------
        features : ndarray of shape (n, size)
        centroids : ndarray of shape (k, size)

        Returns
        -------
        Groups
        """
        squares = np.square(features, dtype=np.float64).sum(axis=1)[:, None] + np.square(centroids).sum(axis=1)
        groups = (squares - 2 * features.astype(np.float64) @ centroids.T).argmin(axis=1)
        return cls(groups, np.linalg.norm(features - centroids[groups], axis=1), centroids)


def cluster(features: Array, n_clusters: int, seed: int = 0) -> Groups:
    """Groups by k-means, the best of ten initialisations. Needs scikit-learn.

    Parameters
    ----------
    features : ndarray of shape (n, size)
    n_clusters : int
        Number of groups.
    seed : int, default 0
        Of the initialisations.

    Returns
    -------
    Groups

    Raises
    ------
    ValueError
        If fewer than ``n_clusters`` of the features differ from one another.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.clustering import cluster
    >>> sorted(cluster(np.array([[0.0], [0.2], [5.0], [5.1]]), 2).centroids.ravel().round(2).tolist())
    [0.1, 5.05]
    """
    require_sklearn("k-means")
    from sklearn.cluster import KMeans

    k = whole_number(n_clusters, "n_clusters")
    n_different = len(np.unique(features, axis=0))
    if n_different < k:
        raise ValueError(
            f"{counted(n_different, 'different sample')} cannot be divided into {counted(k, 'group')}; give at most as "
            f"many groups"
        )
    found = KMeans(k, n_init=10, random_state=whole_number(seed, "seed", least=0)).fit(features)
    return Groups.around(features, found.cluster_centers_.astype(np.float64))


def silhouette(features: Array, groups: Array, seed: int = 0) -> float | None:
    """Mean silhouette of features in groups (Rousseeuw 1987). Needs scikit-learn.

    That of a sample is (b − a) / max(a, b), with the mean distance a from its own group and b from the nearest other
    one: 1 for groups that are far apart, about 0 for groups that touch. Of more than 2,000 samples it is that of 2,000
    drawn at random.

    Parameters
    ----------
    features : ndarray of shape (n, size)
    groups : ndarray of int, shape (n,)
    seed : int, default 0
        Of the draw.

    Returns
    -------
    float or None
        From −1 to 1; None where the samples are in one group, or each in its own, since it is not defined there.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.clustering import silhouette
    >>> silhouette(np.array([[0.0], [0.1], [5.0], [5.1]]), np.array([0, 0, 1, 1])) > 0.9
    True
    """
    require_sklearn("the silhouette")
    from sklearn.metrics import silhouette_score

    if len(features) > MOST_COMPARED:
        drawn = generator(seed, "silhouette").choice(len(features), MOST_COMPARED, replace=False)
        features, groups = features[drawn], groups[drawn]
    if not 2 <= len(np.unique(groups)) < len(groups):
        return None
    return float(silhouette_score(features, groups))


def silhouettes(features: Array, numbers: Iterable[int], seed: int = 0) -> list[tuple[int, float | None]]:
    """For each number of groups the silhouette of those that k-means finds. Needs scikit-learn.

    Parameters
    ----------
    features : ndarray of shape (n, size)
    numbers : iterable of int
        Numbers of groups to try.
    seed : int, default 0

    Returns
    -------
    list of (number, silhouette)
        The silhouette is None where it is not defined.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.clustering import best_number, silhouettes
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]])
    >>> measured = silhouettes(X, [2, 3])
    >>> best_number(measured)
    3
    """
    return [(k, silhouette(features, cluster(features, k, seed).groups, seed)) for k in numbers]


def best_number(measured: Sequence[tuple[int, float | None]]) -> int:
    """The number of groups with the largest silhouette, the smallest of equal ones.

    Parameters
    ----------
    measured : sequence of (number, silhouette)
        As ``silhouettes`` returns it.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If none of the numbers has a silhouette.

    Examples
    --------
    >>> from npae.applications.clustering import best_number
    >>> best_number([(2, 0.5), (3, 0.7), (4, None)])
    3
    """
    defined = [(k, value) for k, value in measured if value is not None]
    if not defined:
        raise ValueError("no number of groups from 2 to one less than there are samples was given; give one")
    return max(defined, key=lambda pair: (pair[1], -pair[0]))[0]


def agreement(labels: Array, groups: Array) -> tuple[float, float]:
    """Agreement of groups and labels, which does not depend on how groups are numbered. Needs scikit-learn.

    Parameters
    ----------
    labels, groups : ndarray of shape (n,)

    Returns
    -------
    adjusted_rand_index : float
        1 for equal partitions, about 0 for random ones (Hubert & Arabie 1985).
    normalised_mutual_information : float
        From 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.clustering import agreement
    >>> agreement(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    (1.0, 1.0)
    """
    require_sklearn("clustering")
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return float(adjusted_rand_score(labels, groups)), float(normalized_mutual_info_score(labels, groups))


def compare(
    model: AutoencoderEstimator, train: Any, test: Any, test_labels: Any
) -> list[tuple[str, int, float, float]]:
    """Agreement of clusters with labels, for codes, PCA and raw features, with as many clusters as labels.

    Parameters
    ----------
    model : fitted estimator
    train : array-like of shape ``(n, *shape)``
        Samples to which PCA is fitted.
    test : array-like of shape ``(m, *shape)``
        Samples to divide into groups.
    test_labels : array-like of shape (m,)

    Returns
    -------
    list of (name, size, adjusted Rand index, normalised mutual information)

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.clustering import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [row[:2] for row in compare(model, X[:128], X[128:], (X[128:, 0] > 0.5).astype(int))]
    [('autoencoder', 2), ('PCA', 2), ('raw', 8)]
    """
    require_sklearn("clustering")
    rows, sets = [], feature_sets(model, train, test)
    test_labels = check_labels(test_labels, len(sets[0].test), "the test labels")
    n_clusters = len(np.unique(test_labels))
    for features in sets:
        groups = cluster(features.test, n_clusters).groups
        rows.append((features.name, features.size, *agreement(test_labels, groups)))
    return rows


HEADER: Sequence[str] = ("features", "values", "adjusted Rand index", "mutual information")
