"""The labels of a conditional network, which only its decoder sees."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npae.layers.base import Chain
from npae.layers.label import AppendLabel
from npae.utils.types import Array
from npae.utils.validation import check_dense


class Condition:
    """Labels for the layer ``AppendLabel`` of a decoder; without one, the network takes no labels.

    Parameters
    ----------
    decoder : Chain
    others : sequence of Chain
        The network's other layers.

    Raises
    ------
    ValueError
        If there are several such layers, or one that is not in the decoder.
    """

    def __init__(self, decoder: Chain, others: Sequence[Chain]) -> None:
        if any(isinstance(layer, AppendLabel) for chain in others for layer in chain.layers):
            raise ValueError("AppendLabel is a layer of decoders, since codes are those of samples alone; put it there")
        layers = [layer for layer in decoder.layers if isinstance(layer, AppendLabel)]
        if len(layers) > 1:
            raise ValueError(f"the decoder has {len(layers)} layers AppendLabel; one is enough")
        self._layer = layers[0] if layers else None

    @property
    def n_labels(self) -> int:
        """Number of different labels; 0 of a network that takes none."""
        return self._layer.n_labels if self._layer is not None else 0

    def check(self, labels: Any, n: int) -> Array | None:
        """Labels (n,) of int64, or None of a network that takes none.

        Raises
        ------
        ValueError
            If labels are missing, are no whole numbers from 0 to ``n_labels`` − 1, are not ``n``, or are not taken.
        """
        if self._layer is None:
            if labels is not None:
                raise ValueError("labels were given, but this network is not conditional; leave them out")
            return None
        expected = f"a whole number from 0 to {self.n_labels - 1} for each sample"
        if labels is None:
            raise ValueError(f"this network is conditional: it decodes a code with its label; give labels, {expected}")
        array = check_dense(labels, "labels")
        if array.shape != (n,) or array.dtype.kind not in "iu":
            found = f"labels of {array.dtype} and shape {array.shape} were given for {n} samples"
            raise ValueError(f"{found}; give {expected}")
        if n and not (array.min() >= 0 and array.max() < self.n_labels):
            raise ValueError(f"labels run from {array.min()} to {array.max()}; give {expected}")
        return array.astype(np.int64)

    @property
    def labels(self) -> Array | None:
        """The buffer of the labels (N,), for the batch that the buffers are for; None of a network that takes none."""
        return self._layer.labels if self._layer is not None else None

    def set(self, *labels: Array) -> None:
        """Set the labels of the next pass, at most one array (N,), for the batch that the buffers are for."""
        for given in labels:
            assert self._layer is not None
            self._layer.labels[...] = given


def given(labels: Array | None) -> list[Array]:
    """The labels in a list, which is empty where a network takes none."""
    return [] if labels is None else [labels]
