"""``fit`` and ``partial_fit``: from samples and parameters to a trained network."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from math import ceil, prod
from typing import Any, Self

from npae.estimators.changes import refuse_fixed, take_over
from npae.estimators.hints import hint_at_code, hint_at_data
from npae.estimators.parameters import checked, parameters_of
from npae.estimators.sample_record import GrowingRecord, SampleRecord
from npae.estimators.saving import OPTIMIZER_STATE
from npae.estimators.shared_parameters import SharedParameters
from npae.estimators.validation_data import data_with
from npae.network.autoencoder import Autoencoder
from npae.training.checkpoint import Checkpoints, checkpointing
from npae.training.optimizers import Optimizer, optimizer_by_name
from npae.training.ranks.agreement import Ranks
from npae.training.ranks.communicator import Communicator
from npae.training.ranks.joining import joined
from npae.training.replicas import effective_n_jobs
from npae.training.schedules import Constant, Schedule, Span, schedule_by_name
from npae.training.split import split_off
from npae.training.state import Data
from npae.training.trainer import Callback, Training
from npae.utils.bytes_as_numbers import are_whole, looks_like_images_of_bytes
from npae.utils.callers import level_of_caller
from npae.utils.columns import Columns, check_columns, columns_of
from npae.utils.not_numbers import refuse_parts
from npae.utils.randomness import check_random_state, seed_from
from npae.utils.samples import Samples
from npae.utils.sources import Source
from npae.utils.types import Array, Shape
from npae.utils.validation import check_numeric, check_samples, is_unit_interval
from npae.utils.wording import counted

#: Whole numbers up to it, and no farther, are all numbers of float32.
LARGEST_EXACT = 2**24


class FitMixin(SharedParameters):
    """Training of the network that ``make_network`` returns, and what a fitted estimator keeps of it."""

    training_: Training
    #: The parameters with which the network is trained, as they were given; they may be set to others at any time.
    _trained_with: dict[str, Any]
    #: First step and number of steps of a schedule that was chosen after ``fit``.
    _schedule_span: tuple[int, int] | None

    def make_network(self, input_shape: Shape, loss: str, n_steps_per_epoch: int) -> Autoencoder:
        """The unbuilt network of this type, with the estimator's parameters.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample: (features,), (height, width) or (height, width, channels).
        loss : {"bce", "mse"}
            Cross-entropy or squared error.
        n_steps_per_epoch : int
            Number of training steps of an epoch, for terms of the loss that grow over epochs.

        Returns
        -------
        Autoencoder
            To be built.

        Examples
        --------
        >>> import npae
        >>> npae.DeepAutoencoder(hidden=(4,), code_size=2).make_network((8,), "mse", 1).encoder.layers[-1]
        Dense(units=2, initializer='glorot_uniform')
        """
        raise NotImplementedError

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        callbacks: Sequence[Callback] = (),
        checkpoints: Checkpoints | None = None,
        validation: Any = None,
        ranks: str | Communicator | Ranks | None = None,
    ) -> Self:
        """Train on X with new parameters.

        Parameters
        ----------
        X : array-like of shape (n, features), (n, height, width) or (n, height, width, channels)
            With cross-entropy, values in [0, 1]. A sparse matrix of SciPy is made dense a batch at a time, and so is
            a source of ``npae.datasets``, which may be larger than memory. Masked cells, missing values and dates are
            refused.
        y : array-like of shape (n,), optional
            The labels of a conditional model: numbers or texts. Other models ignore it.
        callbacks : sequence of functions
            Each is called with the ``Training`` after each epoch; returning True ends it.
        checkpoints : Checkpoints, optional
            Where and how often the run is saved, so that it can be resumed. If ``random_state`` is None, a resumed run
            keeps its seed.
        validation : array-like of int, or samples, or a source, or a pair of samples and labels, optional
            In place of ``validation_fraction``: row numbers of X that are not trained on, or samples of their own; a
            conditional model needs their labels, which others ignore. Nothing is copied.
        ranks : "mpi", optional
            Train in all processes that ``mpiexec`` has started, each of which calls ``fit`` with the same data and
            parameters, and gets the same model: that of ``n_jobs`` times as many threads as there are processes.
            Callbacks are called in each; the first alone decides, writes checkpoints and warns. ``partial_fit`` goes
            on in each process alone. Needs ``npae[mpi]``.

        Returns
        -------
        AutoencoderEstimator
            This model, fitted.

        Raises
        ------
        ValueError
            If a parameter or X is not valid, or labels of a conditional model are missing.
        MemoryError
            If training does not fit in free memory.
        NonFiniteError
            If the loss or a parameter becomes NaN or infinite; the message says where.
        RankError
            If another process has failed, is gone, or has other data or parameters.
        """
        if ranks is not None and not isinstance(ranks, Ranks):
            with joined(ranks, checkpoints) as (together, shared):
                return self.fit(X, y, callbacks=callbacks, checkpoints=shared, validation=validation, ranks=together)
        self._checked()
        columns = columns_of(X)
        X = self._prepare(X, columns)
        classes, labels = self._numbered(y, len(X))
        seed = self._seed(checkpoints)
        if ranks is not None:
            seed = int(ranks.exchange(str(seed).encode())[0])
        data = self._divided(X, labels, classes, validation, seed)
        train = data.x
        training = self._new_training(X, len(train), seed, columns, classes, checkpoints, data.validation)
        if ranks is not None:
            training.join_ranks(ranks)
        hint_at_data(X, training.network)
        patience = self.patience if self.early_stopping else None
        model = self._description(seed) | self._class_record(classes)
        with checkpointing(checkpoints, training, data, patience=patience, model=model) as checkpoint_writer:
            self._adopt(training, classes)
            if len(train) < self.batch_size:
                are = "is" if len(train) == 1 else "are"
                warnings.warn(
                    f"{counted(len(train), 'sample')} {are} fewer than a batch of {self.batch_size}, so every epoch is "
                    f"one step; lower batch_size for more steps",
                    stacklevel=level_of_caller(),
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
                training.leave_ranks()
                self.note_samples(X, labels)
        if not training.interrupted:
            hint_at_code(self.network_, train, self.history_, self.network_.run.step)
        return self

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Train on X for one more epoch, at a constant learning rate.

        Parameters that were set after ``fit`` hold from now on, with all that was learned kept: ``learning_rate``,
        ``batch_size``, ``clip_norm``, ``n_jobs``, the optimizer, penalties and the level of noise. A ``schedule`` that
        was set after ``fit`` spans the next ``epochs`` calls with as many samples. Those that say what the network is
        made of, such as ``code_size`` and ``hidden``, are refused; ``patience``, ``early_stopping``,
        ``validation_fraction`` and ``random_state`` are for ``fit`` alone.

        The optimizer goes on with what it remembers, such as Adam's running means, also in a copy and after a pickle;
        in a model that ``save`` wrote and ``load`` read it begins afresh, unless ``save`` was told to keep it
        (``optimizer=True``).

        Parameters
        ----------
        X : array-like of shape ``(n, *shape)``
            As for ``fit``; from the second call on, of the shape of the first.
        y : array-like of shape (n,), optional
            The labels of a conditional model: the first call, or ``fit``, must have seen all that there are.

        Returns
        -------
        AutoencoderEstimator
            This model.

        Raises
        ------
        ValueError
            If X has another shape, is not finite or has unknown labels, or a parameter was set that only ``fit`` can
            change.
        NonFiniteError
            If the loss or a parameter becomes NaN or infinite.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, random_state=0)
        >>> model.partial_fit(X[:128]).partial_fit(X[128:]).n_iter_
        2
        """
        before = now = None if self._are_known() else self._checked()
        if hasattr(self, "network_"):
            self._warn_of_names(X)
            if now is not None:
                before = now if self._is_as_trained() else self._checked(self._trained_with)
                refuse_fixed(type(self), before, now, self.network_)
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
            if before != now:
                self._take_over_parameters(len(X))
        else:
            columns = columns_of(X)
            X = self._prepare(X, columns)
            classes, labels = self._numbered(y, len(X))
            self._adopt(self._new_training(X, len(X), seed_from(self.random_state), columns, classes), classes)
            hint_at_data(X, self.network_)
        self.training_.schedule = self._schedule_of_parts()
        try:
            self.training_.run(Data(X, labels), 1, verbose=self.verbose)
        finally:
            self._note(X, labels, is_part=True)
        return self

    def _divided(self, X: Samples, labels: Array | None, classes: Array | None, validation: Any, seed: int) -> Data:
        """What is trained on, and what is set aside."""
        fraction = self.validation_fraction
        if validation is None:
            fraction = (0.1 if self.early_stopping else 0.0) if fraction is None else fraction
            return Data(*split_off(X, labels, fraction, seed, self.shuffle))
        if fraction:
            raise ValueError(f"validation was given and validation_fraction is {fraction}; give one of the two")
        unit_interval = self._resolved_loss(X) == "bce"
        return data_with(validation, X, labels, classes, shuffle=self.shuffle, unit_interval=unit_interval)

    def _checked(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parameters, or earlier values of them, in Python's own numbers; a wrong one is refused."""
        return checked(type(self), vars(self) if values is None else values)

    def _are_known(self) -> bool:
        """Whether the parameters are those of a training in this process, which were checked when it began."""
        if "training_" not in vars(self) or not self._is_as_trained():
            return False
        check_random_state(self.random_state, "random_state")  # which is for fit alone, and may have been set since
        return True

    def _is_as_trained(self) -> bool:
        """Whether each parameter is the very object that training began with; False for a list or array, too."""
        present = vars(self)
        return all(present[name] is value for name, value in self._trained_with.items() if name != "random_state")

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
        self.training_.shuffle = self.shuffle
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
        is_source = isinstance(X, Source)
        if isinstance(X, list | tuple):
            refuse_parts(X)
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
            remedy = "give the source divide=255" if is_source else "fit X / 255"
            warnings.warn(
                f"X holds {numbers} of 0-255, probably images, which are learned better when they are divided by 255 "
                f"({remedy}, on the command line --divide 255)",
                stacklevel=level_of_caller(),
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
        validation: Samples | None = None,
    ) -> Training:
        """A new network for samples like those of X, about to be trained on ``n_train`` of them."""
        network = self.make_network(X.shape[1:], self._resolved_loss(X), ceil(n_train / self.batch_size))
        self._condition(network, 0 if classes is None else len(classes))
        if checkpoints is not None:
            checkpoints.take_over_gains(network)
        network.plan(X.shape[1:], seed=seed, dtype=X.dtype.name, recorded=self.recorded)
        network.columns = columns
        return self._training_of(network, n_train, {}, n_validation=0 if validation is None else len(validation))

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
            shuffle=self.shuffle,
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
        self._fitted_to = GrowingRecord(SampleRecord.none())
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

    def note_samples(self, X: Samples, labels: Array | None = None) -> None:
        """Keep what ``sample`` and ``fitted_to_`` need of samples that the network was trained on.

        ``fit`` calls it, and a training loop of your own must; ``partial_fit`` encodes fewer, 500 or as many as a
        mixture needs.

        Parameters
        ----------
        X : ndarray of shape ``(n, *shape)``, or rows of a sparse matrix
            As ``network_.check`` returns them.
        labels : ndarray of int64, shape (n,), optional
            Of a conditional model, as ``places_of`` returns them.

        Examples
        --------
        >>> import numpy as np
        >>> import npae
        >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
        >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X[:128])
        >>> model.note_samples(model.network_.check(X[128:]))
        >>> model.sample(3).shape  # drawn from the codes of the last 128 samples
        (3, 8)
        """
        self._note(X, labels, is_part=False)

    def _note(self, X: Samples, labels: Array | None, *, is_part: bool) -> None:
        self._remember(X, labels, is_part=is_part)
        if self._fitted_to is not None:
            self._fitted_to.add(X)

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
