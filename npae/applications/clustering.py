"""Clustering: k-means on codes, and agreement of the clusters with labels that were not used.

Agreement is measured by the adjusted Rand index (Hubert & Arabie 1985) and normalised mutual information; both are 1
for equal groups, and the first is 0 on average for random groups.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.applications.features import feature_sets, require_sklearn
from npae.estimators import AutoencoderEstimator
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_labels


def cluster(features: Array, n_clusters: int, seed: int = 0) -> Array:
    """Clusters (n,) of features (n, size) by k-means, the best of ten initialisations. Needs scikit-learn."""
    require_sklearn("k-means")
    from sklearn.cluster import KMeans

    groups: Array = KMeans(
        whole_number(n_clusters, "n_clusters"), n_init=10, random_state=whole_number(seed, "seed", least=0)
    ).fit_predict(features)
    return groups


def compare(
    model: AutoencoderEstimator, train: Any, test: Any, test_labels: Any
) -> list[tuple[str, int, float, float]]:
    """Agreement of clusters with labels, for codes, PCA and raw features, with as many clusters as labels.

    Returns
    -------
    list of (name, size, adjusted Rand index, normalised mutual information)
    """
    require_sklearn("clustering")
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    rows, sets = [], feature_sets(model, train, test)
    test_labels = check_labels(test_labels, len(sets[0].test), "the test labels")
    n_clusters = len(np.unique(test_labels))
    for features in sets:
        groups = cluster(features.test, n_clusters)
        agreement = (
            float(adjusted_rand_score(test_labels, groups)),
            float(normalized_mutual_info_score(test_labels, groups)),
        )
        rows.append((features.name, features.size, *agreement))
    return rows


HEADER: Sequence[str] = ("features", "values", "adjusted Rand index", "mutual information")
