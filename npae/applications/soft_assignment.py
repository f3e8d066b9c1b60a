"""Soft assignment of codes to clusters, and the divergence that sharpens it, for deep embedded clustering.

J. Xie, R. Girshick, A. Farhadi, Unsupervised deep embedding for clustering analysis, ICML 2016, §3.1.
"""

import numpy as np

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import real_number, whole_number
from npae.utils.types import Array, Shape


class SoftAssignment(Layer):
    """Probabilities q (N, k) with which codes z (N, size) belong to clusters with centroids μ (k, size)::

        t_ij = 1 / (1 + ‖z_i − μ_j‖² / s²)      q_ij = t_ij / Σ_l t_il

    t is Student's t-distribution with one degree of freedom (the paper's equation 1, with s = 1; its heavy tail comes
    from t-SNE, van der Maaten & Hinton 2008). With dt_ij = (dq_ij − Σ_l dq_il q_il) / Σ_l t_il::

        dz_i = −2 / s² Σ_j dt_ij t_ij² (z_i − μ_j)      dμ_j = 2 / s² Σ_i dt_ij t_ij² (z_i − μ_j)

    Parameters
    ----------
    n_clusters : int
        k.
    scale : float, default 1.0
        s: distances are measured in it.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.soft_assignment import SoftAssignment
    >>> layer = SoftAssignment(2).build((1,), dtype="float64")
    >>> layer.centroids[...] = [[0], [3]]
    >>> layer(np.array([[0.0], [1.5]])).round(2).tolist()
    [[0.91, 0.09], [0.5, 0.5]]
    """

    centroids: Array  # (k, size)
    dcentroids: Array  # (k, size)

    def __init__(self, n_clusters: int, scale: float = 1.0) -> None:
        self.n_clusters = whole_number(n_clusters, "n_clusters")
        self.scale = real_number(scale, "scale", above=0)

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        if len(input_shape) != 1:
            raise ValueError(f"codes of shape {input_shape} are no vectors; give codes of shape (size,)")
        arena.parameter(self, "centroids", (self.n_clusters, *input_shape))
        return (self.n_clusters,)

    def forward(self, x: Array) -> Array:
        self.x = x
        squares = np.square(x).sum(axis=1)[:, None] + np.square(self.centroids).sum(axis=1)  # (N, k)
        distances = np.maximum(squares - 2 * x @ self.centroids.T, 0)  # squared; rounding makes some negative
        self.t = 1 / (1 + distances / self.scale**2)
        q: Array = self.t / self.t.sum(axis=1, keepdims=True)
        self.q = q
        return q

    def backward(self, dy: Array) -> Array:
        dt = (dy - (dy * self.q).sum(axis=1, keepdims=True)) / self.t.sum(axis=1, keepdims=True)
        weights = 2 / self.scale**2 * dt * np.square(self.t)  # (N, k)
        # Σ (z − μ) with these weights, over the centroids and over the codes
        dx: Array = weights @ self.centroids - weights.sum(axis=1, keepdims=True) * self.x
        self.dcentroids[...] = weights.T @ self.x - weights.sum(axis=0)[:, None] * self.centroids
        return dx


def target_distribution(q: Array) -> Array:
    """The target distribution of deep embedded clustering: sharper than q, and even across clusters (eq. 3).

    p_ij = (q_ij² / f_j) / Σ_l (q_il² / f_l) with f_j = Σ_i q_ij.

    Parameters
    ----------
    q : ndarray of shape (N, k)
        Rows that sum to 1.

    Returns
    -------
    ndarray of shape (N, k)
        Rows that sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.soft_assignment import target_distribution
    >>> target_distribution(np.array([[0.9, 0.1], [0.4, 0.6]])).round(3).tolist()
    [[0.978, 0.022], [0.193, 0.807]]
    """
    weights = np.square(q) / q.sum(axis=0)
    p: Array = weights / weights.sum(axis=1, keepdims=True)
    return p


def divergence(p: Array, q: Array) -> tuple[Array, Array]:
    """KL(P‖Q) of each sample, Σ_j p_ij log(p_ij / q_ij), and the gradient of its mean by q (eq. 2).

    Parameters
    ----------
    p, q : ndarray of shape (N, k)
        Rows that sum to 1; q is positive. p is taken as constant.

    Returns
    -------
    losses : ndarray of shape (N,)
    dq : ndarray of shape (N, k)
        −p / (q N)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.soft_assignment import divergence
    >>> p = np.array([[0.5, 0.5]])
    >>> losses, dq = divergence(p, p)
    >>> losses.tolist(), dq.tolist()
    ([0.0], [[-1.0, -1.0]])
    """
    ratio = p / q
    losses: Array = (p * np.log(np.maximum(ratio, np.finfo(np.float64).tiny))).sum(axis=1)
    return losses, -ratio / len(p)
