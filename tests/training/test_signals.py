"""Ctrl-C and SIGTERM stop training between two steps, a second one at once."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from helpers.small_models import data_for, unfitted

from npae import Checkpoints
from npae.estimators import AutoencoderEstimator
from npae.training.trainer import Training

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")

X = data_for("vanilla")


def sending(number: int, epoch: int = 2) -> Callable[[Training], None]:
    """A callback that sends a signal to this process after that epoch."""
    return lambda training: signal.raise_signal(number) if training.epoch == epoch else None


def model() -> AutoencoderEstimator:
    return unfitted("vanilla", epochs=9)


@contextmanager
def answered(number: int, answer: Any) -> Iterator[None]:
    before = signal.signal(number, answer)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_sigterm_ends_the_process_but_lets_it_clean_up(tmp_path: Path) -> None:
    interrupted = model()
    with (
        answered(signal.SIGTERM, signal.SIG_DFL),
        pytest.warns(UserWarning, match=r"stopped by SIGTERM in epoch 3; .* is kept; the checkpoint of step 6 in .*"),
        pytest.raises(SystemExit) as ended,
    ):
        interrupted.fit(X, callbacks=[sending(signal.SIGTERM)], checkpoints=Checkpoints(tmp_path, every="1h"))
    assert ended.value.code == 143
    assert interrupted.n_iter_ == 2
    assert interrupted.training_.interrupted
    resumed, whole = model().fit(X, checkpoints=Checkpoints(tmp_path, resume=True)), model().fit(X)
    assert resumed.network_.theta.tobytes() == whole.network_.theta.tobytes()


def test_a_second_sigterm_while_the_checkpoint_is_written_ends_the_process_as_the_first_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npae.training.checkpoint_file.write", lambda *_: signal.raise_signal(signal.SIGTERM))
    interrupted = model()
    with (
        answered(signal.SIGTERM, signal.SIG_DFL),
        pytest.warns(UserWarning, match="stopped by SIGTERM in epoch 3; .* no checkpoint was written to"),
        pytest.raises(SystemExit) as ended,
    ):
        interrupted.fit(X, callbacks=[sending(signal.SIGTERM)], checkpoints=Checkpoints(tmp_path, every="1h"))
    assert ended.value.code == 143


def test_pythons_signal_handlers_are_restored() -> None:
    with answered(signal.SIGTERM, signal.SIG_DFL), answered(signal.SIGINT, signal.default_int_handler):
        with pytest.warns(UserWarning, match="interrupted"):
            model().fit(X, callbacks=[sending(signal.SIGINT)])
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_waits_for_the_end_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    from npae.training.optimizers import Adam

    step, steps = Adam.step, []

    def pressed_within(self: Any, *arguments: Any) -> None:
        steps.append(1)
        if len(steps) == 5:  # the second step of the second epoch
            signal.raise_signal(signal.SIGINT)
        step(self, *arguments)

    monkeypatch.setattr(Adam, "step", pressed_within)
    interrupted = model()
    with answered(signal.SIGINT, signal.default_int_handler), pytest.warns(UserWarning, match="interrupted in epoch 2"):
        interrupted.fit(X)
    assert len(steps) == 5
    assert interrupted.network_.run.step == 5


def test_a_second_ctrl_c_does_not_wait_and_writes_nothing(tmp_path: Path) -> None:
    reached = []

    def twice(training: Training) -> None:
        signal.raise_signal(signal.SIGINT)
        reached.append(1)
        signal.raise_signal(signal.SIGINT)
        reached.append(2)

    interrupted = model()
    with (
        answered(signal.SIGINT, signal.default_int_handler),
        pytest.warns(UserWarning, match="interrupted in epoch 2; .* no checkpoint was written to"),
    ):
        interrupted.fit(X, callbacks=[twice], checkpoints=Checkpoints(tmp_path, every="1h"))
    assert reached == [1]
    assert interrupted.n_iter_ == 1
    assert Checkpoints(tmp_path).paths() == []


def test_signal_handlers_of_the_user_are_kept() -> None:
    got: list[int] = []
    with answered(signal.SIGTERM, lambda number, frame: got.append(number)), answered(signal.SIGINT, signal.SIG_IGN):
        trained = model().fit(X, callbacks=[sending(signal.SIGTERM), sending(signal.SIGINT)])
    assert got == [signal.SIGTERM]
    assert trained.n_iter_ == 9
    assert not trained.training_.interrupted


def test_training_in_another_thread_changes_no_signal_handlers() -> None:
    seen: list[Any] = []
    with answered(signal.SIGINT, signal.default_int_handler):
        look = lambda training: seen.append(signal.getsignal(signal.SIGINT))  # noqa: E731
        thread = threading.Thread(target=lambda: model().fit(X, callbacks=[look]))
        thread.start()
        thread.join()
    assert seen == [signal.default_int_handler] * 9


def test_ctrl_c_during_the_last_epoch_gives_a_warning() -> None:
    interrupted = model()
    with (
        answered(signal.SIGINT, signal.default_int_handler),
        pytest.warns(UserWarning, match="interrupted after the last"),
    ):
        interrupted.fit(X, callbacks=[sending(signal.SIGINT, epoch=9)])
    assert interrupted.training_.interrupted
