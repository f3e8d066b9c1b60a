"""Base class of the five estimators: everything except the network of each type.

The constructor only stores its arguments, each under its own name; names of attributes that ``fit`` sets end in an
underscore. So estimators work in clone, parameter searches and pipelines, and npae does not need scikit-learn.
"""

import copy
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import field
from math import ceil, prod
from typing import Any, ClassVar, Self

import numpy as np

from npae.estimators.changes import refuse_fixed, take_over
from npae.estimators.code_distributions import CodeDistributions
from npae.estimators.hints import hint_at_code, hint_at_data
from npae.estimators.parameters import checked, estimator, parameter, parameters_of
from npae.estimators.sample_record import SampleRecord
from npae.estimators.saving import SaveMixin
from npae.network.autoencoder import Autoencoder
from npae.training.checkpoint import Checkpoints, checkpointing
from npae.training.optimizers import Optimizer, optimizer_by_name
from npae.training.replicas import effective_n_jobs
from npae.training.schedules import Constant, Schedule, Span, schedule_by_name
from npae.training.state import Data
from npae.training.trainer import Callback, Training, split_off
from npae.utils.bytes_as_numbers import are_whole, looks_like_images_of_bytes
from npae.utils.columns import Columns, check_columns, check_order, columns_of, columns_of_row
from npae.utils.randomness import check_random_state, seed_from
from npae.utils.scalars import whole_number
from npae.utils.sparse import Samples
from npae.utils.types import Array, Shape
from npae.utils.validation import check_numeric, check_samples, is_unit_interval, stack_two
from npae.utils.wording import counted

#: Whole numbers up to it, and no farther, are all numbers of float32.
LARGEST_EXACT = 2**24
#: Attribute of a copy that has not gone on training: what the optimizer remembers.
OPTIMIZER_STATE = "_optimizer_state"
#: A list of fewer entries with more rows each is probably one of parts, not of samples.
FEW_ENTRIES, MANY_ROWS = 10, 50


def _threads(n_jobs: Any, name: str) -> int:
    return effective_n_jobs(n_jobs)


@estimator("Base class of the five autoencoders: training, codes, reconstructions, samples and scores.")
class AutoencoderEstimator(SaveMixin):
    """The five types are its subclasses, each with a network of its type.

    Attributes
    ----------
    network_ : Autoencoder
    history_ : dict of str to list of float
        One entry for each epoch; see ``npae.training.Training``.
    n_features_in_ : int
        Number of values of a sample.
    feature_names_in_ : ndarray of str, shape (features,)
        Names of the columns, if the model was fitted to a dataframe.
    n_iter_ : int
        Number of epochs trained.
    classes_ : ndarray of shape (labels,)
        The different labels of a conditional model, in order.
    metadata_ : dict
        What the samples mean, saved with the model as JSON: empty after ``fit``, to be filled by the caller, as
        ``npae train`` does with the layout of music (``npae.datasets.music.Layout.to_metadata``).
    """

    network_: Autoencoder = field(init=False)
    history_: dict[str, list[float]] = field(init=False)
    metadata_: dict[str, Any] = field(init=False)
    training_: Training = field(init=False)
    _distributions: CodeDistributions = field(init=False)
    _fitted_to: SampleRecord | None = field(init=False)
    #: The parameters with which the network is trained, as they were given; they may be set to others at any time.
    _trained_with: dict[str, Any] = field(init=False)
    #: First step and number of steps of a schedule that was chosen after ``fit``.
    _schedule_span: tuple[int, int] | None = field(init=False)

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
        "Record a training step once and run the recording; False calls every layer from Python at every step, with "
        "the same result, so that a breakpoint in ``forward`` works; that of a fused layer, such as "
        "``ConvolutionReLUMaxPool``, where several layers are computed as one.",
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
        y : array-like of shape (n,), optional
            The labels of a conditional model: numbers or texts. Other models ignore it.
        callbacks : sequence of functions
            Each is called with the ``Training`` after each epoch; returning True ends it.
        checkpoints : Checkpoints, optional
            Where and how often the run is saved, so that it can be resumed. If ``random_state`` is None, a resumed run
            keeps its seed.
        """
        self._checked()
        columns = columns_of(X)
        X = self._prepare(X, columns)
        classes, labels = self._numbered(y, len(X))
        seed = self._seed(checkpoints)
        fraction = self.validation_fraction
        if fraction is None:
            fraction = 0.1 if self.early_stopping else 0.0
        train, validation = split_off(X, fraction, seed)
        train_labels, validation_labels = (None, None) if labels is None else split_off(labels, fraction, seed)
        data = Data(train, train_labels, validation, validation_labels)
        training = self._new_training(X, len(train), seed, columns, classes, checkpoints)
        hint_at_data(X, training.network, stacklevel=2)
        patience = self.patience if self.early_stopping else None
        model = self._description(seed) | self._class_record(classes)
        with checkpointing(checkpoints, training, data, patience=patience, model=model) as checkpoint_writer:
            self._adopt(training, classes)
            if len(train) < self.batch_size:
                are = "is" if len(train) == 1 else "are"
                warnings.warn(
                    f"{counted(len(train), 'sample')} {are} fewer than a batch of {self.batch_size}, so every epoch is "
                    f"one step; lower batch_size for more steps",
                    stacklevel=2,
                )
            try:
                training.run(
                    data,
                    self.epochs,
                    patience=patience,
                    callbacks=callbacks,
                    checkpoint_writer=checkpoint_writer,
                    verbose=self.verbose,
                )
            finally:  # the model can be used however training ended
                self.note_samples(X, labels)
        if not training.interrupted:
            hint_at_code(self.network_, train, self.history_, self.network_.run.step, stacklevel=2)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train on X for one more epoch, at a constant learning rate.

        Parameters that were set after ``fit`` hold from now on, with all that was learned kept: ``learning_rate``,
        ``batch_size``, ``clip_norm``, ``n_jobs``, the optimizer, penalties and the level of noise. A ``schedule`` that
        was set after ``fit`` spans the next ``epochs`` calls with as many samples. Those that say what the network is
        made of, such as ``code_size`` and ``hidden``, are refused; ``patience``, ``early_stopping``,
        ``validation_fraction`` and ``random_state`` are for ``fit`` alone.

        y are the labels (n,) of a conditional model: the first call, or ``fit``, must have seen all that there are.

        The optimizer goes on with what it remembers, such as Adam's running means, also in a copy and after a pickle;
        in a model that ``save`` wrote and ``load`` read it begins afresh.
        """
        now = self._checked()
        if hasattr(self, "network_"):
            self._warn_of_names(X)
            refuse_fixed(type(self), self._checked(self._trained_with), now, self.network_)
            X = self.network_.check(
                self._flat_checked(X),
                as_target=True,
                loss_is_auto=self.loss == "auto",
                n_jobs=effective_n_jobs(self.n_jobs),
            )
            labels = self._places(y, len(X), "the labels y")
            if hasattr(self, "training_"):
                self.training_.check_memory(len(X))
            else:  # read from a file, or a copy
                self.training_ = self._as_trained()._training_of(self.network_, len(X), self.history_)
                if (kept := vars(self).pop(OPTIMIZER_STATE, None)) is not None:
                    self.training_.optimizer.restore(kept)
            if self._checked(self._trained_with) != now:
                self._take_over_parameters(len(X))
        else:
            columns = columns_of(X)
            X = self._prepare(X, columns)
            classes, labels = self._numbered(y, len(X))
            self._adopt(self._new_training(X, len(X), seed_from(self.random_state), columns, classes), classes)
            hint_at_data(X, self.network_, stacklevel=2)
        self.training_.schedule = self._schedule_of_parts()
        try:
            self.training_.run(Data(X, labels), 1, verbose=self.verbose)
        finally:
            self.note_samples(X, labels)
        return self

    def _checked(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parameters, or earlier values of them, in Python's own numbers; a wrong one is refused."""
        return checked(type(self), vars(self) if values is None else values)

    def _as_trained(self) -> Self:
        """A twin with the parameters of the training so far; it shares all else."""
        earlier = object.__new__(type(self))
        vars(earlier).update(vars(self) | self._trained_with)
        return earlier

    def _take_over_parameters(self, n: int) -> None:
        """Go on with the parameters as they are now, for parts of ``n`` samples."""
        earlier = self._as_trained()
        shape, loss, n_steps = self.network_.input_shape, self.network_.loss.name, ceil(n / self.batch_size)
        made = (model.make_network(shape, loss, n_steps) for model in (earlier, self))
        take_over(self.network_, *(self._condition(net, self.network_.condition.n_labels) for net in made))
        self.network_.recorded = bool(self.recorded)
        self.training_.change(
            self._new_optimizer(), batch_size=self.batch_size, clip_norm=self.clip_norm, n_jobs=self.n_jobs
        )
        if self.schedule != earlier.schedule:
            schedule_by_name(self.schedule, 1)  # an unknown one is refused
            span = (self.network_.run.step, self.epochs * n_steps)
            self._schedule_span = None if self.schedule == "constant" else span
        self._remember_parameters()

    def _remember_parameters(self) -> None:
        values = {p.name: getattr(self, p.name) for p in parameters_of(type(self)) if p.name != "random_state"}
        self._trained_with = copy.deepcopy({**values, "random_state": None})

    def _schedule_of_parts(self) -> Schedule:
        """The full rate, since a schedule spans the epochs of ``fit``; or the schedule that was chosen after it."""
        if self._schedule_span is None:
            return Constant()
        start, total = self._schedule_span
        return Span(start, total, schedule_by_name(self.schedule, total))

    def _seed(self, checkpoints: Checkpoints | None) -> int:
        """random_state, or when it is None the seed of the checkpoint being resumed, or a new seed."""
        stored = checkpoints.seed() if checkpoints is not None and self.random_state is None else None
        return seed_from(self.random_state) if stored is None else stored

    def _prepare(self, X: Any, columns: Columns | None) -> Samples:
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
        samples = check_samples(X, X.shape[1:], self._dtype_for(X), "X", unit_interval=self.loss == "bce")
        if self.loss == "auto" and looks_like_images_of_bytes(samples, columns.labels if columns is not None else None):
            numbers = "whole numbers" if are_whole(samples) else "numbers"
            warnings.warn(
                f"X holds {numbers} of 0-255, probably images; fit X / 255, which is learned better (on the command "
                f"line --divide 255)",
                stacklevel=3,
            )
        if is_list and X.ndim > 2 and len(X) < FEW_ENTRIES and X.shape[1] > MANY_ROWS:
            warnings.warn(
                f"X is a list of {counted(len(X), 'array')} of shape {X.shape[1:]}, each of which is taken for one "
                f"sample; if they are parts of the data, whose rows are the samples, give np.concatenate(X), or call "
                f"partial_fit with each",
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

    def _new_training(
        self,
        X: Samples,
        n_train: int,
        seed: int,
        columns: Columns | None,
        classes: Array | None,
        checkpoints: Checkpoints | None = None,
    ) -> Training:
        """A new network for samples like those of X, about to be trained on ``n_train`` of them."""
        network = self.make_network(X.shape[1:], self._resolved_loss(X), ceil(n_train / self.batch_size))
        self._condition(network, 0 if classes is None else len(classes))
        if checkpoints is not None:
            checkpoints.take_over_gains(network)
        network.plan(X.shape[1:], seed=seed, dtype=X.dtype.name, recorded=self.recorded)
        network.columns = columns
        return self._training_of(network, n_train, {}, n_validation=len(X) - n_train)

    def _new_optimizer(self) -> Optimizer:
        options: dict[str, float] = {}
        if self.optimizer == "sgd":
            options["momentum"] = self.momentum
        if self.optimizer == "adamw":
            options["weight_decay"] = self.weight_decay
        return optimizer_by_name(self.optimizer, self.learning_rate, **options)

    def _training_of(
        self, network: Autoencoder, n_train: int, history: dict[str, list[float]], n_validation: int = 0
    ) -> Training:
        return Training(
            network,
            self._new_optimizer(),
            schedule=schedule_by_name(self.schedule, self.epochs * ceil(n_train / self.batch_size)),
            batch_size=self.batch_size,
            clip_norm=self.clip_norm,
            n_jobs=self.n_jobs,
            history=history,
            n_samples=n_train,
            n_validation=n_validation,
        )

    def _adopt(self, training: Training, classes: Array | None) -> None:
        """Set the network and history to those of a training, in place of those of an earlier ``fit``."""
        self.training_, self.network_, self.history_ = training, training.network, training.history
        vars(self).pop(OPTIMIZER_STATE, None)
        self.n_features_in_ = prod(training.network.input_shape)
        self._name_columns()
        self.metadata_ = {}
        self._adopt_classes(classes)
        self._schedule_span = None
        self._forget_codes()
        self._fitted_to = SampleRecord.none()
        self._remember_parameters()

    def _resolved_loss(self, X: Samples) -> str:
        if self.loss not in ("auto", "bce", "mse"):
            raise ValueError(f"unknown loss {self.loss!r}; expected one of auto, bce, mse")
        if self.loss != "auto":
            return self.loss
        return "bce" if is_unit_interval(X) else "mse"

    def _common(self, loss: str) -> dict[str, Any]:
        """The arguments that every recipe has; with AdamW, weight decay is applied by the optimizer instead."""
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
        """Number of epochs trained."""
        return len(self.history_.get("loss", ()))

    # Use

    def transform(self, X: Any) -> Any:
        """Encode samples, without noise.

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``
            Samples of the shape of the training samples.

        Returns
        -------
        ndarray of shape (n, code_size), or a dataframe if ``set_output`` was called
            The codes; of a variational model their means.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If X has another shape or is not finite.
        """
        return self._contained(self._network().encode(self._check_shape(X), n_jobs=effective_n_jobs(self.n_jobs)), X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """``fit(X, y).transform(X)``."""
        return self.fit(X, y).transform(X)

    def inverse_transform(self, Z: Any, labels: Any = None) -> Array:
        """Samples decoded from codes Z (n, code_size), in the shape of the training samples.

        ``labels`` are those of a conditional model, as for ``sample``.
        """
        net = self._network()
        check_order(columns_of(Z), Columns(tuple(self.get_feature_names_out()), are_names=True))
        n = np.shape(Z)[0] if net.condition.n_labels and np.ndim(Z) else 0
        return net.decode(Z, self.places_of(labels, n))

    def reconstruct(self, X: Any, y: Any = None) -> Array:
        """Reconstructions of X ``(n, *shape)``, in that shape; a denoising model removes noise.

        y are the labels (n,) of a conditional model, which needs them.
        """
        samples = self._check_shape(X)
        return self._network().reconstruct(samples, self._places_or_none(y, len(samples), "the labels y"))

    def score_samples(self, X: Any, y: Any = None) -> Array:
        """Negative loss of each sample of X ``(n, *shape)``, with penalties; nats for cross-entropy; higher is better.

        Where ``loss="auto"`` took cross-entropy, samples may have values outside [0, 1], as a scaler gives them for
        data that it was not fitted to: such a value counts as the nearest one within, plus the square of its distance
        from it.

        y are the labels (n,) of a conditional model, which needs them; others ignore it.
        """
        samples = self._check_shape(X)
        labels = self._places(y, len(samples), "the labels y")
        return -self._network().losses(samples, any_range=self.loss == "auto", labels=labels)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of ``score_samples``."""
        return float(self.score_samples(X, y).mean())

    def note_samples(self, X: Samples, labels: Array | None = None) -> None:
        """Keep what ``sample`` and ``fitted_to_`` need of X, checked samples that the network was trained on."""
        self._remember(X, labels)
        if self._fitted_to is not None:
            self._fitted_to = self._fitted_to.joined(SampleRecord.of(X))

    @property
    def fitted_to_(self) -> SampleRecord | None:
        """Hashes of samples that the model was fitted to; None where an earlier version of npae saved it."""
        self._network()
        return self._fitted_to

    def interpolate(self, a: Any, b: Any, steps: int = 9, *, labels: Any = None) -> Array:
        """Samples ``(steps, *shape)`` on the straight line between the codes of two samples, ends included.

        ``labels`` are those of a conditional model, as for ``sample``.
        """
        if whole_number(steps, "steps") < 2:
            raise ValueError(f"steps is {steps}; expected a whole number of at least 2, for both ends")
        for row in (a, b):
            check_columns(columns_of_row(row), self._network().columns)
        start, end = self._network().encode(self._flat_checked(stack_two(a, b)))
        t = np.linspace(0, 1, steps)[:, None]
        return self.inverse_transform((1 - t) * start + t * end, labels)

    # Helpers

    def _network(self) -> Autoencoder:
        return self.network_

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if hasattr(self, "training_"):
            state[OPTIMIZER_STATE] = self.training_.optimizer.kept_state()
        return state

    def _check_shape(self, X: Any) -> Samples:
        """X as an array with the columns of ``fit``."""
        self._network()
        self._warn_of_names(X)
        return self._flat_checked(X)

    def _flat_checked(self, X: Any) -> Samples:
        """X as an array; raises the errors whose wording scikit-learn prescribes, and the network checks the rest."""
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
