"""The five estimators: each names the parameters of its own type and the recipe that makes its network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from npae import recipes
from npae.autoencoder import Autoencoder
from npae.estimators.base import AutoencoderEstimator
from npae.types import Shape


@dataclass(kw_only=True, eq=False, repr=False)
class VanillaAutoencoder(AutoencoderEstimator):
    """One hidden layer, which is the code.

    Parameters
    ----------
    activation : str, default "relu"
        Of the code. "linear" with loss "mse" spans the space of PCA.
    tied_weights : bool, default False
        Whether the decoder uses the encoder's weights, transposed.
    **common
        Those of ``AutoencoderEstimator``.
    """

    tied_weights: bool = False

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.vanilla(
            input_shape,
            code_size=self._required_code_size(),
            tied_weights=self.tied_weights,
            **self._common(loss),
        )


@dataclass(kw_only=True, eq=False, repr=False)
class DeepAutoencoder(AutoencoderEstimator):
    """Several dense layers and their mirror image; the code is linear.

    Parameters
    ----------
    hidden : sequence of int, default (256, 128)
        Units of the encoder's hidden layers; the decoder has them in reverse.
    tied_weights : bool, default False
        Whether the decoder uses the encoder's weights, transposed.
    **common
        Those of ``AutoencoderEstimator``.
    """

    hidden: Sequence[int] = (256, 128)
    tied_weights: bool = False

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.deep(
            input_shape,
            hidden=self.hidden,
            code_size=self._required_code_size(),
            tied_weights=self.tied_weights,
            **self._common(loss),
        )


@dataclass(kw_only=True, eq=False, repr=False)
class ConvolutionalAutoencoder(AutoencoderEstimator):
    """Convolution and pooling, upsampling and convolution; images of any height and width, and signals.

    Rows of features (n, features) are signals, whose neighbouring values belong together: the windows slide along them.

    Parameters
    ----------
    filters : sequence of int, default (16, 32)
        Channels of the encoder's convolutions, each followed by pooling that halves the image; the decoder has them
        in reverse.
    kernel_size : int, default 3
    code_size : int or None, default 32
        ``None``: the feature map, laid flat.
    **common
        Those of ``AutoencoderEstimator``.
    """

    filters: Sequence[int] = (16, 32)
    kernel_size: int = 3

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.convolutional(
            input_shape,
            filters=self.filters,
            kernel_size=self.kernel_size,
            code_size=self.code_size,
            **self._common(loss),
        )


@dataclass(kw_only=True, eq=False, repr=False)
class DenoisingAutoencoder(AutoencoderEstimator):
    """Trained to rebuild clean samples from noisy ones; ``reconstruct`` removes noise.

    Parameters
    ----------
    noise : str, default "gaussian"
        "gaussian", "masking" or "salt_and_pepper"; redrawn at every step. ``transform`` adds none.
    noise_level : float, default 0.5
        Standard deviation of Gaussian noise; fraction of values changed by the others.
    hidden : sequence of int, default (256, 128)
        Of the dense network, where ``filters`` is None.
    filters : sequence of int, optional
        Makes the network convolutional.
    kernel_size : int, default 3
    **common
        Those of ``AutoencoderEstimator``.
    """

    noise: str = "gaussian"
    noise_level: float = 0.5
    hidden: Sequence[int] = (256, 128)
    filters: Sequence[int] | None = None
    kernel_size: int = 3

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.denoising(
            input_shape,
            noise=self.noise,
            noise_level=self.noise_level,
            hidden=self.hidden,
            filters=self.filters,
            kernel_size=self.kernel_size,
            code_size=self.code_size,
            **self._common(loss),
        )


@dataclass(kw_only=True, eq=False, repr=False)
class VariationalAutoencoder(AutoencoderEstimator):
    """The code is a distribution close to N(0, 1), so ``sample`` can draw new samples.

    Parameters
    ----------
    hidden : sequence of int, default (512,)
        Of the dense network, where ``filters`` is None.
    filters : sequence of int, optional
        Makes the network convolutional.
    kernel_size : int, default 3
    beta : float, default 1.0
        Weight of the KL term; 1 gives the evidence lower bound.
    beta_warm_up : int, default 0
        Epochs over which the weight rises linearly from 0.
    code_size : int, default 16
    **common
        Those of ``AutoencoderEstimator``.
    """

    code_size: int | None = 16
    hidden: Sequence[int] = (512,)
    filters: Sequence[int] | None = None
    kernel_size: int = 3
    beta: float = 1.0
    beta_warm_up: int = 0

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.variational(
            input_shape,
            hidden=self.hidden,
            filters=self.filters,
            kernel_size=self.kernel_size,
            code_size=self._required_code_size(),
            beta=self.beta,
            warm_up_steps=self.beta_warm_up * n_steps_per_epoch,
            **self._common(loss),
        )

    def _place_codes(self, z: Any) -> Any:
        return z  # the prior is N(0, 1)

    def _remember(self, X: Any) -> None:
        """Nothing to fit: the prior is given."""
