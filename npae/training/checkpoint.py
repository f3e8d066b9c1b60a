"""Checkpoints: save a run at intervals, and resume it to the same bits."""

import os
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from npae.layers import Conv2D, Dense
from npae.layers.initializers import checked_gain
from npae.network.autoencoder import Autoencoder
from npae.storage.model_file import StoredModel
from npae.training import checkpoint_file
from npae.training.nan_diagnosis import save_diagnosis
from npae.training.order import order_of
from npae.training.run_fingerprint import as_json, configuration, data_fingerprint, differences, summarise
from npae.training.state import Data, Progress, TrainingState
from npae.utils.errors import CheckpointError, FileFormatError, NonFiniteError, one_line
from npae.utils.files import damaged_name, is_in_use, make_folder, persistently, remove_unfinished
from npae.utils.folder_lock import locked
from npae.utils.scalars import truth_value, whole_number
from npae.utils.version import __version__

DIGITS = 12  # of the step in a file name, so that names sort by step; other files are not taken for checkpoints
PATTERN = f"checkpoint-{'[0-9]' * DIGITS}.safetensors"
SECONDS = {"s": 1, "m": 60, "h": 3600}


class Checkpoints:
    """Settings of checkpoints: in which folder and how often a run is saved, and whether it is resumed.

    A checkpoint has the parameters, the state of the optimizer and of early stopping, the step, the history, the
    configuration of the run, and fingerprints of its data. The state of user-defined callbacks is not saved.
    Checkpoints are written atomically; ``npae.load`` reads one as the model at that step.

    A resumed run gives the same bits as an uninterrupted one, on the same machine with the same versions, except for
    "seconds" in the history. ``epochs`` may be larger than before, unless the schedule depends on their number: the run
    then ends as if it had been started with the larger number.

    Parameters
    ----------
    folder : str or Path
        A separate one for each run; it is made if it does not exist. Only one process at a time can use it.
    every : int or str, default 1
        Number of epochs between two checkpoints, or a time such as "90s", "10m" or "2h", which is checked after each
        step, of short steps about twenty times a second. A checkpoint is always written at the end of the run, after
        Ctrl-C and after SIGTERM.
    keep : int, default 3
        Number of newest checkpoints that are kept.
    resume : bool, default False
        Resume from the newest checkpoint in the folder, or start a new run if there is none. If False, a folder with
        checkpoints is refused.
    replace : bool, default False
        Remove the checkpoints in the folder as soon as the new run has been checked and begins. Without ``resume`` and
        ``replace``, a folder that holds checkpoints is refused.

    Attributes
    ----------
    resumed_from : Path or None
        The checkpoint from which the last run was resumed.

    Raises
    ------
    ValueError
        If both ``resume`` and ``replace`` are given, or ``every`` or ``keep`` is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> checkpoints = npae.Checkpoints("runs/random/checkpoints", every=2, resume=True)
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=4, random_state=0).fit(X, checkpoints=checkpoints)
    >>> [path.suffix for path in checkpoints.paths()]
    ['.safetensors', '.safetensors']
    >>> checkpoints.newest().record["step"], checkpoints.seed()
    (8, 0)
    >>> checkpoints.to_be_resumed().network().code_shape
    (2,)
    >>> checkpoints.remove()
    >>> checkpoints.paths()
    []
    """

    def __init__(
        self, folder: str | Path, *, every: int | str = 1, keep: int = 3, resume: bool = False, replace: bool = False
    ) -> None:
        if resume and replace:
            raise ValueError("resume goes on with the checkpoints that replace would remove; give one of the two")
        self.folder = Path(folder)
        self.every_epochs, self.every_seconds = _interval(every)
        whole_number(keep, "keep")
        self.keep, self.resume = keep, truth_value(resume, "resume")
        self.replace = truth_value(replace, "replace")
        self.resumed_from: Path | None = None
        self.is_written = True  # not on a rank but the first, which only resumes from it

    def paths(self) -> list[Path]:
        """The checkpoints in the folder, oldest first.

        Returns
        -------
        list of Path
        """
        return sorted(self.folder.glob(PATTERN))

    def remove(self) -> None:
        """Remove the checkpoints in the folder, oldest first."""
        for path in self.paths():
            _remove(path)

    def seed(self) -> int | None:
        """The seed of the run that will be resumed; None for a new run.

        Returns
        -------
        int or None
        """
        stored = self.to_be_resumed()
        return None if stored is None else stored.seed()

    def take_over_gains(self, network: Autoencoder) -> None:
        """Give an unbuilt network the gains of the run that will be resumed: an earlier npae may have chosen others.

        A network of other layers is refused later, by ``checkpointing``.

        Parameters
        ----------
        network : Autoencoder
            Its layers get other gains.

        Examples
        --------
        >>> from npae import Checkpoints, recipes
        >>> network = recipes.vanilla((8,), code_size=2)
        >>> Checkpoints("runs/new", resume=True).take_over_gains(network)  # no checkpoints: nothing changes
        """
        stored = self.to_be_resumed()
        if stored is None:
            return
        with stored.errors_as_file_errors():
            for slot, chain in (("encoder", network.encoder), ("decoder", network.decoder)):
                for layer, config in zip(chain.layers, stored.record["network"][slot], strict=False):
                    if isinstance(layer, Dense | Conv2D) and config["type"] == type(layer).__name__:
                        layer.gain = checked_gain(config.get("gain", 1.0))

    def to_be_resumed(self) -> StoredModel | None:
        """The newest checkpoint that can be read, if the run is to be resumed and there is any.

        Returns
        -------
        StoredModel or None
        """
        for path in reversed(self.paths() if self.resume else []):
            try:
                return checkpoint_file.read(path)
            except FileFormatError:  # reported by ``newest``
                continue
        return None

    def newest(self) -> StoredModel:
        """The newest checkpoint that can be read; those that cannot are set aside.

        Returns
        -------
        StoredModel

        Raises
        ------
        FileFormatError
            If none can be read.
        """
        damaged: list[tuple[Path, str]] = []
        for path in reversed(self.paths()):
            try:
                stored = checkpoint_file.read(path)
            except FileFormatError as error:
                damaged.append((path, str(error)))  # the error itself would keep the file open
                continue
            for broken, reason in damaged:
                warnings.warn(f"{reason}; {_set_aside(broken)}, and the run goes on from {path.name}", stacklevel=2)
            return stored
        raise FileFormatError(
            f"none of the checkpoints in {self.folder} can be read ({damaged[0][1]}); begin anew in another folder"
        )


class CheckpointWriter:
    """Writes the checkpoints of one run.

    Attributes
    ----------
    resumed : Progress or None
        The restored progress of a resumed run.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        training: TrainingState,
        resumed: Progress | None,
        identity: Mapping[str, Any],
        model: Mapping[str, Any],
    ) -> None:
        self.resumed = resumed
        self._checkpoints, self._training, self._identity, self._model = checkpoints, training, identity, model
        self._last_step, self._last_time = -1, time.monotonic()

    def after_step(self, progress: Progress) -> None:
        """Called after steps, but not after an epoch's last: write a checkpoint when one is due by time."""
        if self._time_has_come():
            self.write(progress)

    def after_epoch(self, progress: Progress, is_last: bool) -> None:
        """Called after every epoch: write a checkpoint when one is due, or at the end of the run."""
        every = self._checkpoints.every_epochs
        of_the_run = self._training.epoch - progress.first_epoch
        if is_last or self._time_has_come() or (every is not None and of_the_run % every == 0):
            self.write(progress)

    def _time_has_come(self) -> bool:
        seconds = self._checkpoints.every_seconds
        return seconds is not None and time.monotonic() - self._last_time >= seconds

    def write_now(self, progress: Progress) -> None:
        """Called when the run is interrupted: write a checkpoint unless this step has one."""
        if progress.is_consistent and self._training.network.run.step != self._last_step:
            self.write(progress)

    def advice(self) -> str:
        """A sentence that says where the run can be resumed."""
        if self._last_step < 0:
            return f"no checkpoint was written to {self._checkpoints.folder} this time"
        return f"the checkpoint of step {self._last_step} in {self._checkpoints.folder} is where the run can go on"

    def write(self, progress: Progress) -> None:
        """Write a checkpoint, then remove the oldest ones."""
        if not self._checkpoints.is_written:
            return
        checkpoints, step = self._checkpoints, self._training.network.run.step
        path = checkpoints.folder / f"checkpoint-{step:0{DIGITS}}.safetensors"
        try:
            checkpoint_file.write(path, self._training, progress, self._identity, self._model)
            # A newer one is damaged, and could not be renamed.
            for old in [old for old in checkpoints.paths() if old.name <= path.name][: -checkpoints.keep]:
                _remove(old)
        except OSError as error:
            raise OSError(
                f"training stopped in epoch {self._training.epoch + 1}, since a checkpoint could not be written: "
                f"{error}; what was learned until then is kept, and the checkpoints before are as they were"
            ) from None
        self._last_step, self._last_time = step, time.monotonic()


@contextmanager
def checkpointing(
    checkpoints: Checkpoints | None,
    training: TrainingState,
    data: Data,
    *,
    patience: int | None = None,
    model: Mapping[str, Any] | None = None,
) -> Iterator[CheckpointWriter | None]:
    """Lock the folder, restore the newest checkpoint when resuming, and yield the writer (None without checkpoints).

    Parameters
    ----------
    checkpoints : Checkpoints or None
    training : Training
    data : Data
    patience : int, optional
    model : mapping, optional
        Further content of the files, such as the estimator's name and parameters.

    Raises
    ------
    CheckpointError
        If the checkpoints in the folder belong to another run.
    FileFormatError
        If all of them are damaged.
    OSError
        If the folder is not writable, or another process uses it.
    """
    if checkpoints is None:
        yield None
        return
    folder = make_folder(checkpoints.folder)
    with locked(folder):
        remove_unfinished(folder, PATTERN)
        order = order_of(data.x, training.network.run.seed, training.batch_size, training.shuffle)
        known = {**configuration(training, patience), **order.description()}
        identity = {"configuration": known, "data": data_fingerprint(data)}
        progress = checkpoints.resumed_from = None
        if checkpoints.replace:
            checkpoints.remove()
        if checkpoints.paths() and not checkpoints.resume:
            raise CheckpointError(
                f"{folder} holds checkpoints of a run already; go on with it (resume=True, on the command line "
                f"--resume), or choose another folder"
            )
        if checkpoints.paths():
            # The file is closed at once: while it is mapped, its disk space is not freed.
            progress = _resume(checkpoints, training, len(data.x), patience, identity, model or {})
        try:
            yield CheckpointWriter(checkpoints, training, progress, identity, model or {})
        except NonFiniteError as error:
            raise save_diagnosis(error, folder) from error


def _resume(
    checkpoints: Checkpoints,
    training: TrainingState,
    n: int,
    patience: int | None,
    identity: Mapping[str, Any],
    model: Mapping[str, Any],
) -> Progress:
    """Restore the newest checkpoint; raises CheckpointError if it belongs to another run."""
    stored = checkpoints.newest()
    _refuse_another_run(stored, identity, model)
    progress = checkpoint_file.restore(stored, training, n, patience)
    checkpoints.resumed_from = stored.path
    return progress


def _refuse_another_run(stored: StoredModel, identity: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    with stored.errors_as_file_errors():
        before = stored.record["moment"]["identity"]
        found = differences(before["configuration"], identity["configuration"])
        data = differences(before["data"], identity["data"])
        if found or data:  # named as the estimator's parameters, if there is an estimator
            # More epochs make another run only if a schedule depends on them, and then the configuration differs.
            harmless = {"verbose": False, "recorded": True, **({} if found else {"epochs": 0})}
            earlier = {"shuffle": "auto"} if "params" in stored.record else {}  # an earlier npae did not know of it
            then, now = ({**earlier, **kind.get("params", {}), **harmless} for kind in (stored.record, model))
            found = differences(then, as_json(now)) or found
        found += data
        version = stored.record["version"]
    if found:
        raise CheckpointError(
            f"{stored.path} is a checkpoint of another run: {one_line(summarise(found), 600)}; give what it had, or "
            f"another folder"
        )
    if version != __version__:
        warnings.warn(
            f"{stored.path.name} was written by npae {one_line(version, 20)}, and this is {__version__}: the run goes "
            f"on, but the last bits may differ",
            stacklevel=2,
        )


def _set_aside(broken: Path) -> str:
    """Rename a damaged checkpoint; returns a sentence that says so."""
    aside = damaged_name(broken)
    try:
        persistently(os.replace, broken, aside)
    except OSError as error:
        if not is_in_use(error):
            raise
        return "another program has it open, so that it keeps its name"
    return f"it is now {aside.name}"


def _remove(old: Path) -> None:
    """Remove an old checkpoint; one that another program has open is tried again at the next write."""
    try:
        old.unlink(missing_ok=True)
    except OSError as error:
        if not is_in_use(error):
            raise
        warnings.warn(f"{old} stays until the program that has it open closes it", stacklevel=2)


def _interval(every: int | str) -> tuple[int | None, float | None]:
    """(epochs, None) or (None, seconds)."""
    if isinstance(every, str) and not every.isdecimal():
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", every)
        seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
        if seconds <= 0:
            raise ValueError(f'every is {every!r}; expected a number of epochs, or a time such as "90s", "10m" or "2h"')
        return None, seconds
    epochs = int(every) if isinstance(every, str) else every
    whole_number(epochs, "every")
    return epochs, None
