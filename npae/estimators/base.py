"""What the five estimators share: everything but the network they make.

The constructor only stores its arguments, each under its own name; what is learned ends in an underscore. So an
estimator can be cloned, searched over and put in a pipeline, and npae needs no scikit-learn for it.
"""

import warnings
from collections.abc import Sequence
from dataclasses import field
from math import ceil, prod
from typing import Any, ClassVar, Self

import numpy as np

from npae.estimators.gaussian import Gaussian
from npae.estimators.parameters import estimator, parameter
from npae.estimators.saving import SaveMixin
from npae.layers.base import positive
from npae.network.autoencoder import Autoencoder
from npae.training.checkpoint import Checkpoints, checkpointing
from npae.training.memory_estimate import check_memory
from npae.training.optimizers import OPTIMIZERS, optimizer_by_name
from npae.training.replicas import effective_n_jobs
from npae.training.schedules import Constant, schedule_by_name
from npae.training.trainer import Callback, Training, split_off
from npae.utils.columns import Columns, check_columns, check_order, columns_of, columns_of_row
from npae.utils.randomness import generator, seed_from
from npae.utils.sparse import Samples
from npae.utils.types import Array, Shape
from npae.utils.validation import are_whole, check_numeric, check_samples, is_unit_interval, looks_like_bytes, stack_two

#: Largest code for which a Gaussian is fitted to draw from; its factor has as many values, squared.
LARGEST_SAMPLED_CODE = 512
#: Training samples that this Gaussian is fitted to, evenly spread over the data; for a large code four times its size.
CODES_FOR_SAMPLING = 500
#: Whole numbers up to it, and no farther, are all numbers of float32.
LARGEST_EXACT = 2**24
#: A list of fewer entries with more rows each is probably one of parts, not of samples.
FEW_ENTRIES, MANY_ROWS = 10, 50


@estimator("What the five autoencoders have in common: training, codes, reconstructions, samples and scores.")
class AutoencoderEstimator(SaveMixin):
    """The five types are subclasses, which add the network that they make.

    Attributes
    ----------
    network_ : Autoencoder
    history_ : dict of str to list of float
        One entry an epoch; see ``npae.training.Training``.
    n_features_in_ : int
        Values in a sample.
    feature_names_in_ : ndarray of str, shape (features,)
        Names of the columns, where the model was fitted to a dataframe.
    n_iter_ : int
        Epochs trained.
    """

    network_: Autoencoder = field(init=False)
    history_: dict[str, list[float]] = field(init=False)
    _code_distribution: Gaussian | None = field(init=False)
    _seen: Samples | None = field(init=False)

    summary: ClassVar[str]

    code_size: int | None = parameter(
        "int or None", "Values in a code. None leaves a convolutional network's feature map as the code.", default=32
    )
    activation: str = parameter(
        "str", 'Of the hidden layers: "relu", "leaky_relu", "sigmoid", "tanh", "softplus" or "linear".', default="relu"
    )
    loss: str = parameter(
        "str",
        '"bce" (binary cross-entropy, for values in [0, 1]), "mse" (squared error), or "auto": "bce" where all values '
        'lie in [0, 1], rounding aside, else "mse". A model of "auto" scores values of any range.',
        default="auto",
    )
    epochs: int = parameter("int", "Times that ``fit`` goes through the data.", default=20)
    batch_size: int = parameter("int", "Samples a step; the last of an epoch may be smaller.", default=128)
    learning_rate: float = parameter(
        "float",
        "Step size of the optimizer, of which ``schedule`` takes a share that changes with the step.",
        default=1e-3,
    )
    optimizer: str = parameter("str", '"adam", "adamw", "sgd" or "rmsprop".', default="adam")
    momentum: float = parameter(
        "float", 'Share of the last step that is added to the next one, with optimizer "sgd" alone.', default=0.9
    )
    schedule: str = parameter(
        "str",
        'Course of the learning rate over ``epochs``: "constant", "step", "cosine" or "warm_up" (then cosine).',
        default="constant",
    )
    clip_norm: float | None = parameter(
        "float or None", "Norm to which a longer gradient is shortened; None leaves all as they are.", default=None
    )
    weight_decay: float = parameter(
        "float", 'λ of ½ λ Σ W² in the loss; with optimizer "adamw" the decoupled decay instead.', default=0.0
    )
    activity_l1: float = parameter("float", "λ of ``λ Σ |z|`` in the loss, which makes the code z sparse.", default=0.0)
    validation_fraction: float | None = parameter(
        "float or None",
        "Share of the data set aside, whose loss is recorded; None is 0.1 with ``early_stopping``, else 0.",
        default=None,
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
    )
    n_jobs: int | None = parameter(
        "int or None",
        "Threads for training; None is 1, -1 all processors. The same seed and ``n_jobs`` give the same result.",
        default=None,
    )
    dtype: str = parameter(
        "str",
        'Of the network and of what it returns: "float32", "float64", or "auto": float64 where the data is float64 or '
        "has whole numbers beyond 2²⁴, otherwise float32, which is about twice as fast.",
        default="auto",
    )
    recorded: bool = parameter(
        "bool",
        "Record a training step once and run the recording; False calls every layer from Python at every step, with "
        "the same result, so that a breakpoint in ``forward`` works.",
        default=True,
    )
    verbose: bool = parameter("bool", "Show a progress bar.", default=False)

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        """The unbuilt network of this type for samples of ``input_shape``."""
        raise NotImplementedError

    # Training

    def fit(
        self, X: Any, y: Any = None, *, callbacks: Sequence[Callback] = (), checkpoints: Checkpoints | None = None
    ) -> Self:
        """Train on X with new parameters.

        Parameters
        ----------
        X : array-like of shape (n, features), (n, height, width) or (n, height, width, channels)
            With cross-entropy, values in [0, 1]. A sparse matrix of SciPy is made dense a batch at a time. Masked
            cells, missing values and dates are refused.
        y : ignored
        callbacks : sequence of functions
            Each is called with the ``Training`` after each epoch; returning True ends it.
        checkpoints : Checkpoints, optional
            Where the run is written down, so that it can go on after whatever ends it. Where ``random_state`` is None,
            a run that goes on keeps its seed.
        """
        columns = columns_of(X)
        X = self._prepare(X)
        seed = self._seed(checkpoints)
        fraction = self.validation_fraction
        if fraction is None:
            fraction = 0.1 if self.early_stopping else 0.0
        train, validation = split_off(X, fraction, seed)
        training = self._new_training(X, len(train), seed, columns)
        aims: dict[str, Any] = {"validation": validation, "patience": self.patience if self.early_stopping else None}
        with checkpointing(checkpoints, training, train, **aims, model=self._description(seed)) as checkpoint_writer:
            self._adopt(training)
            if len(train) < self.batch_size:
                warnings.warn(
                    f"{len(train)} samples are fewer than a batch of {self.batch_size}, so every epoch is one step; "
                    f"lower batch_size for more steps",
                    stacklevel=2,
                )
            try:
                training.run(
                    train,
                    self.epochs,
                    **aims,
                    callbacks=callbacks,
                    checkpoint_writer=checkpoint_writer,
                    verbose=self.verbose,
                )
            finally:  # however training ended, the model can be used
                self._remember(X)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train on X for one more epoch, at a constant learning rate."""
        if hasattr(self, "network_"):
            self._warn_of_names(X)
        else:
            columns = columns_of(X)
            X = self._prepare(X)
            self._adopt(self._new_training(X, len(X), seed_from(self.random_state), columns))
        X = self.network_.check(self._flat_checked(X), as_target=True, n_jobs=effective_n_jobs(self.n_jobs))
        if not hasattr(self, "training_"):  # read from a file, or a copy
            self.training_ = self._training_of(self.network_, len(X), self.history_)
        self.training_.schedule = Constant()  # a schedule spans the epochs of fit
        try:
            self.training_.run(X, 1, verbose=self.verbose)
        finally:
            self._remember(X)
        return self

    def _seed(self, checkpoints: Checkpoints | None) -> int:
        """random_state, or when it is None the seed of the checkpoint being resumed, or a new seed."""
        stored = checkpoints.seed() if checkpoints is not None and self.random_state is None else None
        return seed_from(self.random_state) if stored is None else stored

    def _prepare(self, X: Any) -> Samples:
        """X of ``fit``, with hints where it is probably meant otherwise."""
        is_list = isinstance(X, list | tuple)
        X = check_numeric(X, "X")
        if X.ndim < 2 or X.ndim > 4:
            raise ValueError(
                f"Expected X of shape (n, features), (n, height, width) or (n, height, width, channels), got shape "
                f"{X.shape}. Reshape your data: X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one sample"
            )
        if 0 in X.shape[1:]:
            raise ValueError(
                f"Found array with {prod(X.shape[1:])} feature(s) (shape={X.shape}) while a minimum of 1 is required."
            )
        samples = check_samples(X, X.shape[1:], self._dtype_for(X), "X")
        if self.loss == "auto" and looks_like_bytes(samples):
            numbers = "whole numbers" if are_whole(samples) else "numbers"
            warnings.warn(
                f"X holds {numbers} of 0-255, probably images; fit X / 255, which is learned better",
                stacklevel=3,
            )
        if is_list and X.ndim > 2 and len(X) < FEW_ENTRIES and X.shape[1] > MANY_ROWS:
            warnings.warn(
                f"X is a list of {len(X)} arrays of shape {X.shape[1:]}, each of which is taken for one sample; if "
                f"they are parts of the data, whose rows are the samples, give np.concatenate(X), or call partial_fit "
                f"with each",
                stacklevel=3,
            )
        return samples

    def _dtype_for(self, X: Samples) -> str:
        """The dtype of "auto": float64 for data that float32 would round, else float32."""
        if self.dtype not in ("auto", "float32", "float64"):
            raise ValueError(f'dtype is {self.dtype!r}; expected "auto", "float32" or "float64"')
        if self.dtype != "auto":
            return self.dtype
        is_fine = X.dtype.kind == "f" and X.dtype.itemsize >= 8
        is_large = X.dtype.kind in "iu" and X.dtype.itemsize >= 4 and len(X) > 0 and _exceeds(X, LARGEST_EXACT)
        return "float64" if is_fine or is_large else "float32"

    def _new_training(self, X: Samples, n_train: int, seed: int, columns: Columns | None) -> Training:
        """A new network for samples like those of X, about to be trained on ``n_train`` of them."""
        for name in ("epochs", "batch_size", "patience"):
            positive(getattr(self, name), name)
        if self.code_size is not None:
            positive(self.code_size, "code_size")
        network = self.make_network(X.shape[1:], self._resolved_loss(X), ceil(n_train / self.batch_size))
        network.plan(X.shape[1:], seed=seed, dtype=X.dtype.name, recorded=self.recorded)
        check_memory(
            network,
            OPTIMIZERS[self.optimizer].state_names if self.optimizer in OPTIMIZERS else (),
            n_jobs=effective_n_jobs(self.n_jobs),
            batch_size=self.batch_size,
            n_samples=n_train,
            n_validation=len(X) - n_train,
        )
        network.arena.allocate()
        network.columns = columns
        network.check(X, as_target=True)
        return self._training_of(network, n_train, {})

    def _training_of(self, network: Autoencoder, n_train: int, history: dict[str, list[float]]) -> Training:
        options: dict[str, float] = {}
        if self.optimizer == "sgd":
            options["momentum"] = self.momentum
        if self.optimizer == "adamw":
            options["weight_decay"] = self.weight_decay
        return Training(
            network,
            optimizer_by_name(self.optimizer, self.learning_rate, **options),
            schedule=schedule_by_name(self.schedule, self.epochs * ceil(n_train / self.batch_size)),
            batch_size=self.batch_size,
            clip_norm=self.clip_norm,
            n_jobs=self.n_jobs,
            history=history,
        )

    def _adopt(self, training: Training) -> None:
        """Take over the network and history of a training; replaces those of an earlier ``fit``."""
        self.training_, self.network_, self.history_ = training, training.network, training.history
        self.n_features_in_ = prod(training.network.input_shape)
        self._name_columns()
        self._code_distribution = self._seen = None

    def _resolved_loss(self, X: Samples) -> str:
        if self.loss not in ("auto", "bce", "mse"):
            raise ValueError(f"unknown loss {self.loss!r}; expected one of auto, bce, mse")
        if self.loss != "auto":
            return self.loss
        return "bce" if is_unit_interval(X) else "mse"

    def _common(self, loss: str) -> dict[str, Any]:
        """The arguments that every recipe takes; with AdamW weight decay is left to the optimizer."""
        return {
            "activation": self.activation,
            "loss": loss,
            "weight_decay": 0.0 if self.optimizer == "adamw" else self.weight_decay,
            "activity_l1": self.activity_l1,
        }

    def _required_code_size(self) -> int:
        if self.code_size is None:
            raise ValueError(
                f"code_size is None, which only a convolutional network can do without; give "
                f"{type(self).__name__} a whole number"
            )
        return self.code_size

    @property
    def n_iter_(self) -> int:
        """Epochs trained."""
        return len(self.history_.get("loss", ()))

    # Use

    def transform(self, X: Any) -> Any:
        """Codes (n, code_size) of X, without noise; of a variational model the means.

        An array, or what ``set_output`` chose.
        """
        return self._contained(self._network().encode(self._check_shape(X), n_jobs=effective_n_jobs(self.n_jobs)), X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """``fit(X).transform(X)``."""
        return self.fit(X, y).transform(X)

    def inverse_transform(self, Z: Any) -> Array:
        """Samples rebuilt from codes Z (n, code_size), in the shape that X had."""
        net = self._network()
        check_order(columns_of(Z), Columns(tuple(self.get_feature_names_out()), are_names=True))
        return net.decode(Z)

    def reconstruct(self, X: Any) -> Array:
        """X, encoded and decoded; of a denoising model: X without its noise."""
        return self._network().reconstruct(self._check_shape(X))

    def score_samples(self, X: Any) -> Array:
        """Minus the loss of each sample (n,), penalties included, in nats for cross-entropy; higher is better.

        Where ``loss="auto"`` took cross-entropy, samples may have values outside [0, 1], as a scaler gives them for
        data that it was not fitted to: such a value counts as the nearest one within, plus the square of its distance
        from it.
        """
        return -self._network().losses(self._check_shape(X), any_range=self.loss == "auto")

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of ``score_samples``."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1, random_state: int | None = None) -> Array:
        """New samples ``(n_samples, *shape)``: codes are drawn and decoded.

        A variational model draws from its prior N(0, 1). The others have none; they draw from the Gaussian with the
        mean and covariance of the codes of the data that ``fit`` or ``partial_fit`` saw last (Ghosh et al., From
        variational to deterministic autoencoders, ICLR 2020, §4), for codes of up to 512 values.

        Parameters
        ----------
        n_samples : int, default 1
        random_state : int, optional
            The model's own seed by default, so that the same call gives the same samples.
        """
        net = self._network()
        positive(n_samples, "n_samples")
        seed = net.run.seed if random_state is None else seed_from(random_state)
        z = generator(seed, "sample").standard_normal((n_samples, *net.code_shape))
        return net.decode(self._place_codes(z))

    def _place_codes(self, z: Array) -> Array:
        """Turn draws from N(0, 1) into codes."""
        distribution = self.code_distribution_
        if distribution is None:
            raise ValueError(
                f"sample needs a code of at most {LARGEST_SAMPLED_CODE} values, but this model's has {z.shape[1]}; "
                f"choose a smaller code_size"
            )
        return distribution.transform(z)

    def _remember(self, X: Samples) -> None:
        """Keep a subset of X; the Gaussian for ``sample`` is fitted to its codes on first use."""
        (code_size,) = self.network_.code_shape
        # Too few say nothing of a covariance: after a small part, those of an earlier one stay.
        few = len(X) < 2 * code_size and (self._seen is not None or self._code_distribution is not None)
        if code_size <= LARGEST_SAMPLED_CODE and not few:
            n = max(CODES_FOR_SAMPLING, 4 * code_size)
            few_of_them = X[:: ceil(len(X) / n)]
            self._seen = few_of_them.copy() if isinstance(few_of_them, np.ndarray) else few_of_them
            self._code_distribution = None

    @property
    def code_distribution_(self) -> Gaussian | None:
        """The Gaussian that ``sample`` draws codes from, fitted when first asked for; None where there is none."""
        seen = self._seen  # another thread may ask, too
        if seen is not None:
            self._code_distribution, self._seen = Gaussian.fit(self.network_.encode(seen)), None
        return self._code_distribution

    def interpolate(self, a: Any, b: Any, steps: int = 9) -> Array:
        """Samples ``(steps, *shape)`` on the straight line between the codes of two samples, ends included."""
        if positive(steps, "steps") < 2:
            raise ValueError(f"steps is {steps}; expected a whole number of at least 2, for both ends")
        for row in (a, b):
            check_columns(columns_of_row(row), self._network().columns)
        start, end = self._network().encode(self._flat_checked(stack_two(a, b)))
        t = np.linspace(0, 1, steps)[:, None]
        return self.inverse_transform((1 - t) * start + t * end)

    # Shared by the above

    def _network(self) -> Autoencoder:
        return self.network_

    def __getstate__(self) -> dict[str, Any]:
        if hasattr(self, "network_"):
            self.code_distribution_  # noqa: B018 (from the samples, which are then let go)
        return super().__getstate__()

    def _check_shape(self, X: Any) -> Samples:
        """X as an array with the columns of ``fit``."""
        self._network()
        self._warn_of_names(X)
        return self._flat_checked(X)

    def _flat_checked(self, X: Any) -> Samples:
        """X as an array; the network checks the rest, but what scikit-learn words in its own way is said here."""
        net = self._network()
        check_columns(columns_of(X), net.columns)
        samples = check_numeric(X, "X")
        if samples.ndim == 1:
            raise ValueError(
                f"Expected 2D array, got 1D array instead, of shape {samples.shape}. Reshape your data: "
                f"X.reshape(1, -1) for one sample, X.reshape(-1, 1) for one feature"
            )
        if samples.ndim == 2 and len(net.input_shape) == 1 and samples.shape[1:] != net.input_shape:
            raise ValueError(
                f"X has {samples.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                f"features as input"
            )
        return samples


def _exceeds(X: Samples, limit: int) -> bool:
    return bool(X.max() > limit or X.min() < -limit)
