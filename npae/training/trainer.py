"""Training of a network: its settings, the checks of ``fit``, and what ends a run early.

A run is a function of (data, configuration, seed): the order of the samples is drawn from (seed, epoch), all noise
from (seed, layer, step).
"""

import copy
import signal
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from npae.layers.aligned import zero_vector
from npae.network.autoencoder import Autoencoder
from npae.training.checkpoint import Checkpoints, CheckpointWriter, checkpointing
from npae.training.memory_estimate import check_memory
from npae.training.optimizers import Optimizer
from npae.training.order import order_of
from npae.training.ranks.agreement import Ranks
from npae.training.ranks.rank_replicas import RankReplicas
from npae.training.replicas import Replicas, ThreadReplicas, effective_n_jobs
from npae.training.run import TrainingRun, progress_bar
from npae.training.run_fingerprint import configuration, data_fingerprint
from npae.training.schedules import Constant, Schedule
from npae.training.signals import Stop
from npae.training.state import Data, EarlyStopping, Progress, TrainingState
from npae.utils.errors import RankError
from npae.utils.samples import Samples
from npae.utils.scalars import real_number, truth_value, whole_number
from npae.utils.types import Array

#: Called after each epoch with the training; training ends if it returns True.
Callback = Callable[["Training"], bool | None]


class Training(TrainingState):
    """Training of a network, with its optimizer, schedule and history.

    Parameters
    ----------
    network : Autoencoder
        Built, or only planned: then it is allocated here, once the memory is known to be there.
    optimizer : Optimizer
        A copy of it is used, with its state reset.
    schedule : function of the step, default constant
        Factor of the learning rate; see ``npae.training.schedules``. It is called up to a twentieth of a second ahead.
    batch_size : int, default 128
        Number of samples of a step; the last batch of an epoch may be smaller.
    clip_norm : float, optional
        Largest norm of the gradient; a larger gradient is scaled down to it. None for no limit.
    n_jobs : int, optional
        Number of threads among which every batch is divided; -1 for all processors. The random noise depends on it.
    history : dict, optional
        History of earlier epochs, to which new ones are appended in place.
    shuffle : {"auto", "global", "window"}, default "auto"
        The order of the samples; see ``npae.training.order``.
    n_samples, n_validation : int, default 0
        Numbers of samples that ``run`` will be given, for the estimate of memory; ``fit`` makes its own.

    Attributes
    ----------
    history : dict of str to list of float
        One entry for each epoch: "loss", its terms ("reconstruction", and "kl", "activity", "weight_decay" where
        present), "learning_rate", "seconds", and "validation_loss" where there is validation data. Losses are means
        over the epoch's samples, computed while the parameters change.
    interrupted : bool
        Whether Ctrl-C or SIGTERM ended the last ``fit``.
    last_finite_theta : ndarray of shape (size,)
        The parameters that are restored if a step gives NaN or infinity.

    Raises
    ------
    MemoryError
        If training does not fit in free memory; nothing is allocated.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> from npae.layers import Dense
    >>> from npae.training import Training
    >>> from npae.training.state import Data
    >>> net = npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
    >>> training = Training(net, npae.optimizers.Adam(0.01), batch_size=32)
    >>> x = np.ones((128, 5), dtype="float32")
    >>> training.fit(x, epochs=2)
    >>> len(training.history["loss"]), net.run.step
    (2, 8)
    >>> training.change(npae.optimizers.SGD(0.001), batch_size=64)
    >>> training.check_memory(n_samples=128)
    >>> training.run(Data(x), epochs=1)
    >>> net.run.step
    10
    """

    def __init__(
        self,
        network: Autoencoder,
        optimizer: Optimizer,
        *,
        schedule: Schedule = Constant(),  # noqa: B008 (immutable)
        batch_size: int = 128,
        clip_norm: float | None = None,
        n_jobs: int | None = None,
        history: dict[str, list[float]] | None = None,
        shuffle: str = "auto",
        n_samples: int = 0,
        n_validation: int = 0,
    ) -> None:
        # A copy, so that one optimizer can be given to several trainings.
        self.network, self.optimizer, self.schedule = network, copy.copy(optimizer), schedule
        self._set_batch(batch_size, clip_norm)
        self.shuffle = shuffle
        self.history: dict[str, list[float]] = {} if history is None else history
        self.interrupted = False
        self.n_jobs = effective_n_jobs(n_jobs)
        check_memory(
            network,
            self.optimizer.state_names,
            n_jobs=self.n_jobs,
            batch_size=self.batch_size,
            n_samples=n_samples,
            n_validation=n_validation,
        )
        if not network.arena.is_allocated:
            network.arena.allocate()
        self.optimizer.bind(network.arena)
        self._replicas: Replicas = ThreadReplicas(network, self.n_jobs)
        theta = network.theta
        self.last_finite_theta = zero_vector(theta.size, theta.dtype, number=2 + len(self.optimizer.state_names))
        self.last_finite_theta[...] = theta
        self._at_once: dict[int, int] = {}  # see ``TrainingRun``

    @property
    def n_shards(self) -> int:  # type: ignore[override]
        """Number of parts of a batch, on which the bits depend: ``n_jobs`` times the number of ranks."""
        return self._replicas.n_shards

    def join_ranks(self, ranks: Ranks) -> None:
        """From now on train together with other processes, each on ``n_jobs`` threads; all call the same methods.

        Parameters
        ----------
        ranks : Ranks
            The processes, and the place of this one.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> import npae
        >>> from npae.training import Training
        >>> from npae.training.ranks.agreement import Ranks
        >>> net = npae.recipes.vanilla((8,), code_size=2).build((8,))
        >>> training = Training(net, npae.optimizers.SGD(0.1))
        >>> training.join_ranks(Ranks(SimpleNamespace(rank=0, size=2)))
        >>> training.n_shards
        2
        """
        self._replicas = RankReplicas(self.network, self.n_jobs, ranks)

    def leave_ranks(self) -> None:
        """From now on train in this process alone.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> import npae
        >>> from npae.training import Training
        >>> from npae.training.ranks.agreement import Ranks
        >>> net = npae.recipes.vanilla((8,), code_size=2).build((8,))
        >>> training = Training(net, npae.optimizers.SGD(0.1))
        >>> training.join_ranks(Ranks(SimpleNamespace(rank=0, size=2)))
        >>> training.leave_ranks()
        >>> training.n_shards
        1
        """
        if isinstance(self._replicas, RankReplicas):
            self._replicas = ThreadReplicas(self.network, self.n_jobs)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse copies and pickles, which would share buffers with the network and its threads."""
        raise TypeError(
            "a Training cannot be copied or pickled; give fit a Checkpoints(folder) to save the run and resume it, or "
            "copy its network"
        )

    def _set_batch(self, batch_size: int, clip_norm: float | None) -> None:
        self.batch_size = whole_number(batch_size, "batch_size")
        self.clip_norm = None if clip_norm is None else real_number(clip_norm, "clip_norm", above=0)

    def change(
        self, optimizer: Optimizer, *, batch_size: int = 128, clip_norm: float | None = None, n_jobs: int | None = None
    ) -> None:
        """Go on with other settings; they are those of the constructor.

        An optimizer of the same type keeps what it remembers and takes over the new one's settings; one of another type
        starts afresh.

        Parameters
        ----------
        optimizer : Optimizer
        batch_size : int, default 128
        clip_norm : float, optional
        n_jobs : int, optional

        Raises
        ------
        ValueError
            If one of them is not valid.
        MemoryError
            If what they need does not fit in free memory.
        """
        n_jobs = effective_n_jobs(n_jobs)
        self._set_batch(batch_size, clip_norm)
        if type(optimizer) is type(self.optimizer):
            vars(self.optimizer).update(optimizer.settings)
        else:
            check_memory(self.network, optimizer.state_names, n_jobs=n_jobs)
            self.optimizer = copy.copy(optimizer)
            self.optimizer.bind(self.network.arena)
        if n_jobs != self.n_jobs:
            check_memory(self.network, (), n_jobs=n_jobs)
            self.n_jobs, self._replicas = n_jobs, ThreadReplicas(self.network, n_jobs)

    def fit(
        self,
        x: Samples,
        epochs: int,
        *,
        labels: Array | None = None,
        validation: Samples | None = None,
        validation_labels: Array | None = None,
        patience: int | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoints: Checkpoints | None = None,
        verbose: bool = False,
    ) -> None:
        """Train for ``epochs`` epochs, or until a callback, early stopping, a signal or an error ends the run.

        Parameters
        ----------
        x : ndarray of shape ``(n, *input_shape)``
        epochs : int
        labels : ndarray of int, shape (n,), optional
            Of a conditional network, as for ``Autoencoder.gradient``.
        validation : ndarray of shape ``(m, *input_shape)``, optional
            Its loss, without noise, is recorded after each epoch.
        validation_labels : ndarray of int, shape (m,), optional
            Of a conditional network.
        patience : int, optional
            Number of epochs without a lower validation loss after which training ends; the parameters with the lowest
            one are then restored.
        callbacks : sequence of functions
            Each is called with this object after each epoch; returning True ends training.
        checkpoints : Checkpoints, optional
            Where and how often the run is saved, so that it can be resumed.
        verbose : bool, default False
            Show a progress bar with loss and samples per second.

        Raises
        ------
        CheckpointError, FileFormatError, OSError
            If the run cannot be resumed from the checkpoints in the folder, or cannot write any.
        SystemExit
            After SIGTERM, with code 143: training has stopped between two steps and written a checkpoint.
        NonFiniteError
            If the loss or a parameter is NaN or infinite; the parameters are set back to those at the start of this
            epoch, or, where its first loss is not finite, of the one before.
        """
        whole_number(epochs, "epochs")
        if patience is not None:
            patience = whole_number(patience, "patience")
            if validation is None:
                raise ValueError(f"patience is {patience} but there is no validation data to wait for; give validation")
        verbose = truth_value(verbose, "verbose")
        x, check_labels = self.network.check(x, as_target=True), self.network.condition.check
        labels = check_labels(labels, len(x))
        if validation is not None:
            validation = self.network.check(validation, as_target=True)
            validation_labels = check_labels(validation_labels, len(validation))
        self.check_memory(len(x), 0 if validation is None else len(validation))
        data = Data(x, labels, validation, validation_labels)
        with checkpointing(checkpoints, self, data, patience=patience) as checkpoint_writer:
            self.run(
                data,
                epochs,
                patience=patience,
                callbacks=callbacks,
                checkpoint_writer=checkpoint_writer,
                verbose=verbose,
            )

    def check_memory(self, n_samples: int, n_validation: int = 0) -> None:
        """Raise MemoryError if training on so many samples does not fit in free memory.

        Parameters
        ----------
        n_samples, n_validation : int
            Numbers of samples for training and for validation, 0 by default for the latter.

        Raises
        ------
        MemoryError
            If it does not fit; nothing is allocated.
        """
        check_memory(
            self.network,
            n_jobs=self.n_jobs,
            batch_size=self.batch_size,
            n_samples=n_samples,
            n_validation=n_validation,
        )

    def run(
        self,
        data: Data,
        epochs: int,
        *,
        patience: int | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint_writer: CheckpointWriter | None = None,
        verbose: bool = False,
    ) -> None:
        """Train as ``fit`` does, without its checks of arguments and memory.

        Parameters
        ----------
        data : Data
            Samples, and labels and validation data where there are any, as ``network.check`` returns them.
        epochs : int
        patience : int, optional
            Number of epochs without a lower validation loss after which training ends; None for no early stopping.
        callbacks : sequence of functions
            Each is called with this training after each epoch; returning True ends it.
        checkpoint_writer : CheckpointWriter, optional
            Made by ``checkpointing`` for the same arguments.
        verbose : bool, default False
            Whether a progress bar is shown.

        Raises
        ------
        NonFiniteError
            If the loss or a parameter becomes NaN or infinite; the message says where.
        RankError
            If another process of the same training has failed or is gone.
        """
        progress = (checkpoint_writer and checkpoint_writer.resumed) or Progress(
            EarlyStopping(self.network.theta, patience), self.epoch
        )
        until = progress.first_epoch + epochs
        self.interrupted = False
        replicas, total = self._replicas, (until - self.epoch) * len(data.x)
        order = order_of(data.x, self.network.run.seed, self.batch_size, self.shuffle)
        run = TrainingRun(self, replicas, data, order, progress, checkpoint_writer, self._at_once)
        replicas.begin(lambda: configuration(self, patience) | order.description() | data_fingerprint(data))
        with replicas.stop_on_signals() as stop, progress_bar(total, verbose and replicas.is_first) as bar:
            try:
                run.epochs(until, callbacks, stop, bar)
            except KeyboardInterrupt:
                self.interrupted = True
                if checkpoint_writer is not None and not stop.is_urgent:
                    with suppress(KeyboardInterrupt):  # a second Ctrl-C cancels writing the checkpoint
                        checkpoint_writer.write_now(progress)
            except RankError as error:
                if checkpoint_writer is None:
                    raise
                checkpoint_writer.write_now(progress)
                raise type(error)(f"{error}; {checkpoint_writer.advice()}") from None
            finally:
                run.release()
        if patience is not None:
            progress.early_stopping.restore()
        is_over = progress.is_stopped or self.epoch >= until
        self._warn_or_exit(stop, checkpoint_writer, "after the last epoch" if is_over else f"in epoch {self.epoch + 1}")

    def _warn_or_exit(self, stop: Stop, checkpoint_writer: CheckpointWriter | None, when: str) -> None:
        """Warn that training was interrupted; after SIGTERM end the process with code 143."""
        self.interrupted = self.interrupted or stop.signal is not None
        if self.interrupted:
            what = "stopped by SIGTERM" if stop.signal == signal.SIGTERM else "interrupted"
            there = "" if checkpoint_writer is None else f"; {checkpoint_writer.advice()}"
            warnings.warn(f"{what} {when}; what was learned until then is kept{there}", stacklevel=3)
        if stop.signal == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
