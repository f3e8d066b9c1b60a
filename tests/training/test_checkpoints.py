"""Checkpoints: a resumed run gives the bits of an uninterrupted one, and a different run is refused."""

import math
import shutil
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import windows
from helpers.single_steps import single_steps
from helpers.small_models import TYPES, data_for, samples, unfitted
from hypothesis import given, settings
from hypothesis import strategies as st

import npae
from npae import Autoencoder, Checkpoints
from npae.estimators import AutoencoderEstimator
from npae.layers import Dense, GaussianNoise, ReLU, Tanh
from npae.training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from npae.training.replicas import ThreadReplicas
from npae.training.run_fingerprint import summarise
from npae.training.schedules import Cosine, WarmUp
from npae.training.trainer import Training
from npae.utils.errors import CheckpointError, FileFormatError, NonFiniteError

ALWAYS = "0.000001s"  # after every step
EPOCHS = 4


class PowerCut(BaseException):
    """Nothing gets another chance."""


def cut_off(monkeypatch: pytest.MonkeyPatch, step: int, by: type[BaseException] = PowerCut) -> None:
    """Let training end before it takes its ``step``-th step from here on, counted from 0."""
    gradient, steps = ThreadReplicas.gradient, []

    def until_then(self: ThreadReplicas, chosen: Any) -> float:
        steps.append(1)
        if len(steps) > step:
            raise by
        return gradient(self, chosen)

    single_steps(monkeypatch, until_then)


def bits(training: Training) -> dict[str, Any]:
    """All that two equal runs have in common."""
    history = {name: np.array(values).tobytes() for name, values in training.history.items() if name != "seconds"}
    state = {name: vector.tobytes() for name, vector in training.optimizer.state.items()}
    net = training.network
    return {
        "theta": net.theta.tobytes(),
        "good theta": training.last_finite_theta.tobytes(),
        "step": net.run.step,
        "steps": training.optimizer.steps,
        "settings": training.optimizer.settings,
        **history,
        **state,
    }


def cut_and_resumed(make: Any, fit: Any, folder: Path, cuts: list[int], *, every: int | str, by: Any) -> Any:
    """The result of ``fit(make(), checkpoints)`` with one cut after another, each after so many more steps."""
    for n_before, cut in enumerate(cuts):
        with pytest.MonkeyPatch.context() as monkeypatch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cut_off(monkeypatch, cut, by)
            with suppress(PowerCut):
                fit(make(), Checkpoints(folder, every=every, resume=n_before > 0))
    result = make()
    fit(result, Checkpoints(folder, every=every, resume=True))
    return result


# Resuming is exact

SETTINGS: dict[str, dict[str, Any]] = {
    "vanilla": {"optimizer": "sgd", "momentum": 0.9, "schedule": "step", "weight_decay": 1e-3, "learning_rate": 0.05},
    "deep": {"optimizer": "adamw", "weight_decay": 0.1, "clip_norm": 0.5, "activity_l1": 1e-3},
    "convolutional": {"optimizer": "rmsprop", "validation_fraction": 0.2, "clip_norm": 1.0},
    "denoising": {"optimizer": "adam", "schedule": "cosine", "early_stopping": True, "patience": 1},
    "variational": {"optimizer": "adam", "schedule": "warm_up", "early_stopping": True, "beta_warm_up": 2},
}
UNBROKEN: dict[Any, Any] = {}


def fit_of(kind: str) -> Any:
    X = data_for(kind, 45)

    def fit(model: AutoencoderEstimator, checkpoints: Checkpoints | None) -> None:
        model.fit(X, checkpoints=checkpoints)

    return fit


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=5)
@given(
    cuts=st.lists(st.integers(0, 26), min_size=1, max_size=3),
    every=st.sampled_from([ALWAYS, 1, 2, "1h"]),
    by=st.sampled_from([PowerCut, KeyboardInterrupt]),
)
def test_a_run_that_was_cut_off_ends_with_the_same_bits(
    tmp_path_factory: pytest.TempPathFactory, kind: str, n_jobs: int, cuts: list[int], every: Any, by: Any
) -> None:
    def make() -> AutoencoderEstimator:
        return unfitted(kind, **SETTINGS[kind], epochs=EPOCHS, n_jobs=n_jobs)

    fit, folder = fit_of(kind), tmp_path_factory.mktemp("run")
    if (kind, n_jobs) not in UNBROKEN:
        model = make()
        fit(model, None)
        UNBROKEN[kind, n_jobs] = bits(model.training_), model.sample(3).tobytes(), model.n_iter_
    result = cut_and_resumed(make, fit, folder / "checkpoints", cuts, every=every, by=by)
    assert (bits(result.training_), result.sample(3).tobytes(), result.n_iter_) == UNBROKEN[kind, n_jobs]
    shutil.rmtree(folder)


WIDTH = 12
X = samples(22, WIDTH)
OTHER = 1 - samples(10, WIDTH, seed=1)


def noisy() -> Autoencoder:
    return Autoencoder(
        [Dense(6), Tanh(), Dense(3)], [Dense(WIDTH)], loss="mse", corrupt=[GaussianNoise(0.3)], weight_decay=1e-3
    ).build((WIDTH,), seed=3)


def training_of(optimizer: Optimizer | None = None, **options: Any) -> Training:
    return Training(noisy(), optimizer or Adam(1e-2), **{"batch_size": 5, **options})


@pytest.mark.parametrize("optimizer", [SGD(1e-2), SGD(1e-2, momentum=0.9), Adam(1e-2), AdamW(1e-2), RMSprop(1e-2)])
@pytest.mark.parametrize("cut", [1, 4, 5, 7, 19])
def test_every_optimizer_resumes_with_its_state(optimizer: Optimizer, cut: int, tmp_path: Path) -> None:
    def make() -> Training:
        return training_of(optimizer, schedule=WarmUp(3, Cosine(20)), clip_norm=0.5)

    unbroken = make()
    unbroken.fit(X, EPOCHS)
    for every in (1, ALWAYS):
        result = cut_and_resumed(
            make, lambda t, c: t.fit(X, EPOCHS, checkpoints=c), tmp_path / str(every), [cut], every=every, by=PowerCut
        )
        assert bits(result) == bits(unbroken)


@pytest.mark.parametrize("cut", [3, 40, 52])
def test_early_stopping_resumes_with_its_count_and_best_parameters(cut: int, tmp_path: Path) -> None:
    def fit(training: Training, checkpoints: Checkpoints | None) -> None:
        training.fit(X, 300, validation=OTHER, patience=3, checkpoints=checkpoints)

    unbroken = training_of(Adam(0.05))
    fit(unbroken, None)
    assert 10 < unbroken.epoch < 300
    result = cut_and_resumed(lambda: training_of(Adam(0.05)), fit, tmp_path / "c", [cut], every=ALWAYS, by=PowerCut)
    assert bits(result) == bits(unbroken)
    again = training_of(Adam(0.05))  # the run has ended, and goes on ending
    fit(again, Checkpoints(tmp_path / "c", resume=True))
    assert bits(again) == bits(unbroken)


def test_a_learning_rate_that_a_callback_has_changed_is_kept(tmp_path: Path) -> None:
    def halve(training: Training) -> None:
        training.optimizer.learning_rate /= 2

    def fit(training: Training, checkpoints: Checkpoints | None) -> None:
        training.fit(X, EPOCHS, callbacks=[halve], checkpoints=checkpoints)

    unbroken = training_of()
    fit(unbroken, None)
    result = cut_and_resumed(training_of, fit, tmp_path / "c", [12], every=ALWAYS, by=PowerCut)
    assert bits(result) == bits(unbroken)


def test_a_run_that_a_callback_ended_is_not_resumed(tmp_path: Path) -> None:
    training = training_of()
    training.fit(X, 9, callbacks=[lambda t: t.epoch == 2], checkpoints=Checkpoints(tmp_path / "c", every="1h"))
    again = training_of()
    again.fit(X, 9, checkpoints=Checkpoints(tmp_path / "c", resume=True))
    assert again.epoch == 2
    assert bits(again) == bits(training)


def test_ctrl_c_in_a_callback_of_a_stalled_epoch_does_not_undo_the_end(tmp_path: Path) -> None:
    def press(training: Training) -> None:
        if training.history["validation_loss"][-1] > min(training.history["validation_loss"]):
            raise KeyboardInterrupt

    training = training_of(Adam(0.05))
    with pytest.warns(UserWarning, match=r"interrupted.*the checkpoint of step \d+ in .*c is where the run can go on"):
        training.fit(
            X, 300, validation=OTHER, patience=1, callbacks=[press], checkpoints=Checkpoints(tmp_path / "c", every=999)
        )
    again = training_of(Adam(0.05))
    again.fit(X, 300, validation=OTHER, patience=1, checkpoints=Checkpoints(tmp_path / "c", resume=True))
    assert bits(again) == bits(training)


def test_ctrl_c_within_a_step_writes_no_checkpoint_of_half_a_step(tmp_path: Path) -> None:
    """As where the user's own handler of Ctrl-C raises KeyboardInterrupt: the parameters are a step ahead."""
    step = Adam.step

    def pressed_within(self: Adam, *arguments: Any) -> None:
        step(self, *arguments)
        if self.steps == 8:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Adam, "step", pressed_within)
        with pytest.warns(UserWarning, match=r"interrupted in epoch 2; .*the checkpoint of step 5 in "):
            training_of().fit(X, EPOCHS, checkpoints=Checkpoints(tmp_path))
    assert names(tmp_path) == numbered(5)
    resumed, unbroken = training_of(), training_of()
    resumed.fit(X, EPOCHS, checkpoints=Checkpoints(tmp_path, resume=True))
    unbroken.fit(X, EPOCHS)
    assert bits(resumed) == bits(unbroken)


def test_numbers_that_are_not_finite_are_restored(tmp_path: Path) -> None:
    def fit(training: Training, checkpoints: Checkpoints | None) -> None:
        training.history.update({"loss": [math.inf], "own": [math.nan]})
        training.fit(X, 2, checkpoints=checkpoints)

    unbroken = training_of()
    fit(unbroken, None)
    assert bits(unbroken) == bits(cut_and_resumed(training_of, fit, tmp_path, [7], every=1, by=PowerCut))
    assert unbroken.history["loss"][0] == math.inf
    assert np.isnan(unbroken.history["own"]).all()


def test_a_run_resumed_for_more_epochs_equals_one_started_with_them(tmp_path: Path) -> None:
    short, long, extended = training_of(), training_of(), training_of()
    short.fit(X, 2, checkpoints=Checkpoints(tmp_path))
    long.fit(X, 5)
    extended.fit(X, 5, checkpoints=Checkpoints(tmp_path, resume=True))
    assert bits(extended) == bits(long)


def test_seconds_of_an_epoch_in_two_parts_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("npae.training.state.time.perf_counter", lambda: clock[0])

    def tick(step: int) -> float:
        clock[0] += 1
        return 1.0

    training = training_of(schedule=tick)
    training.fit(X, 1)
    (whole,) = training.history["seconds"]
    make = lambda: training_of(schedule=tick)  # noqa: E731
    result = cut_and_resumed(make, lambda t, c: t.fit(X, 1, checkpoints=c), tmp_path, [3], every=ALWAYS, by=PowerCut)
    assert whole <= result.history["seconds"][0] <= whole + 2  # the schedule is asked once more for each part


def test_without_a_seed_a_run_that_goes_on_keeps_the_one_it_drew(tmp_path: Path) -> None:
    def fit(model: AutoencoderEstimator, checkpoints: Checkpoints | None) -> None:
        model.fit(data_for("vanilla"), checkpoints=checkpoints)

    first = unfitted("vanilla", random_state=None, epochs=3)
    fit(first, Checkpoints(tmp_path / "c"))
    for path in Checkpoints(tmp_path / "c").paths()[1:]:
        path.unlink()
    second = unfitted("vanilla", random_state=None, epochs=3)
    checkpoints = Checkpoints(tmp_path / "c", resume=True)
    fit(second, checkpoints)
    assert bits(second.training_) == bits(first.training_)
    assert checkpoints.resumed_from == tmp_path / "c" / "checkpoint-000000000003.safetensors"


# What is in the folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbered(*steps: int) -> list[str]:
    return [f"checkpoint-{step:012}.safetensors" for step in steps]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, [25, 30, 35]),
        ({"keep": 1}, [35]),
        ({"keep": 99}, [5, 10, 15, 20, 25, 30, 35]),
        ({"every": 3}, [15, 30, 35]),
        ({"every": "3"}, [15, 30, 35]),
        ({"every": 99}, [35]),
        ({"every": "2h"}, [35]),
        ({"every": ALWAYS, "keep": 4}, [32, 33, 34, 35]),
    ],
)
def test_the_last_few_checkpoints_are_kept(options: dict[str, Any], steps: list[int], tmp_path: Path) -> None:
    training_of().fit(X, 7, checkpoints=Checkpoints(tmp_path / "new" / "folder", **options))
    assert names(tmp_path / "new" / "folder") == numbered(*steps)


def test_a_checkpoint_is_a_model_file(tmp_path: Path) -> None:
    model = unfitted("deep", epochs=3).fit(data_for("deep"), checkpoints=Checkpoints(tmp_path))
    loaded = npae.load(Checkpoints(tmp_path).paths()[-1])
    assert loaded.network_.theta.tobytes() == model.network_.theta.tobytes()
    assert loaded.history_ == model.history_
    assert loaded.get_params() == model.get_params()
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path / "bare"))
    assert isinstance(npae.load(Checkpoints(tmp_path / "bare").paths()[0]), Autoencoder)


def test_what_a_killed_process_had_begun_to_write_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint-000000000005.safetensors.x1y2").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    assert names(tmp_path) == [*numbered(5), "notes.txt"]


def test_resuming_without_checkpoints_starts_a_new_run(tmp_path: Path) -> None:
    training, plain = training_of(), training_of()
    checkpoints = Checkpoints(tmp_path / "c", resume=True)
    training.fit(X, 2, checkpoints=checkpoints)
    plain.fit(X, 2)
    assert checkpoints.resumed_from is None
    assert bits(training) == bits(plain)


def test_files_with_other_names_are_not_taken_for_checkpoints(tmp_path: Path) -> None:
    training_of().fit(X, 2, checkpoints=Checkpoints(tmp_path))
    shutil.copy(tmp_path / numbered(5)[0], tmp_path / "checkpoint-best.safetensors")
    checkpoints = Checkpoints(tmp_path, keep=1, resume=True)
    training_of().fit(X, 4, checkpoints=checkpoints)
    assert checkpoints.resumed_from == tmp_path / numbered(10)[0]
    assert names(tmp_path) == [*numbered(20), "checkpoint-best.safetensors"]


# Damage


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        del content[len(content) // 2 :]
    elif how == "flipped":
        content[-5] ^= 4
    elif how == "emptied":
        content.clear()
    else:
        shutil.copy(unfitted_file(path.parent), path)
        return
    path.write_bytes(content)


def unfitted_file(folder: Path) -> Path:
    """A good model file that is no checkpoint."""
    from npae.network.saving import save

    save(noisy(), folder / "model")
    return folder / "model"


@pytest.mark.parametrize("how", ["cut", "flipped", "emptied", "model"])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_is_used(how: str, tmp_path: Path) -> None:
    unbroken = training_of()
    unbroken.fit(X, 5)
    training_of().fit(X, 3, checkpoints=Checkpoints(tmp_path, keep=2))
    damage(tmp_path / numbered(15)[0], how)
    again, checkpoints = training_of(), Checkpoints(tmp_path, keep=1, resume=True)
    with pytest.warns(UserWarning, match=r"015\.safetensors.*is now .*\.damaged, and the run goes on from .*010\.saf"):
        again.fit(X, 5, checkpoints=checkpoints)
    assert bits(again) == bits(unbroken)
    assert checkpoints.resumed_from == tmp_path / numbered(10)[0]
    assert {numbered(15)[0] + ".damaged", *numbered(25)} <= set(names(tmp_path))


def test_if_all_checkpoints_are_damaged_no_new_run_starts(tmp_path: Path) -> None:
    training_of().fit(X, 3, checkpoints=Checkpoints(tmp_path))
    for path in Checkpoints(tmp_path).paths():
        damage(path, "cut")
    before = names(tmp_path)
    training = training_of()
    with pytest.raises(FileFormatError, match=r"none of the checkpoints in .* can be read .*begin anew in another"):
        training.fit(X, 3, checkpoints=Checkpoints(tmp_path, resume=True))
    assert training.history == {}
    assert names(tmp_path) == before
    model = unfitted("vanilla", random_state=None)
    with pytest.raises(FileFormatError, match="none of the checkpoints"):
        model.fit(data_for("vanilla"), checkpoints=Checkpoints(tmp_path, resume=True))
    assert not hasattr(model, "network_")


def forged(path: Path, change: Any) -> None:
    """Change the record of a checkpoint, with a digest that fits."""
    from npae.network import saving
    from npae.storage.model_file import read
    from npae.training import checkpoint_file

    stored = read(path)
    arrays = {name: array.copy() for name, array in stored.arrays.items()}
    change(stored.record, arrays)
    stored.record["digest"] = checkpoint_file._digest(stored.record, arrays)
    saving.write(path, noisy(), stored.record, arrays)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("batches", 5, "5 batches of the epoch are done"),
        ("batches", -1, "-1 stands where a count was expected"),
        ("step", 2**63, "stands where a count was expected"),
        ("sums", [], "items"),
        ("best", None, "subscriptable"),
        ("optimizer", {"steps": 5, "learning_rate": "x"}, "'x' stands where a number was expected"),
        ("seconds", "soon", "could not convert"),
    ],
)
def test_a_forged_checkpoint_is_refused_and_changes_nothing(
    name: str, value: Any, message: str, tmp_path: Path
) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    forged(tmp_path / numbered(5)[0], lambda record, _: record["moment"].update({name: value}))
    training = training_of()
    before = bits(training)
    with pytest.raises(FileFormatError, match=message):
        training.fit(X, 1, checkpoints=Checkpoints(tmp_path, resume=True))
    assert bits(training) == before


def test_a_forged_seed_is_refused(tmp_path: Path) -> None:
    unfitted("vanilla").fit(data_for("vanilla"), checkpoints=Checkpoints(tmp_path))
    for path in Checkpoints(tmp_path).paths():
        forged(path, lambda record, _: record.update(seed="7"))
    with pytest.raises(FileFormatError, match="the seed is no whole number"):
        unfitted("vanilla", random_state=None).fit(data_for("vanilla"), checkpoints=Checkpoints(tmp_path, resume=True))


@pytest.mark.parametrize("name", ["seed", "version", "network", "params", "digest"])
def test_whatever_is_damaged_in_the_record_is_noticed(name: str, tmp_path: Path) -> None:
    unfitted("vanilla").fit(data_for("vanilla"), checkpoints=Checkpoints(tmp_path))
    newest = tmp_path / numbered(6)[0]
    content = newest.read_bytes()
    place = content.index(rf"\"{name}\": ".encode()) + 2
    newest.write_bytes(content[:place] + content[place : place + 1].upper() + content[place + 1 :])
    with pytest.warns(UserWarning, match=r"006\.safetensors.* is now .*\.damaged, and the run goes on from .*003"):
        unfitted("vanilla").fit(data_for("vanilla"), checkpoints=Checkpoints(tmp_path, resume=True))


def test_a_checkpoint_of_another_version_gives_a_warning(tmp_path: Path) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    forged(tmp_path / numbered(5)[0], lambda record, _: record.update(version="0.0.9"))
    with pytest.warns(UserWarning, match=r"written by npae 0\.0\.9, and this is"):
        training_of().fit(X, 2, checkpoints=Checkpoints(tmp_path, resume=True))


# Another run


def test_a_new_run_in_a_folder_with_checkpoints_is_refused(tmp_path: Path) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    training = training_of()
    with pytest.raises(CheckpointError, match=r"holds checkpoints of a run already; .*resume=True.*another folder"):
        training.fit(X, 1, checkpoints=Checkpoints(tmp_path))
    assert training.network.run.step == 0
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def halved(step: int) -> float:
    return 0.5


def relu() -> Autoencoder:
    return Autoencoder([Dense(6), ReLU(), Dense(3)], [Dense(WIDTH)], loss="mse").build((WIDTH,), seed=3)


def test_different_initial_parameters_are_another_run(tmp_path: Path) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    training = training_of()
    training.network.theta[0] += 1
    with pytest.raises(CheckpointError, match="initial parameters: not the same"):
        training.fit(X, 1, checkpoints=Checkpoints(tmp_path, resume=True))


@pytest.mark.parametrize(
    ("make", "x", "options", "message"),
    [
        (lambda: training_of(batch_size=6), X, {}, "batch_size was 5, now 6;"),
        (lambda: training_of(clip_norm=1.0), X, {}, r"clip_norm was None, now 1\.0;"),
        (lambda: training_of(n_jobs=2), X, {}, "n_jobs was 1, now 2;"),
        (lambda: training_of(schedule=Cosine(9)), X, {}, r"schedule was 'Constant\(\)', now 'Cosine\(total=9, floor"),
        (
            lambda: training_of(schedule=math.sqrt),
            X,
            {},
            r"schedule was 'Constant\(\)', now '<built-in function sqrt>'",
        ),
        (lambda: training_of(schedule=lambda step: 1), X, {}, "now '<function .*<lambda>>'"),
        (lambda: training_of(schedule=WarmUp(2, halved)), X, {}, r"now 'WarmUp\(steps=2, then=<function halved>\)'"),
        (lambda: training_of(Adam(0.02)), X, {}, r"optimizer\.learning_rate was 0\.01, now 0\.02"),
        (lambda: training_of(SGD(0.01)), X, {}, r"optimizer\.type was 'Adam', now 'SGD'"),
        (
            lambda: Training(relu(), Adam(1e-2), batch_size=5),
            X,
            {},
            r"network\.encoder\.1\.type was 'Tanh', now 'ReLU'",
        ),
        (training_of, X[:-1], {}, r"shape of the training data was \[22, 12\], now \[21, 12\]"),
        (training_of, 1 - X, {}, "another run: content of the training data: not the same;"),
        (training_of, X, {"validation": X}, r"shape of the validation data was \[10, 12\], now \[22, 12\]"),
        (training_of, X, {"validation": 1 - OTHER}, "another run: content of the validation data: not the same;"),
        (training_of, X, {"validation": None, "patience": None}, "patience was 9, now None; shape of the validation"),
        (training_of, X, {"patience": 7}, "patience was 9, now 7;"),
    ],
)
def test_another_run_is_refused_and_the_difference_named(
    make: Any, x: Any, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    aims = {"validation": OTHER, "patience": 9}
    training_of().fit(X, 1, **aims, checkpoints=Checkpoints(tmp_path))  # type: ignore[arg-type]
    training = make()
    before = bits(training)
    with pytest.raises(CheckpointError, match=message):
        training.fit(x, 1, **{**aims, **options}, checkpoints=Checkpoints(tmp_path, resume=True))
    assert bits(training) == before
    assert names(tmp_path) == numbered(5)


def test_an_estimator_names_its_own_parameters(tmp_path: Path) -> None:
    X = data_for("deep")
    unfitted("deep").fit(X, checkpoints=Checkpoints(tmp_path))
    other = unfitted("deep", code_size=3, hidden=(9,), batch_size=6, verbose=True).fit(X)
    before = other.network_.theta.copy()
    with pytest.raises(CheckpointError, match="code_size was 4, now 3") as raised:
        other.fit(X, checkpoints=Checkpoints(tmp_path, resume=True))
    assert "hidden was [9, 6], now [9]" in str(raised.value)
    assert "batch_size was 8, now 6" in str(raised.value)
    assert "verbose" not in str(raised.value)
    np.testing.assert_array_equal(other.network_.theta, before)  # a refusal leaves the earlier model
    with pytest.raises(CheckpointError, match="another run: content of the training data: not the same;"):
        unfitted("deep", epochs=5).fit(1 - X, checkpoints=Checkpoints(tmp_path, resume=True))
    unfitted("deep", verbose=True, n_jobs=1).fit(X, checkpoints=Checkpoints(tmp_path, resume=True))


def test_another_split_of_the_data_is_named_as_the_estimator_names_it(tmp_path: Path) -> None:
    X = data_for("vanilla")
    unfitted("vanilla", validation_fraction=0.25).fit(X, checkpoints=Checkpoints(tmp_path))
    with pytest.raises(CheckpointError, match=r"run: validation_fraction was 0\.25, now 0\.5; shape of the training"):
        unfitted("vanilla", validation_fraction=0.5, epochs=5).fit(X, checkpoints=Checkpoints(tmp_path, resume=True))


def test_more_epochs_under_a_schedule_that_spans_them_are_another_run(tmp_path: Path) -> None:
    X = data_for("vanilla")
    unfitted("vanilla", schedule="cosine").fit(X, checkpoints=Checkpoints(tmp_path))
    with pytest.raises(CheckpointError, match="epochs was 2, now 3"):
        unfitted("vanilla", schedule="cosine", epochs=3).fit(X, checkpoints=Checkpoints(tmp_path, resume=True))


def test_only_the_first_of_many_differences_are_named(tmp_path: Path) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    training = training_of(SGD(1.0), batch_size=2, clip_norm=1.0, n_jobs=2, schedule=Cosine(4))
    with pytest.raises(CheckpointError, match=r"; and \d+ more; give what it had"):
        training.fit(X, 1, checkpoints=Checkpoints(tmp_path, resume=True))


def test_differences_that_are_all_named_are_not_followed_by_more() -> None:
    assert summarise(["a", "b", "c", "d"]) == "a; b; c; d"
    assert summarise(["a", "b", "c", "d", "e"]) == "a; b; c; d; and 1 more"


# Mistakes and faults


@pytest.mark.parametrize("every", [0, -1, "0", "10", "x", "0s", "-5m", "5", "1.5", "5d", "", True, None])
def test_every_is_epochs_or_a_time(every: Any, tmp_path: Path) -> None:
    if every in ("10", "5"):
        assert Checkpoints(tmp_path, every=every).every_epochs == int(every)
        return
    with pytest.raises(ValueError, match=r"every is .*expected"):
        Checkpoints(tmp_path, every=every)


@pytest.mark.parametrize(("every", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("0.5s", 0.5)])
def test_times_have_units(every: str, seconds: float, tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, every=every).every_seconds == seconds


def test_keep_is_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep is 0; expected a whole number of at least 1"):
        Checkpoints(tmp_path, keep=0)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(NotADirectoryError, match="is a file; give a folder"):
        training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path / "file"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder that nobody may write")
@pytest.mark.parametrize("folder", ["/proc", "/proc/new"])
def test_a_folder_that_cannot_be_written_is_refused_before_training(folder: str) -> None:
    training = training_of()
    with pytest.raises(OSError, match=r"the folder /proc.* cannot be (made|written) \(.*\); choose another"):
        training.fit(X, 1, checkpoints=Checkpoints(folder))
    assert training.network.run.step == 0


def test_a_folder_that_vanishes_ends_training_in_one_sentence_and_the_model_is_kept(tmp_path: Path) -> None:
    model = unfitted("vanilla", epochs=5)

    def vanish(training: Training) -> None:
        if training.epoch == 2:
            shutil.rmtree(tmp_path / "c")

    with pytest.raises(OSError, match=r"training stopped in epoch 3, .*the folder .*c does not exist.*is kept"):
        model.fit(data_for("vanilla"), callbacks=[vanish], checkpoints=Checkpoints(tmp_path / "c"))
    assert model.n_iter_ == 2
    assert np.isfinite(model.score(data_for("vanilla")))


def test_nan_leaves_the_checkpoints_before_it(tmp_path: Path) -> None:
    def explode(step: int) -> float:
        return 1e30 if step == 12 else 1.0

    with pytest.raises(NonFiniteError, match=r"diagnosis.json tells"), np.errstate(all="ignore"):
        training_of(SGD(1e-3), schedule=explode).fit(X, 4, checkpoints=Checkpoints(tmp_path))
    assert names(tmp_path) == [*numbered(5, 10), "diagnosis.json"]
    assert np.isfinite(npae.load(tmp_path / numbered(10)[0]).theta).all()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what is mapped")
def test_the_file_of_a_resumed_checkpoint_is_closed(tmp_path: Path) -> None:
    def look(training: Training) -> None:
        mapped.append(str(tmp_path) in Path("/proc/self/maps").read_text())

    mapped: list[bool] = []
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    training_of().fit(X, 3, callbacks=[look], checkpoints=Checkpoints(tmp_path, resume=True))
    assert mapped == [False, False]


# Windows, where a file that is open or mapped can be neither renamed nor replaced nor removed


@pytest.mark.skipif(not windows.CAN_SIMULATE, reason="the system does not tell which files are open")
@pytest.mark.parametrize("how", ["cut", "flipped", "emptied", "another model"])
def test_on_windows_a_damaged_checkpoint_is_set_aside_and_old_ones_are_removed(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.simulate(monkeypatch)
    training_of().fit(X, 3, checkpoints=Checkpoints(tmp_path))
    damage(tmp_path / numbered(15)[0], how)
    with pytest.warns(UserWarning, match=r"015\.safetensors.*is now .*\.damaged, and the run goes on from .*010\.saf"):
        training_of().fit(X, 6, checkpoints=Checkpoints(tmp_path, keep=2, resume=True))
    assert {*numbered(25, 30), numbered(15)[0] + ".damaged"} == set(names(tmp_path)) - {"model"}


def test_a_damaged_checkpoint_that_another_program_has_open_gives_a_warning_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_of().fit(X, 4, checkpoints=Checkpoints(tmp_path, keep=4))
    damage(tmp_path / numbered(20)[0], "cut")
    monkeypatch.setattr("npae.utils.files.PATIENCE", 0.05)
    windows.refuse_where(monkeypatch, lambda path: path.name == numbered(20)[0])
    cut_off(monkeypatch, 2)
    sentence = (
        r"020\.safetensors.*another program has it open, so that it keeps its name, and the run goes on from .*15"
    )
    with pytest.warns(UserWarning, match=sentence), suppress(PowerCut):
        training_of().fit(X, 6, checkpoints=Checkpoints(tmp_path, keep=1, every=ALWAYS, resume=True))
    assert names(tmp_path) == numbered(17, 20)


def test_an_old_checkpoint_that_another_program_has_open_does_not_stop_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))
    with monkeypatch.context() as patch:
        windows.refuse_where(patch, lambda path: path.name == numbered(5)[0])
        with pytest.warns(UserWarning, match=r"005\.safetensors stays until the program that has it open closes it"):
            training_of().fit(X, 3, checkpoints=Checkpoints(tmp_path, keep=1, resume=True))
        assert names(tmp_path) == numbered(5, 15)
    training_of().fit(X, 4, checkpoints=Checkpoints(tmp_path, keep=1, resume=True))
    assert names(tmp_path) == numbered(20)


def test_an_old_checkpoint_that_cannot_be_removed_for_good_stops_training_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_of().fit(X, 1, checkpoints=Checkpoints(tmp_path))

    def refuse(path: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.unlink", refuse)
    with pytest.raises(OSError, match=r"training stopped in epoch 3, .*Operation not permitted"):
        training_of().fit(X, 2, checkpoints=Checkpoints(tmp_path, keep=1, resume=True))
