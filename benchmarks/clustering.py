"""Agreement of groups with the labels of the 5,000 digits: k-means on pixels and codes, and deep embedded clustering.

The mean of three models, with the lowest and the highest. Other figures are the share of samples that have the most
frequent label of their group, and the model's loss before and after. Numbers of values of a code are arguments, by
default 10 and 16.
"""

import sys
import warnings

import numpy as np

from npae import DeepAutoencoder
from npae.applications.clustering import agreement, cluster
from npae.applications.deep_clustering import deep_cluster
from npae.cli.output import table
from npae.datasets import load_digits

SEEDS, SIZES = range(3), (10, 16)
X, LABELS = load_digits().train_images, load_digits().train_labels


def measures(groups):
    """Adjusted Rand index, mutual information, and the share with the most frequent label of the group."""
    counts = np.zeros((groups.max() + 1, 10))
    np.add.at(counts, (groups, LABELS), 1)
    return (*agreement(LABELS, groups), float(counts.max(axis=1).sum() / len(groups)))


def main():
    warnings.simplefilter("ignore")
    rows = {"k-means on pixels": [(*measures(cluster(X.reshape(len(X), -1), 10, seed).groups), None) for seed in SEEDS]}
    for size in map(int, sys.argv[1:] or SIZES):
        for seed in SEEDS:
            model = DeepAutoencoder(code_size=size, epochs=30, batch_size=50, random_state=seed).fit(X)
            of_codes = cluster(model.transform(X), 10, seed).groups
            rows.setdefault(f"k-means on {size} codes", []).append((*measures(of_codes), -model.score(X)))
            for weight in (0.5, 0.0):
                found = deep_cluster(model, X, 10, weight=weight, seed=seed)
                loss = -found.model.score(X)
                name = f"DEC on {size} codes" + ("" if weight else ", without decoder")
                rows.setdefault(name, []).append((*measures(found.groups.groups), loss))
    header = ("groups", "adjusted Rand index", "mutual information", "of the group's label", "loss, nats")
    print(table(header, [(name, *map(_summary, zip(*runs, strict=True))) for name, runs in rows.items()]))


def _summary(values):
    return None if values[0] is None else f"{np.mean(values):.3f} ({min(values):.3f}–{max(values):.3f})"


if __name__ == "__main__":
    main()
