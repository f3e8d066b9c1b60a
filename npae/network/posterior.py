"""The distribution that a variational network gives the code of each sample."""

import numpy as np

from npae.layers.reparameterization import Reparameterization
from npae.network.autoencoder import Autoencoder
from npae.network.batching import batch_size_for
from npae.utils.samples import Samples, dense
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
    size = min(block, batch_size_for(net.arena))
    mu, log_var = [], []
    for start in range(0, len(X), size):
        x = dense(net.check(X[start : start + size]))
        with net.arena.lock:
            net.arena.resize(len(x))
            net.code.forward(net.encoder.forward(x))  # not ``encode``, which may replay kernels and set no attributes
            mu.append(head.mu.astype(np.float64))
            log_var.append(head.log_var.astype(np.float64))
            net.arena.release(x)
    return np.concatenate(mu), np.concatenate(log_var)
