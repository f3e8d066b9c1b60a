"""Information retrieval: an index of codes with exact nearest-neighbour search.

The search processes the codes in blocks, so its memory does not grow with their number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.features import feature_sets
from npae.estimators import AutoencoderEstimator
from npae.storage.model_file import fingerprint
from npae.utils import safetensors
from npae.utils.errors import FileFormatError, MissingExtraError
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_array, check_labels, refuse_non_finite

METRICS = ("euclidean", "cosine")
QUERIES, CODES = 256, 16_384  # compared at once: 32 MiB of distances
FORMAT = 1


@dataclass(frozen=True)
class Index:
    """An index of codes for nearest-neighbour search.

    Attributes
    ----------
    codes : ndarray of float32, shape (n, size)
    metric : {"euclidean", "cosine"}
    model : str
        Fingerprint of the network that computed the codes, or empty.

    Examples
    --------
    >>> places, distances = Index(np.array([[0, 0], [3, 4]], np.float32)).search([[0, 1]], k=2)
    >>> places.tolist(), distances[0, 0].item()
    ([[0, 1]], 1.0)
    """

    codes: Array
    metric: str = "euclidean"
    model: str = ""

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric is {self.metric!r}; expected one of {', '.join(METRICS)}")

    @classmethod
    def of(cls, model: AutoencoderEstimator, X: Any, metric: str = "euclidean") -> Self:
        """The index of samples X ``(n, *shape)``, encoded by a fitted model."""
        codes = model.network_.encode(X)
        return cls(codes.reshape(len(codes), -1).astype(np.float32), metric, fingerprint(model.network_))

    def search(self, queries: Any, k: int = 10) -> tuple[Array, Array]:
        """The k nearest codes of each query, nearest first; of equally distant ones the first in ``codes``.

        Parameters
        ----------
        queries : array-like of shape (m, size)
            Codes, finite.
        k : int, default 10
            At least 1; at most all codes are returned.

        Returns
        -------
        places, distances : ndarray of shape (m, k)
            Row numbers in ``codes``, and Euclidean distances or 1 − cosine.
        """
        k = min(whole_number(k, "k"), len(self.codes))
        queries = self._comparable(check_array(queries, self.codes.shape[1:], np.float32, "queries"))
        places = np.empty((len(queries), k), np.int64)
        distances = np.empty((len(queries), k))
        for start in range(0, len(queries), QUERIES):
            block = slice(start, start + QUERIES)
            places[block], distances[block] = self._nearest(queries[block], k)
        return places, distances

    def _nearest(self, queries: Array, k: int) -> tuple[Array, Array]:
        """Places and distances for a block of queries: the nearest of each block of codes, merged with those so far."""
        best_places = np.empty((len(queries), 0), np.int64)
        best = np.empty((len(queries), 0))
        for start in range(0, len(self.codes), CODES):
            codes = self._comparable(self.codes[start : start + CODES])
            squares = _squared_distances(queries, codes)
            some = _smallest(squares, k)
            squares = np.concatenate([best, np.take_along_axis(squares, some, 1)], axis=1)
            places = np.concatenate([best_places, start + some], axis=1)
            # Blocks are in order, so of equal distances the first is kept.
            order = _smallest(squares, k)
            best, best_places = np.take_along_axis(squares, order, 1), np.take_along_axis(places, order, 1)
        # ‖a − b‖² of unit vectors is 2 (1 − cos)
        return best_places, np.sqrt(best) if self.metric == "euclidean" else best / 2

    def _comparable(self, codes: Array) -> Array:
        """Codes in float64, scaled to unit length if the metric is cosine."""
        codes = codes.astype(np.float64)
        if self.metric == "cosine":
            codes /= np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return codes

    def to_faiss(self) -> Any:
        """An approximate faiss index (HNSW) with these codes, for large numbers of them (Malkov & Yashunin 2016).

        Its ``search(queries, k)`` returns distances and places; with the metric cosine, queries must have unit length.
        Raises MissingExtraError if faiss is not installed.
        """
        if find_spec("faiss") is None:
            raise MissingExtraError(
                "an approximate index needs faiss, which is not installed; pip install 'npae[faiss]'"
            )
        import faiss

        index = faiss.IndexHNSWFlat(self.codes.shape[1], 32)
        index.add(np.ascontiguousarray(self._comparable(self.codes), np.float32))
        return index

    def save(self, path: str | Path) -> None:
        """Write the index to a safetensors file; an existing file is replaced atomically."""
        record = {"format": FORMAT, "metric": self.metric, "model": self.model}
        safetensors.write(path, {"codes": self.codes}, {"npae-index": json.dumps(record)})

    @classmethod
    def load(cls, path: str | Path, model: AutoencoderEstimator | None = None) -> Self:
        """Load an index from a file of ``save``; if ``model`` is given, the index must belong to it.

        The limits are those of ``npae.utils.safetensors.read``. The codes are mapped from the file and must be finite
        and not empty.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        FileFormatError
            If the file is not a valid index.
        ValueError
            If the index belongs to another model.
        """
        arrays, metadata = safetensors.read(path)
        try:
            record, codes = json.loads(metadata["npae-index"]), arrays["codes"]
            index = cls(codes, record["metric"], record["model"])
            if record["format"] != FORMAT or codes.ndim != 2 or codes.dtype != np.float32 or not codes.size:
                raise ValueError
            refuse_non_finite(codes, "codes")
        except (KeyError, TypeError, ValueError, RecursionError):
            raise FileFormatError(f"{path} is no index that this version reads; make it with npae index") from None
        if model is not None and index.model != fingerprint(model.network_):
            raise ValueError(
                f"the index {path} was made by another model, so its codes mean something else; give that model, or "
                f"make the index again with this one"
            )
        return index


def _squared_distances(a: Array, b: Array) -> Array:
    """‖a − b‖² = ‖a‖² − 2 a·b + ‖b‖², for a (m, size), b (n, size): (m, n)."""
    squares: Array = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return np.maximum(squares, 0, out=squares)


def _smallest(values: Array, k: int) -> Array:
    """Columns of the k smallest values of each row, smallest first; of equal values the first."""
    k = min(k, values.shape[1])
    limit = np.partition(values, k - 1, axis=1)[:, k - 1, None]
    rows, columns = np.nonzero(values <= limit)  # at least k of each row, more if some equal the limit
    columns = columns[np.lexsort((columns, values[rows, columns], rows))]
    first = np.searchsorted(rows, np.arange(len(values)))
    smallest: Array = columns[first[:, None] + np.arange(k)]
    return smallest


def precision_at(k: int, train: Array, train_labels: Any, test: Array, test_labels: Any, metric: str) -> float:
    """Mean share of each test sample's k nearest training samples that have its label.

    Parameters
    ----------
    k : int
    train, test : ndarray of shape (n, size)
    train_labels, test_labels : array-like of shape (n,)
    metric : {"euclidean", "cosine"}
    """
    places, _ = Index(train.astype(np.float32), metric).search(test, k)
    train_labels = check_labels(train_labels, len(train), "the training labels")
    test_labels = check_labels(test_labels, len(test), "the test labels")
    return float((train_labels[places] == test_labels[:, None]).mean())


def compare(
    model: AutoencoderEstimator, train: Any, train_labels: Any, test: Any, test_labels: Any, k: int = 10
) -> list[tuple[str, int, float, float]]:
    """Precision at k of codes, PCA and raw features.

    Returns
    -------
    list of (name, size, precision by Euclidean distance, precision by cosine)
    """
    rows = []
    for features in feature_sets(model, train, test):
        euclidean, cosine = (
            precision_at(k, features.train, train_labels, features.test, test_labels, metric) for metric in METRICS
        )
        rows.append((features.name, features.size, euclidean, cosine))
    return rows


HEADER: Sequence[str] = ("features", "values", "precision, Euclidean", "precision, cosine")
