"""The layers of a network that inference needs, in order, for the exporters."""

from npae.layers import ActivityL1, Layer
from npae.layers.corruption import Noise
from npae.network.autoencoder import Autoencoder


def encoding(network: Autoencoder) -> list[Layer]:
    """Layers from a sample to its code, without noise and penalties, which have no effect in inference."""
    return _that_compute([*network.encoder.layers, *network.code.layers])


def decoding(network: Autoencoder) -> list[Layer]:
    """Layers from a code to the network's output, which for cross-entropy still lacks its sigmoid.

    Raises
    ------
    ValueError
        If the network is conditional.
    """
    if network.condition.n_labels:
        raise ValueError(
            "this network is conditional: it decodes a code with its label, for which an exported decoder has no "
            "input; export the encoder alone"
        )
    return _that_compute(network.decoder.layers)


def unknown(layer: Layer, goal: str) -> ValueError:
    """The error for a custom layer, which cannot be exported."""
    return ValueError(
        f"the layer {layer.name} is a {type(layer).__name__}, for which {goal} has no counterpart; export the encoder "
        f"alone, or a network of npae's own layers"
    )


def _that_compute(layers: list[Layer]) -> list[Layer]:
    return [layer for layer in layers if not isinstance(layer, Noise | ActivityL1)]
