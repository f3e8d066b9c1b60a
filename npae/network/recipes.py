"""Recipes for the five types of autoencoder: functions that return an unbuilt ``Autoencoder`` with suitable layers.

Every recipe takes the shape of one sample: (features,), (height, width) or (height, width, channels). The network takes
and returns samples of that shape. Layers followed by ReLU, leaky ReLU or softplus have He's initialization, all others
Glorot's. The last layer starts smaller, by a factor that depends on the loss (``npae.network.output_start``).

Parameters that several recipes share:

* ``code_size``: number of values of the code,
* ``activation``: "relu", "leaky_relu", "sigmoid", "tanh", "softplus" or "linear",
* ``tied_weights``: whether the decoder uses the encoder's weights, transposed,
* ``hidden``: units of each dense layer of the encoder; the decoder has them in reverse order,
* ``filters``: output channels of each convolution of the encoder; the decoder has them in reverse order,
* ``kernel_size``: height and width of all convolution windows,
* ``loss``: "bce" for data in [0, 1], "bce_on_probabilities", or "mse" for data of any range,
* ``weight_decay``: λ of ½ λ Σ W², at least 0,
* ``activity_l1``: λ of λ Σ|z| on the code, at least 0.

Options that are unknown or do not fit raise a ValueError.

>>> from npae.network.recipes import deep
>>> deep((64,), hidden=(32,), code_size=4).build((64,)).code_shape
(4,)
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from npae.layers import ActivityL1, Dense, Flatten, Layer, Reparameterization, Reshape, TiedDense
from npae.layers.activation import activation_layers
from npae.layers.corruption import NOISES, GaussianNoise
from npae.network.autoencoder import Autoencoder
from npae.network.halves import (
    convolutional_halves,
    dense_halves,
    flat_convolutional_halves,
    flattening,
    initializer_for,
)
from npae.network.output_start import start_smaller
from npae.utils.scalars import real_number, truth_value
from npae.utils.types import Shape


def vanilla(
    input_shape: Shape,
    *,
    code_size: int = 32,
    activation: str = "relu",
    tied_weights: bool = False,
    loss: str = "bce",
    weight_decay: float = 0.0,
    activity_l1: float = 0.0,
) -> Autoencoder:
    """One hidden layer, whose output is the code: h = f(x W₁ + b₁), x̂ = h W₂ + b₂ (Rumelhart, Hinton & Williams 1986).

    With ``activation="linear"`` and ``loss="mse"`` the optimum spans the same subspace as PCA (Baldi & Hornik 1989).

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample: (features,), (height, width) or (height, width, channels).
    code_size : int, default 32
        Values in a code.
    activation : {"relu", "leaky_relu", "sigmoid", "tanh", "softplus", "linear"}, default "relu"
        Of the code.
    tied_weights : bool, default False
        Whether the decoder uses the encoder's weights, transposed.
    loss : {"bce", "bce_on_probabilities", "mse"}, default "bce"
        Cross-entropy is for values in [0, 1].
    weight_decay : float, default 0.0
        λ of the penalty ½ λ Σ W².
    activity_l1 : float, default 0.0
        Weight of the penalty Σ|z| on codes.

    Returns
    -------
    Autoencoder
        To be built.

    Raises
    ------
    ValueError
        If an argument is not valid.

    Examples
    --------
    >>> from npae import recipes
    >>> recipes.vanilla((8,), code_size=2, loss="mse").build((8,)).code_shape
    (2,)
    """
    flatten, unflatten = flattening(input_shape)
    encoder = [*flatten, Dense(code_size, initializer=initializer_for(activation)), *activation_layers(activation)]
    decoder: list[Layer] = [Dense(prod(input_shape)), *unflatten]
    if truth_value(tied_weights, "tied_weights"):
        decoder[0] = TiedDense(f"encoder.{len(flatten)}")
    return _network(encoder, decoder, loss=loss, code=_activity_penalty(activity_l1), weight_decay=weight_decay)


def deep(
    input_shape: Shape,
    *,
    hidden: Sequence[int] = (256, 128),
    code_size: int = 32,
    activation: str = "relu",
    tied_weights: bool = False,
    loss: str = "bce",
    weight_decay: float = 0.0,
    activity_l1: float = 0.0,
) -> Autoencoder:
    """Several dense layers, a linear code, and a decoder that mirrors the encoder (Hinton & Salakhutdinov 2006).

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample.
    hidden : sequence of int, default (256, 128)
        Units of the encoder's hidden layers; the decoder has them in reverse.
    code_size : int, default 32
        Values in a code.
    activation : str, default "relu"
        Of the hidden layers; see ``vanilla``.
    tied_weights : bool, default False
        Whether the decoder uses the encoder's weights, transposed.
    loss, weight_decay, activity_l1
        As for ``vanilla``.

    Returns
    -------
    Autoencoder
        To be built.

    Raises
    ------
    ValueError
        If an argument is not valid.

    Examples
    --------
    >>> from npae import recipes
    >>> [layer.units for layer in recipes.deep((8,), hidden=(6, 4), code_size=2).encoder.layers[::2]]
    [6, 4, 2]
    """
    encoder, decoder = dense_halves(input_shape, hidden, activation)
    encoder.append(Dense(code_size))
    if truth_value(tied_weights, "tied_weights"):
        partners = [f"encoder.{i}" for i, layer in enumerate(encoder) if isinstance(layer, Dense)]
        decoder = [TiedDense(partners.pop()) if isinstance(layer, Dense) else layer for layer in decoder]
    return _network(encoder, decoder, loss=loss, code=_activity_penalty(activity_l1), weight_decay=weight_decay)


def convolutional(
    input_shape: Shape,
    *,
    filters: Sequence[int] = (16, 32),
    kernel_size: int | tuple[int, int] = 3,
    code_size: int | None = 32,
    activation: str = "relu",
    loss: str = "bce",
    weight_decay: float = 0.0,
    activity_l1: float = 0.0,
) -> Autoencoder:
    """Convolution, activation and max-pooling; convolution, activation and upsampling (Masci et al. 2011).

    Upsampling followed by convolution avoids the checkerboard artefacts of transposed convolution (Odena et al. 2016).
    With ``code_size=None`` the code is the flattened last feature map. Samples of shape (features,) are treated as
    signals, such as a time series or a spectrum: windows slide along the features.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample: (height, width), (height, width, channels) or, of a signal, (features,).
    filters : sequence of int, default (16, 32)
        Channels of the encoder's convolutions, each followed by pooling that halves the image.
    kernel_size : int or pair of int, default 3
        Height and width of the windows; one number for both.
    code_size : int or None, default 32
        Values in a code; None takes the flattened last feature map.
    activation : str, default "relu"
        After each convolution; see ``vanilla``.
    loss, weight_decay, activity_l1
        As for ``vanilla``.

    Returns
    -------
    Autoencoder
        To be built.

    Raises
    ------
    ValueError
        If an argument is not valid.

    Examples
    --------
    >>> from npae import recipes
    >>> recipes.convolutional((8, 8), filters=(4,), code_size=None).build((8, 8)).code_shape
    (64,)
    """
    if code_size is None:
        encoder, decoder, map_shape = convolutional_halves(input_shape, filters, kernel_size, activation)
        encoder, decoder = [*encoder, Flatten()], [Reshape(map_shape), *decoder]
    else:
        encoder, decoder = flat_convolutional_halves(input_shape, filters, kernel_size, activation)
        encoder.append(Dense(code_size))
    return _network(encoder, decoder, loss=loss, code=_activity_penalty(activity_l1), weight_decay=weight_decay)


def denoising(
    input_shape: Shape,
    *,
    noise: str = "gaussian",
    noise_level: float | tuple[float, float] = 0.5,
    hidden: Sequence[int] = (256, 128),
    filters: Sequence[int] | None = None,
    kernel_size: int | tuple[int, int] = 3,
    code_size: int | None = 32,
    activation: str = "relu",
    loss: str = "bce",
    weight_decay: float = 0.0,
    activity_l1: float = 0.0,
) -> Autoencoder:
    """A network that reconstructs clean samples from noisy ones: deep or, with ``filters``, convolutional.

    The noise is redrawn at every step (Vincent et al. 2008, 2010).

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample.
    noise : {"gaussian", "masking", "salt_and_pepper"}, default "gaussian"
        Gaussian noise is clipped to [0, 1] where the loss is cross-entropy.
    noise_level : float or pair of float, default 0.5
        Standard deviation of Gaussian noise, fraction of values changed by the others. Of a pair, the level of each
        sample is drawn between the two.
    hidden, filters, kernel_size, code_size
        As for ``deep`` and ``convolutional``; the network is dense where ``filters`` is None.
    activation, loss, weight_decay, activity_l1
        As for ``vanilla``.

    Returns
    -------
    Autoencoder
        To be built.

    Raises
    ------
    ValueError
        If an argument is not valid, or ``code_size`` is None for a dense network.

    Examples
    --------
    >>> from npae import recipes
    >>> recipes.denoising((8,), noise="masking", noise_level=0.25, hidden=(4,), code_size=2).corrupt.layers
    [MaskingNoise(level=0.25)]
    """
    common: dict[str, Any] = {
        "activation": activation,
        "loss": loss,
        "weight_decay": weight_decay,
        "activity_l1": activity_l1,
    }
    if filters is not None:
        net = convolutional(input_shape, filters=filters, kernel_size=kernel_size, code_size=code_size, **common)
    elif code_size is None:
        raise ValueError("code_size is None, which needs a convolutional network; give a number, or filters")
    else:
        net = deep(input_shape, hidden=hidden, code_size=code_size, **common)
    net.corrupt.layers.append(_noise(noise, noise_level, clip=net.loss.needs_unit_interval))
    return net


def variational(
    input_shape: Shape,
    *,
    hidden: Sequence[int] = (512,),
    filters: Sequence[int] | None = None,
    kernel_size: int | tuple[int, int] = 3,
    code_size: int = 16,
    beta: float = 1.0,
    warm_up_steps: int = 0,
    activation: str = "relu",
    loss: str = "bce",
    weight_decay: float = 0.0,
    activity_l1: float = 0.0,
) -> Autoencoder:
    """A variational autoencoder: the code is a normal distribution, kept close to N(0, 1) (Kingma & Welling 2014).

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample.
    hidden : sequence of int, default (512,)
        Units of the encoder's hidden layers, where ``filters`` is None; the decoder has them in reverse.
    filters, kernel_size
        As for ``convolutional``; the network is dense where ``filters`` is None.
    code_size : int, default 16
        Values in a code.
    beta : float, default 1.0
        Weight of the KL term; see ``npae.layers.Reparameterization``.
    warm_up_steps : int, default 0
        Number of steps over which this weight rises linearly from 0.
    activation, loss, weight_decay, activity_l1
        As for ``vanilla``.

    Returns
    -------
    Autoencoder
        To be built.

    Raises
    ------
    ValueError
        If an argument is not valid.

    Examples
    --------
    >>> from npae import recipes
    >>> recipes.variational((8,), hidden=(4,), code_size=2).build((8,)).code_shape
    (2,)
    """
    if filters is not None:
        encoder, decoder = flat_convolutional_halves(input_shape, filters, kernel_size, activation)
    else:
        encoder, decoder = dense_halves(input_shape, hidden, activation)
    code = [Reparameterization(code_size, beta=beta, warm_up_steps=warm_up_steps), *_activity_penalty(activity_l1)]
    return _network(encoder, decoder, loss=loss, code=code, weight_decay=weight_decay)


RECIPES: dict[str, Callable[..., Autoencoder]] = {
    recipe.__name__: recipe for recipe in (vanilla, deep, convolutional, denoising, variational)
}


def _network(
    encoder: Sequence[Layer], decoder: Sequence[Layer], *, loss: str, code: Sequence[Layer], weight_decay: float
) -> Autoencoder:
    """The network, whose last layer starts smaller."""
    net = Autoencoder(encoder, decoder, loss=loss, code=code, weight_decay=weight_decay)
    start_smaller(encoder, decoder, loss)
    return net


def _noise(name: str, level: float | tuple[float, float], *, clip: bool) -> Layer:
    if name not in NOISES:
        raise ValueError(f"unknown noise {name!r}; expected one of {', '.join(NOISES)}")
    if name == "gaussian":
        return GaussianNoise(level, clip=(0.0, 1.0) if clip else None)
    return NOISES[name](level)


def _activity_penalty(activity_l1: float) -> list[Layer]:
    strength = real_number(activity_l1, "activity_l1", least=0)
    return [ActivityL1(strength)] if strength else []
