"""The autoencoder, one class for all five types: layers in four slots, with a loss.

Its methods stand in five files, each a class that is derived from the one before: ``npae.network.base`` plans,
allocates, configures and copies; ``checking`` validates samples; ``passes`` has the forward and the backward pass;
``inference`` encodes and decodes; here a network is saved, and looked at layer by layer.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from npae.layers.fused import FusedLayer
from npae.network.condition import given
from npae.network.inference import Inference
from npae.network.saving import save
from npae.utils.types import Array


class Autoencoder(Inference):
    """A network that reconstructs its input from a code: x̂ = decoder(code(encoder(corrupt(x)))).

    Call ``build`` before use.

    Parameters
    ----------
    encoder, decoder : sequence of Layer
        The decoder's output must have the shape of the encoder's input.
    loss : {"bce", "bce_on_probabilities", "mse"}, default "bce"
        See ``npae.layers.losses``. With "bce" the decoder's output is a logit, and ``decode`` returns its sigmoid.
    corrupt : sequence of Layer, default none
        Noise on the input while training; the target stays clean.
    code : sequence of Layer, default none
        Layers between encoder and decoder: ``Reparameterization``, ``ActivityL1``.
    weight_decay : float, default 0.0
        λ of the penalty ½ λ Σ W² on all weights (not on biases).

    Attributes
    ----------
    terms : dict of str to float
        The terms of the loss at the last call of ``gradient``: "reconstruction", and "kl", "activity", "weight_decay"
        where present.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense, ReLU
    >>> net = Autoencoder([Dense(8), ReLU(), Dense(2)], [Dense(8), ReLU(), Dense(16)], loss="mse").build((16,))
    >>> net.gradient(np.ones((4, 16), dtype="float32")) > 0
    True
    """

    def save(self, path: str | Path) -> None:
        """Write the built network to a safetensors file, which ``npae.load`` reads; an existing file is replaced.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.safetensors``.

        Raises
        ------
        ValueError
            If the network is not built.

        Examples
        --------
        >>> import npae
        >>> from npae.layers import Dense
        >>> net = npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.save("network.safetensors")
        >>> npae.load("network.safetensors").code_shape
        (2,)
        """
        save(self, path)

    def outputs(self, x: Array, labels: Array | None = None) -> Iterator[tuple[str, Array]]:
        """Each layer's output for a batch, in training mode.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``
            As ``check`` returns it.
        labels : array-like of int, shape (N,), optional
            Those of a conditional network, as for ``gradient``.

        Yields
        ------
        name : str
            Of the layer, such as "encoder.0".
        y : ndarray of shape (N, ...)
            A buffer that the next step may overwrite.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> [(name, y.shape) for name, y in net.outputs(np.ones((3, 5), "float32"))]
        [('encoder.0', (3, 2)), ('decoder.0', (3, 5))]
        """
        batch = x
        self.arena.resize(len(x))
        self.condition.set(*given(self.condition.check(labels, len(x))))
        try:
            with self._training():
                for step in (step for slot in self._slots() for step in slot.steps):
                    x = step.forward(x)
                    yield step.convolution.name if isinstance(step, FusedLayer) else step.name, x
        finally:
            self.arena.release(batch)

    def first_non_finite(self, x: Array, labels: Array | None = None) -> str | None:
        """Name of the first layer whose output for a batch, in training mode, is not finite.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``
            As ``check`` returns it.
        labels : array-like of int, shape (N,), optional
            Those of a conditional network, as for ``gradient``.

        Returns
        -------
        str or None
            None where all outputs are finite.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.decoder.layers[0].b[0] = np.inf
        >>> net.first_non_finite(np.ones((3, 5), "float32"))
        'decoder.0'
        """
        return next((name for name, y in self.outputs(x, labels) if not np.isfinite(y).all()), None)
