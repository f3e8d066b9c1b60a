"""Area under the ROC curve of anomaly scores on four tables of scikit-learn, beside methods on the values themselves.

Half of the inliers train, the others and all outliers are scored; the mean of five such splits, each with models of
their own. Columns of measurements are standardised by the training half, pixels are divided by their maximum.
"""

import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from npae import DeepAutoencoder, VariationalAutoencoder
from npae.applications.anomaly import compare
from npae.cli.output import table

SPLITS = 5
COMMON = {"code_size": 4, "batch_size": 32}
MODELS = {
    "deep": lambda seed: DeepAutoencoder(hidden=(64, 32), epochs=100, random_state=seed, **COMMON),
    "variational": lambda seed: VariationalAutoencoder(hidden=(64,), epochs=400, random_state=seed, **COMMON),
}


def tables():
    """Name, samples (n, columns), which are inliers, and whether the columns are pixels."""
    X, y = load_breast_cancer(return_X_y=True)
    yield "wdbc, benign", X, y == 1, False
    X, y = load_wine(return_X_y=True)
    yield "wine, second kind", X, y == 1, False
    X, y = load_digits(return_X_y=True)
    yield "8×8 digits, 4", X, y == 4, True
    yield "8×8 digits, all but 4", X, y != 4, True


def areas(X, is_inlier, are_pixels, seed):
    """The area of each method for one split."""
    inliers = np.random.default_rng(seed).permutation(np.flatnonzero(is_inlier))
    train, test = np.array_split(X[inliers], 2)
    mean, scale = (0, X.max()) if are_pixels else (train.mean(axis=0), train.std(axis=0))
    train, test, outliers = (((part - mean) / scale).astype("float32") for part in (train, test, X[~is_inlier]))
    found = {}
    for name, make in MODELS.items():
        by_method = compare(make(seed).fit(train), train, test, {"outliers": outliers})["outliers"]
        found |= {f"{name}, {m}" if m.islower() else m: area for m, area in by_method.items()}
    return found


def main():
    warnings.simplefilter("ignore")
    columns = {
        name: [areas(X, is_inlier, are_pixels, seed) for seed in range(SPLITS)]
        for name, X, is_inlier, are_pixels in tables()
    }
    methods = sorted(next(iter(columns.values()))[0], key=str.islower, reverse=True)
    rows = [(m, *(float(np.mean([split[m] for split in splits])) for splits in columns.values())) for m in methods]
    print(table(("score", *columns), rows))


if __name__ == "__main__":
    main()
