"""The two halves of the recipes' networks: layers of an encoder, and of the decoder that mirrors it.

"Halves" are encoder and decoder without the layer that outputs the code.
"""

from collections.abc import Sequence
from math import ceil, prod

from npae.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, Reshape, UpSample2D
from npae.layers.activation import activation_layers
from npae.layers.window import pair
from npae.utils.scalars import whole_numbers
from npae.utils.types import Shape


def dense_halves(input_shape: Shape, hidden: Sequence[int], activation: str) -> tuple[list[Layer], list[Layer]]:
    """Dense layers of these sizes, each with its activation; the decoder has them in reverse and ends in a sample."""
    flatten, unflatten = flattening(input_shape)
    encoder, decoder = list(flatten), []
    hidden = whole_numbers(hidden, "hidden")
    for units in hidden:
        encoder += _dense(units, activation)
    for units in reversed(hidden):
        decoder += _dense(units, activation)
    return encoder, [*decoder, Dense(prod(input_shape)), *unflatten]


def convolutional_halves(
    input_shape: Shape, filters: Sequence[int], kernel_size: int | tuple[int, int], activation: str
) -> tuple[list[Layer], list[Layer], Shape]:
    """Encoder, decoder, and the shape (height, width, channels) of the feature map between them."""
    if len(input_shape) > 3:
        raise ValueError(
            f"a convolutional network needs signals (features,) or images (height, width) or (height, width, "
            f"channels), but the samples have shape {input_shape}; reshape them or use filters=None or another type"
        )
    filters = whole_numbers(filters, "filters")
    window, factor = pair(kernel_size, "kernel_size"), (2, 2)
    if len(input_shape) == 1:  # a signal is an image of one column: windows and pooling reach along it, not across
        window, factor = (window[0], 1), (2, 1)
    height, width, channels = (*input_shape, 1, 1)[:3]
    encoder: list[Layer] = [Reshape((height, width, 1))] if len(input_shape) < 3 else []
    decoder: list[Layer] = []
    for n in filters:
        encoder += [*_convolution(n, window, activation), MaxPool2D(factor)]
    for n in reversed(filters):
        decoder += [*_convolution(n, window, activation), UpSample2D(factor)]
    decoder += [Conv2D(channels, window)]
    decoder += [Reshape(input_shape)] if len(input_shape) < 3 else []
    shrink = 2 ** len(filters)
    # ⌈⌈n/2⌉/2⌉ = ⌈n/4⌉: halving and rounding up, any number of times
    return encoder, decoder, (ceil(height / shrink), ceil(width / shrink), filters[-1] if len(filters) else channels)


def flat_convolutional_halves(
    input_shape: Shape, filters: Sequence[int], kernel_size: int | tuple[int, int], activation: str
) -> tuple[list[Layer], list[Layer]]:
    """Convolutional halves of which the encoder ends in a vector and the decoder begins with one, of any size."""
    encoder, decoder, map_shape = convolutional_halves(input_shape, filters, kernel_size, activation)
    return [*encoder, Flatten()], [*_dense(prod(map_shape), activation), Reshape(map_shape), *decoder]


def flattening(input_shape: Shape) -> tuple[list[Layer], list[Layer]]:
    """The layers that flatten a sample and restore its shape; none for samples of one axis."""
    return ([Flatten()], [Reshape(input_shape)]) if len(input_shape) > 1 else ([], [])


def _dense(units: int, activation: str) -> list[Layer]:
    return [Dense(units, initializer=initializer_for(activation)), *activation_layers(activation)]


def _convolution(filters: int, kernel_size: tuple[int, int], activation: str) -> list[Layer]:
    return [Conv2D(filters, kernel_size, initializer=initializer_for(activation)), *activation_layers(activation)]


def initializer_for(activation: str) -> str:
    """He's initialization before ReLU, leaky ReLU and softplus, else Glorot's."""
    return "he_uniform" if activation in ("relu", "leaky_relu", "softplus") else "glorot_uniform"
