"""The five estimators, each with the parameters of its type and the recipe of its network."""

from collections.abc import Sequence
from typing import ClassVar

from npae.estimators.base import AutoencoderEstimator
from npae.estimators.parameters import estimator, parameter
from npae.layers.window import pair
from npae.network import recipes
from npae.network.autoencoder import Autoencoder
from npae.utils.types import Shape

TIED_WEIGHTS = "Whether the decoder uses the encoder's weights, transposed."
HIDDEN_WITHOUT_FILTERS = (
    "Units of the dense network's hidden layers, used where ``filters`` is None; the decoder has them in reverse."
)
FILTERS_OR_DENSE = "Channels of the encoder's convolutions, which make the network convolutional; None makes it dense."
KERNEL_SIZE = "Height and width of the convolutions' windows; one number for both."


@estimator("One hidden layer, which is the code.")
class VanillaAutoencoder(AutoencoderEstimator):
    """With ``activation="linear"`` and ``loss="mse"`` its codes span the same subspace as PCA.

    Baldi & Hornik, Neural networks and principal component analysis, Neural Networks 2 (1989).

    Examples
    --------
    >>> import numpy as np
    >>> from npae import VanillaAutoencoder
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> VanillaAutoencoder(code_size=2, epochs=3, random_state=0).fit_transform(X).shape
    (256, 2)
    """

    activation: str = parameter(
        "str",
        'Of the code: "relu", "leaky_relu", "sigmoid", "tanh", "softplus" or "linear".',
        default="relu",
        is_fixed=True,
    )
    tied_weights: bool = parameter("bool", TIED_WEIGHTS, default=False, is_fixed=True)

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.vanilla(
            input_shape,
            code_size=self._required_code_size(),
            tied_weights=self.tied_weights,
            **self._common(loss),
        )


@estimator("Several dense layers and their mirror image; the code is linear.")
class DeepAutoencoder(AutoencoderEstimator):
    """Hinton & Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313 (2006).

    Examples
    --------
    >>> import numpy as np
    >>> from npae import DeepAutoencoder
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> DeepAutoencoder(hidden=(16,), code_size=2, epochs=3, random_state=0).fit(X).reconstruct(X).shape
    (256, 8)
    """

    hidden: Sequence[int] = parameter(
        "sequence of int",
        "Units of the encoder's hidden layers; the decoder has them in reverse.",
        default=(256, 128),
        is_fixed=True,
    )
    tied_weights: bool = parameter("bool", TIED_WEIGHTS, default=False, is_fixed=True)

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.deep(
            input_shape,
            hidden=self.hidden,
            code_size=self._required_code_size(),
            tied_weights=self.tied_weights,
            **self._common(loss),
        )


@estimator("Convolution and pooling, upsampling and convolution; for images of any height and width, and for signals.")
class ConvolutionalAutoencoder(AutoencoderEstimator):
    """Samples of shape (features,) are treated as signals: windows slide along the features.

    Masci et al., Stacked convolutional auto-encoders for hierarchical feature extraction, ICANN 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import ConvolutionalAutoencoder
    >>> X = np.random.default_rng(0).random((128, 7, 9), dtype="float32")  # images of 7 by 9
    >>> ConvolutionalAutoencoder(filters=(4,), code_size=2, epochs=1, random_state=0).fit_transform(X).shape
    (128, 2)
    """

    code_size: int | None = parameter(
        "int or None",
        "Values in a code. None takes the flattened feature map of the last pooling as the code.",
        default=32,
        is_fixed=True,
    )
    filters: Sequence[int] = parameter(
        "sequence of int",
        "Channels of the encoder's convolutions, each followed by pooling that halves the image; the decoder has them "
        "in reverse.",
        default=(16, 32),
        is_fixed=True,
    )
    kernel_size: int | tuple[int, int] = parameter(
        "int or pair of int", KERNEL_SIZE, default=3, check=pair, is_fixed=True
    )

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        return recipes.convolutional(
            input_shape,
            filters=self.filters,
            kernel_size=self.kernel_size,
            code_size=self.code_size,
            **self._common(loss),
        )


@estimator("Trained to reconstruct clean samples from noisy ones; ``reconstruct`` removes noise.")
class DenoisingAutoencoder(AutoencoderEstimator):
    """Vincent et al., Stacked denoising autoencoders, Journal of Machine Learning Research 11 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from npae import DenoisingAutoencoder
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> DenoisingAutoencoder(hidden=(16,), noise_level=0.2, epochs=3, random_state=0).fit(X).reconstruct(X).shape
    (256, 8)
    """

    noise: str = parameter(
        "str",
        '"gaussian", "masking" or "salt_and_pepper"; redrawn at every step. ``transform`` adds none.',
        default="gaussian",
        is_fixed=True,
    )
    noise_level: float | tuple[float, float] = parameter(
        "float or pair of float",
        "Standard deviation of Gaussian noise; fraction of values changed by the others. Of a pair (low, high), the "
        "level of each sample is drawn between the two at every step, for noise of unknown strength.",
        default=0.5,
        least=0,
    )
    hidden: Sequence[int] = parameter("sequence of int", HIDDEN_WITHOUT_FILTERS, default=(256, 128), is_fixed=True)
    filters: Sequence[int] | None = parameter("sequence of int or None", FILTERS_OR_DENSE, default=None, is_fixed=True)
    kernel_size: int | tuple[int, int] = parameter(
        "int or pair of int", KERNEL_SIZE, default=3, check=pair, is_fixed=True
    )

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


@estimator("The code is a distribution close to N(0, 1), so ``sample`` can draw new samples.")
class VariationalAutoencoder(AutoencoderEstimator):
    """Kingma & Welling, Auto-encoding variational Bayes, ICLR 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import VariationalAutoencoder
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> VariationalAutoencoder(hidden=(16,), code_size=2, epochs=3, random_state=0).fit(X).sample(5).shape
    (5, 8)
    """

    default_sampler: ClassVar[str] = "prior"

    code_size: int | None = parameter("int or None", "Values in a code; None is refused.", default=16, is_fixed=True)
    hidden: Sequence[int] = parameter("sequence of int", HIDDEN_WITHOUT_FILTERS, default=(512,), is_fixed=True)
    filters: Sequence[int] | None = parameter("sequence of int or None", FILTERS_OR_DENSE, default=None, is_fixed=True)
    kernel_size: int | tuple[int, int] = parameter(
        "int or pair of int", KERNEL_SIZE, default=3, check=pair, is_fixed=True
    )
    beta: float = parameter("float", "Weight of the KL term; 1 gives the evidence lower bound.", default=1.0, least=0)
    beta_warm_up: int = parameter("int", "Epochs over which this weight rises linearly from 0.", default=0, least=0)
    conditional: bool = parameter(
        "bool",
        "Whether the decoder sees each sample's label beside its code (Sohn, Lee & Yan 2015): training and "
        "sampling then need labels, and encoding none.",
        default=False,
        is_fixed=True,
    )

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
