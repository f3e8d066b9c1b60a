"""The distribution that a variational network gives the code of each sample."""

import numpy as np

from npae.layers.reparameterization import Reparameterization
from npae.network.autoencoder import Autoencoder
from npae.network.batching import in_batches
from npae.utils.samples import Samples
from npae.utils.types import Array


def posterior(net: Autoencoder, X: Samples, block: int = 256) -> tuple[Array, Array]:
    """Mean and log-variance (n, code_size) of the code's distribution for each sample, in float64.

    Parameters
    ----------
    net : Autoencoder
        Built, with a ``Reparameterization`` in its code.
    X : ndarray of shape ``(n, *input_shape)``, or the rows of a sparse matrix
    block : int, default 256
        Most samples that pass the network at once.
    """
    head = next(layer for layer in net.code.layers if isinstance(layer, Reparameterization))

    def mean_and_log_variance(x: Array) -> Array:
        net.code.forward(net.encoder.forward(x))  # not ``encode``, which may replay kernels and set no attributes
        return np.stack([head.mu, head.log_var], axis=1)

    parts = [
        in_batches(net.arena, mean_and_log_variance, (2, head.code_size), net.check(X[start : start + block]))
        for start in range(0, len(X), block)
    ]
    mean, log_variance = np.concatenate(parts).astype(np.float64).swapaxes(0, 1)
    return mean, log_variance
