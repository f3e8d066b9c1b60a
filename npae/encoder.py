"""The encoding half of a saved model, in plain NumPy: small, quick to start, and without numba."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from npae import storage
from npae.arena import Arena
from npae.autoencoder import in_blocks
from npae.configuration import from_config
from npae.kernels import reference_kernels
from npae.layers.base import Chain, Layer
from npae.types import Array
from npae.validation import check_samples


class Encoder:
    """A trained model that only encodes.

    Attributes
    ----------
    input_shape, code_shape : tuple of int
        Of one sample.
    """

    def __init__(self, arena: Arena, encoder: Chain, code: Chain) -> None:
        self._arena, self._encoder, self._code = arena, encoder, code
        self.input_shape, self.code_shape = encoder.input_shape, code.output_shape

    def transform(self, X: Any) -> Array:
        """Codes ``(n, *code_shape)`` of X ``(n, *input_shape)``, as the model itself gives them."""
        X = check_samples(X, self.input_shape, self._arena.dtype, "X")
        return in_blocks(self._arena, lambda x: self._code.forward(self._encoder.forward(x)), self.code_shape, X)


def load_encoder(path: str | Path, layers: Iterable[type[Layer]] = ()) -> Encoder:
    """The encoding half of the model in a file; numba is never imported.

    Parameters and errors as for ``npae.load``.
    """
    stored = storage.read(path)
    with stored.blamed():
        arena = Arena(stored.record["dtype"], reference_kernels(), stored.record["seed"])
        encoder = Chain(from_config(stored.record["network"]["encoder"], layers))
        code = Chain(from_config(stored.record["network"]["code"], layers))
        hidden_shape = arena.add(encoder, stored.record["input_shape"], "encoder")
        arena.add(code, hidden_shape, "code")
        stored.fill(arena)
        return Encoder(arena, encoder, code)
