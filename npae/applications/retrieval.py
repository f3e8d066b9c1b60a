"""Information retrieval: an index of codes with exact nearest-neighbour search.

The search processes the codes in blocks, so its memory does not grow with their number.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.distance_bounds import SAMPLE, bounds_of, candidates, middle_of
from npae.applications.features import feature_sets
from npae.estimators import AutoencoderEstimator
from npae.storage.model_file import fingerprint
from npae.utils import safetensors
from npae.utils.columns import check_columns, columns_of
from npae.utils.errors import FileFormatError, MissingExtraError
from npae.utils.safetensors import InParts
from npae.utils.scalars import whole_number
from npae.utils.sources import ArraySource
from npae.utils.types import Array
from npae.utils.validation import check_array, check_labels, check_numeric
from npae.utils.wording import counted

METRICS = ("euclidean", "cosine")
QUERIES, CODES = 256, 16_384  # compared at once: 16 MiB of distances in float32
VALUES = 2**20  # of pairs compared at once in float64: 8 MiB
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
    names : tuple of str, optional
        The file of each sample, where it came from one.

    Raises
    ------
    ValueError
        If the metric is unknown, or there is not one name for each code.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.retrieval import Index
    >>> index = Index(np.array([[0, 0], [3, 4]], np.float32), names=("a.png", "b.png"))
    >>> places, distances = index.search([[0, 1]], k=2)
    >>> places.tolist(), distances[0, 0].item()
    ([[0, 1]], 1.0)
    >>> index.save("index.safetensors")
    >>> Index.load("index.safetensors").names
    ('a.png', 'b.png')
    """

    codes: Array
    metric: str = "euclidean"
    model: str = ""
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.names is not None and len(self.names) != len(self.codes):
            raise ValueError(f"{len(self.names)} names were given for {len(self.codes)} codes; give one for each")
        if self.metric not in METRICS:
            raise ValueError(f"metric is {self.metric!r}; expected one of {', '.join(METRICS)}")

    @classmethod
    def of(
        cls, model: AutoencoderEstimator, X: Any, metric: str = "euclidean", names: Sequence[str] | None = None
    ) -> Self:
        """The index of samples, encoded by a fitted model.

        Parameters
        ----------
        model : fitted estimator
        X : array-like of shape ``(n, *shape)``
        metric : {"euclidean", "cosine"}, default "euclidean"
        names : sequence of str, optional
            Those of the samples' files.

        Returns
        -------
        Index
            Which belongs to the model.

        Raises
        ------
        ValueError
            If X has another shape or is not finite, or the metric is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> from npae.applications.retrieval import Index
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> places, distances = Index.of(model, X).search(model.transform(X[:3]), k=5)
        >>> places.shape
        (3, 5)
        """
        codes = model.network_.encode(X)
        return cls(
            codes.reshape(len(codes), -1).astype(np.float32, copy=False),
            metric,
            fingerprint(model.network_),
            None if names is None else tuple(names),
        )

    def search(self, queries: Any, k: int = 10) -> tuple[Array, Array]:
        """The k nearest codes of each query, nearest first; of equally distant ones the first in ``codes``.

        Parameters
        ----------
        queries : array-like of shape (m, size)
            Codes, finite.
        k : int, default 10
            At least 1; where there are fewer codes, all are returned.

        Returns
        -------
        places, distances : ndarray of shape (m, min(k, n))
            Row numbers in ``codes``, and Euclidean distances or 1 − cosine, computed in float64.
        """
        k = min(whole_number(k, "k"), len(self.codes))
        queries = check_array(queries, self.codes.shape[1:], np.float32, "queries")
        places = np.empty((len(queries), k), np.int64)
        distances = np.empty((len(queries), k))
        for start in range(0, len(queries), QUERIES):
            block = slice(start, start + QUERIES)
            places[block], distances[block] = self._nearest(queries[block], k)
        return places, distances

    def _nearest(self, queries: Array, k: int) -> tuple[Array, Array]:
        """Places and distances for a block of queries: the nearest of each block of codes, merged with those so far.

        Distances are compared in float32 first. What rounding cannot rule out is compared again in float64.
        """
        a = self._comparable(queries)
        best_places = np.empty((len(a), 0), np.int64)
        best = np.empty((len(a), 0))  # squared distances
        middle = middle_of(self.codes[:SAMPLE]) if self.metric == "euclidean" else None
        for start in range(0, len(self.codes), CODES):
            codes = self.codes[start : start + CODES]
            limit = best[:, -1] if best.shape[1] == k else None
            rows, columns = candidates(bounds_of(a, codes, self.metric, middle), k, limit)
            if limit is not None and not len(rows):
                continue
            squares = np.concatenate([best.ravel(), self._squared_distances(a, codes, rows, columns)])
            places = np.concatenate([best_places.ravel(), start + columns])
            rows = np.concatenate([np.repeat(np.arange(len(a)), best.shape[1]), rows])
            order = np.lexsort((squares, rows))  # it is stable, and in each row places ascend
            first = np.searchsorted(rows[order], np.arange(len(a)))
            chosen = order[first[:, None] + np.arange(min(k, start + len(codes)))]
            best, best_places = squares[chosen], places[chosen]
        # ‖a − b‖² of unit vectors is 2 (1 − cos)
        return best_places, np.sqrt(best) if self.metric == "euclidean" else best / 2

    def _squared_distances(self, a: Array, b: Array, rows: Array, columns: Array) -> Array:
        """‖a_i − b_j‖² of pairs i, j in float64; equal for equal vectors, whatever other pairs are asked for."""
        squares = np.empty(len(rows))
        length = max(VALUES // a.shape[1], 1)
        for start in range(0, len(rows), length):
            pairs = slice(start, start + length)
            difference = a[rows[pairs]].astype(np.float64) - self._comparable(b[columns[pairs]])
            squares[pairs] = np.square(difference, out=difference).sum(axis=1)
        return squares

    def _comparable(self, codes: Array) -> Array:
        """The codes, if the metric is cosine scaled to unit length in float64."""
        if self.metric == "cosine":
            codes = codes.astype(np.float64)
            codes /= np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return codes

    def to_faiss(self) -> Any:
        """An approximate faiss index (HNSW) with these codes, for large numbers of them (Malkov & Yashunin 2016).

        Its ``search(queries, k)`` returns distances and places; with the metric cosine, queries must have unit length.

        Returns
        -------
        faiss.IndexHNSWFlat

        Raises
        ------
        MissingExtraError
            If faiss is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.applications.retrieval import Index
        >>> codes = np.random.default_rng(0).random((100, 4), dtype="float32")
        >>> distances, places = Index(codes).to_faiss().search(codes[:3], 1)
        >>> places.ravel().tolist()
        [0, 1, 2]
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
        """Write the index to a safetensors file; an existing file is replaced atomically.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.safetensors``.
        """
        _write(path, self.codes, self.metric, self.model, self.names)

    @classmethod
    def write(
        cls,
        path: str | Path,
        model: AutoencoderEstimator,
        X: Any,
        metric: str = "euclidean",
        names: Sequence[str] | None = None,
    ) -> int:
        """``Index.of`` and ``save`` in one, in parts, so that codes are never all in memory.

        Parameters
        ----------
        path : str or Path
        model : fitted estimator
        X : array-like of shape ``(n, *shape)``, or a source
        metric : {"euclidean", "cosine"}, default "euclidean"
        names : sequence of str, optional
            Those of the samples' files.

        Returns
        -------
        int
            Number of codes.

        Raises
        ------
        ValueError
            If X has other columns or another shape than the model's samples, or is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> from npae.applications.retrieval import Index
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
        >>> Index.write("index.safetensors", model, X)
        256
        """
        check_columns(columns_of(X), model.network_.columns)
        X = check_numeric(X, "samples")
        cls(np.empty((len(X), 0), np.float32), metric, "", None if names is None else tuple(names))  # checks these
        parts = (
            codes.reshape(len(codes), -1).astype(np.float32, copy=False) for codes in model.network_.encode_parts(X)
        )
        codes = InParts((len(X), prod(model.network_.code_shape)), np.dtype(np.float32), parts)
        _write(path, codes, metric, fingerprint(model.network_), names)
        return len(X)

    @classmethod
    def load(cls, path: str | Path, model: AutoencoderEstimator | None = None) -> Self:
        """Load an index from a file of ``save``.

        The limits are those of ``npae.utils.safetensors.read``. The codes are mapped from the file and must be finite
        and not empty.

        Parameters
        ----------
        path : str or Path
        model : fitted estimator, optional
            If it is given, the index must belong to it.

        Returns
        -------
        Index

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
            index = cls(codes, record["metric"], record["model"], _names(arrays.get("names")))
            if record["format"] != FORMAT or codes.ndim != 2 or codes.dtype != np.float32 or not codes.size:
                raise ValueError
            if ArraySource(codes).survey.bad is not None:
                raise ValueError
        except (KeyError, TypeError, ValueError, RecursionError):
            raise FileFormatError(f"{path} is no index that this version reads; make it with npae index") from None
        if model is not None and index.model != fingerprint(model.network_):
            raise ValueError(
                f"the index {path} was made by another model, so its codes mean something else; give that model, or "
                f"make the index again with this one"
            )
        return index


def _write(path: str | Path, codes: Array | InParts, metric: str, model: str, names: Sequence[str] | None) -> None:
    arrays: dict[str, Array | InParts] = {"codes": codes}
    if names is not None:
        text = "\0".join(names).encode("utf-8", "surrogateescape")  # a name that is not UTF-8 keeps its bytes
        arrays["names"] = np.frombuffer(text, np.uint8)
    record = {"format": FORMAT, "metric": metric, "model": model}
    safetensors.write(path, arrays, {"npae-index": json.dumps(record)})


def _names(characters: Array | None) -> tuple[str, ...] | None:
    """The names that ``Index.save`` wrote, or None where it had none."""
    if characters is None:
        return None
    if characters.dtype != np.uint8:
        raise ValueError
    return tuple(characters.tobytes().decode("utf-8", "surrogateescape").split("\0"))


def precision_at(k: int, train: Array, train_labels: Any, test: Array, test_labels: Any, metric: str) -> float:
    """Mean share of each test sample's k nearest training samples that have its label.

    Parameters
    ----------
    k : int
        Number of neighbours.
    train, test : ndarray of shape (n, size), (m, size)
    train_labels, test_labels : array-like of shape (n,), (m,)
    metric : {"euclidean", "cosine"}

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If there are fewer training samples than k.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.retrieval import precision_at
    >>> codes = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> precision_at(2, codes, [0, 0, 1, 1], codes, [0, 0, 1, 1], "euclidean")
    1.0
    """
    if whole_number(k, "k") > len(train):
        raise ValueError(f"k is {k}, but there are only {counted(len(train), 'training sample')}; give at most as many")
    places, _ = Index(train.astype(np.float32), metric).search(test, k)
    train_labels = check_labels(train_labels, len(train), "the training labels")
    test_labels = check_labels(test_labels, len(test), "the test labels")
    return float((train_labels[places] == test_labels[:, None]).mean())


def compare(
    model: AutoencoderEstimator, train: Any, train_labels: Any, test: Any, test_labels: Any, k: int = 10
) -> list[tuple[str, int, float, float]]:
    """Precision at k of codes, PCA and raw features.

    Parameters
    ----------
    model : fitted estimator
    train, test : array-like of shape ``(n, *shape)``, ``(m, *shape)``
        Samples to search in, and those that are searched for.
    train_labels, test_labels : array-like of shape (n,), (m,)
    k : int, default 10
        Number of neighbours.

    Returns
    -------
    list of (name, size, precision by Euclidean distance, precision by cosine)

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.applications.retrieval import compare
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> labels = (X[:, 0] > 0.5).astype(int)
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> [row[:2] for row in compare(model, X[:128], labels[:128], X[128:], labels[128:])]
    [('autoencoder', 2), ('PCA', 2), ('raw', 8)]
    """
    rows = []
    for features in feature_sets(model, train, test):
        euclidean, cosine = (
            precision_at(k, features.train, train_labels, features.test, test_labels, metric) for metric in METRICS
        )
        rows.append((features.name, features.size, euclidean, cosine))
    return rows


HEADER: Sequence[str] = ("features", "values", "precision, Euclidean", "precision, cosine")
