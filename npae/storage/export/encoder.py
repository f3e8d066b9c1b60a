"""Export of a model's encoder as a file for ``npae.load_encoder``, which needs only NumPy."""

from pathlib import Path

from npae.network import saving
from npae.network.autoencoder import Autoencoder


def export_encoder(network: Autoencoder, path: str | Path) -> None:
    """Write encoder and code layers of a built network to a file, which is replaced atomically.

    Parameters
    ----------
    network : Autoencoder
        ``model.network_`` of a fitted estimator.
    path : str or Path
        By custom it ends in ``.safetensors``.

    Examples
    --------
    >>> import npae
    >>> from npae.layers import Dense
    >>> from npae.storage.export import export_encoder
    >>> export_encoder(npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)), "encoder.safetensors")
    >>> sorted(npae.storage.read("encoder.safetensors").arrays)
    ['encoder.0.W', 'encoder.0.b']
    """
    halves = ("encoder", "code")
    config = network.config()
    parameters = {name: value for name, value, _ in network.arena.parameters() if name.partition(".")[0] in halves}
    kept = {name: config[name] for name in (*halves, "loss")}
    saving.write(path, network, {"part": "encoder", "network": kept}, parameters)
