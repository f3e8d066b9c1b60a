"""The start of a recipe's last layer: smaller weights, by a factor that depends on the loss.

The first outputs of a network are noise, which training would otherwise have to unlearn before anything else.
"""

from collections.abc import Sequence
from math import sqrt

from npae.layers import Conv2D, Dense, Layer, TiedDense

#: Factor of the last layer's initial weights by the name of the loss; docs/decisions.md has the measurements.
OUTPUT_GAINS = {"bce": 0.3, "mse": 0.1}


def start_smaller(encoder: Sequence[Layer], decoder: Sequence[Layer], loss: str) -> None:
    """Let the last layer with weights start smaller by the gain of the loss.

    Tied weights are used twice, so their gain enters the output squared: they start smaller by its square root.
    """
    gain = OUTPUT_GAINS.get(loss, 1.0)
    last: Layer = next(layer for layer in reversed(decoder) if isinstance(layer, (Dense, Conv2D, TiedDense)))
    if isinstance(last, TiedDense):
        last, gain = encoder[int(last.tied_to.removeprefix("encoder."))], sqrt(gain)
    assert isinstance(last, (Dense, Conv2D))
    last.gain = gain
