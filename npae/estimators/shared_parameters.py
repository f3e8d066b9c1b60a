"""The parameters that all five estimators have, each with default, kind and description."""

from typing import Any, ClassVar

from npae.estimators.parameters import estimator, parameter
from npae.estimators.saving import SaveMixin
from npae.training.replicas import effective_n_jobs
from npae.utils.randomness import check_random_state


def _threads(n_jobs: Any, name: str) -> int:
    return effective_n_jobs(n_jobs)


@estimator("The parameters that all five estimators have.")
class SharedParameters(SaveMixin):
    """The size of the code and the loss, which make the network, and all that says how it is trained."""

    summary: ClassVar[str]

    code_size: int | None = parameter(
        "int or None",
        "Values in a code. None leaves a convolutional network's feature map as the code.",
        default=32,
        is_fixed=True,
    )
    activation: str = parameter(
        "str",
        'Of the hidden layers: "relu", "leaky_relu", "sigmoid", "tanh", "softplus" or "linear".',
        default="relu",
        is_fixed=True,
    )
    loss: str = parameter(
        "str",
        '"bce" (binary cross-entropy, for values in [0, 1]), "mse" (squared error), or "auto": "bce" where all values '
        'lie in [0, 1], rounding aside, else "mse". A model of "auto" scores values of any range.',
        default="auto",
        is_fixed=True,
    )
    epochs: int = parameter("int", "Times that ``fit`` goes through the data.", default=20)
    batch_size: int = parameter("int", "Samples a step; the last of an epoch may be smaller.", default=128)
    learning_rate: float = parameter(
        "float",
        "Step size of the optimizer; at every step it is multiplied by the factor of ``schedule``.",
        default=1e-3,
        above=0,
    )
    optimizer: str = parameter("str", '"adam", "adamw", "sgd" or "rmsprop".', default="adam")
    momentum: float = parameter(
        "float",
        'Factor of the previous update that is added to the next one; only "sgd" uses it.',
        default=0.9,
        least=0,
    )
    schedule: str = parameter(
        "str",
        'Course of the learning rate over ``epochs``: "constant", "step", "cosine" or "warm_up" (then cosine).',
        default="constant",
    )
    shuffle: str = parameter(
        "str",
        'Order of the samples in an epoch: "global" is a permutation of all, "window" reads chunks of 4 MiB whole, in '
        'random order, and permutes the rows of at least eight at a time; "auto" takes windows for data outside of '
        "memory of more than 128 MiB.",
        default="auto",
    )
    clip_norm: float | None = parameter(
        "float or None",
        "Norm to which a longer gradient is shortened; None leaves all as they are.",
        default=None,
        above=0,
    )
    weight_decay: float = parameter(
        "float", 'λ of ½ λ Σ W² in the loss; with optimizer "adamw" the decoupled decay instead.', default=0.0, least=0
    )
    activity_l1: float = parameter(
        "float", "λ of ``λ Σ |z|`` in the loss, which makes the code z sparse.", default=0.0, least=0
    )
    validation_fraction: float | None = parameter(
        "float or None",
        "Share of the data set aside, whose loss is recorded; None is 0.1 with ``early_stopping``, else 0.",
        default=None,
        least=0,
        below=1,
    )
    early_stopping: bool = parameter(
        "bool",
        "Stop after ``patience`` epochs without a lower validation loss, and keep the parameters of the lowest.",
        default=False,
    )
    patience: int = parameter(
        "int", "Epochs without a lower validation loss after which ``early_stopping`` ends training.", default=10
    )
    random_state: Any = parameter(
        "int, RandomState, Generator or None",
        "Seed of weights, order and noise: the same int gives the same result, None a new one at each ``fit``.",
        default=None,
        check=check_random_state,
    )
    n_jobs: int | None = parameter(
        "int or None",
        "Threads for training; None is 1, -1 all processors. The same seed and ``n_jobs`` give the same result.",
        default=None,
        check=_threads,
    )
    dtype: str = parameter(
        "str",
        'Of the network and of what it returns: "float32", "float64", or "auto": float64 where the data is float64 or '
        "has whole numbers beyond 2²⁴, otherwise float32, which is about twice as fast.",
        default="auto",
        is_fixed=True,
    )
    recorded: bool = parameter(
        "bool",
        "Record a training step once and run the recording; otherwise every layer is called from Python at every step, "
        "with the same result, so that a breakpoint in ``forward`` works; that of a fused layer, such as "
        "``ConvolutionReLUMaxPool``, where several layers are computed as one.",
        default=True,
    )
    verbose: bool = parameter("bool", "Show a progress bar.", default=False)
