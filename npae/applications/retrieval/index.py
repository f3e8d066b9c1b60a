"""An index of codes: made by a model or in parts, searched for the nearest, saved and loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np

from npae.applications.retrieval.index_file import read_index, write_index
from npae.applications.retrieval.nearest import METRICS, comparable, nearest
from npae.estimators import AutoencoderEstimator
from npae.storage.model_file import fingerprint
from npae.utils.columns import check_columns, columns_of
from npae.utils.errors import MissingExtraError
from npae.utils.safetensors import InParts
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.validation import check_array, check_numeric


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
        return nearest(queries, self.codes, k, self.metric)

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
        index.add(np.ascontiguousarray(comparable(self.codes, self.metric), np.float32))
        return index

    def save(self, path: str | Path) -> None:
        """Write the index to a safetensors file; an existing file is replaced atomically.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.safetensors``.
        """
        write_index(path, self.codes, self.metric, self.model, self.names)

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
        write_index(path, codes, metric, fingerprint(model.network_), names)
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
        index = read_index(path, cls)
        if model is not None and index.model != fingerprint(model.network_):
            raise ValueError(
                f"the index {path} was made by another model, so its codes mean something else; give that model, or "
                f"make the index again with this one"
            )
        return index
