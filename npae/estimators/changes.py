"""Parameters that were changed after ``fit``: what ``partial_fit`` takes over, and what it refuses.

A fitted network keeps its layers and their sizes. All that only steers training, and the numbers that layers read at
every step, can be changed while it is trained.
"""

from collections.abc import Mapping
from typing import Any

from npae.estimators.parameters import parameters_of
from npae.network.autoencoder import Autoencoder
from npae.utils.errors import quoted


def refuse_fixed(cls: type, before: Mapping[str, Any], now: Mapping[str, Any], network: Autoencoder) -> None:
    """Refuse other values of the parameters that ``network`` was made with.

    Parameters
    ----------
    cls : type
        Of the estimator.
    before, now : mapping
        Its parameters as ``checked`` returns them, when it was fitted and as they are.
    network : Autoencoder

    Raises
    ------
    ValueError
        Naming the first of them, with both values.
    """
    for p in parameters_of(cls):
        then, today = before[p.name], now[p.name]
        # "auto" stands for the loss that was chosen then
        is_same = then == today or (p.name == "loss" and today in ("auto", network.loss.name))
        # without a penalty there is no layer for it
        if not is_same and (p.is_fixed or (p.name == "activity_l1" and 0 in (then, today))):
            raise ValueError(
                f"{p.name} was {quoted(then)} when this {cls.__name__} was fitted and is {quoted(today)} now, which a "
                f"fitted network cannot take over; call fit for a new network, or set it back for partial_fit"
            )


def take_over(network: Autoencoder, before: Autoencoder, now: Autoencoder) -> None:
    """Set in a network what differs between two of the same layers: numbers such as the level of noise or β.

    Parameters
    ----------
    network : Autoencoder
        In training; its layers are those of the other two.
    before, now : Autoencoder
        As the estimator made it, and as it would make it today.
    """
    network.weight_decay = now.weight_decay
    for slot in ("corrupt", "encoder", "code", "decoder"):
        layers = (getattr(net, slot).layers for net in (network, before, now))
        for layer, earlier, later in zip(*layers, strict=True):
            old = earlier.config()
            for name, value in later.config().items():
                if value != old[name]:
                    setattr(layer, name, value)
