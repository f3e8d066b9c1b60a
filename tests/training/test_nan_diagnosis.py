"""The diagnosis of training with NaN or infinity."""

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.single_steps import single_steps
from helpers.small_models import TYPES, data_for, samples, unfitted

from npae import Autoencoder
from npae.cli import main
from npae.layers import Dense, Layer, Tanh
from npae.training.nan_diagnosis import MOST_SAMPLES, save_diagnosis, span
from npae.training.optimizers import SGD
from npae.training.replicas import ThreadReplicas
from npae.training.trainer import Training
from npae.utils.errors import NonFiniteError
from npae.utils.types import Array, Shape

WIDTH = 12
X = samples(22, WIDTH)


class Poisoned(Layer):
    """Makes NaN of every sample whose first value is ``number``."""

    def __init__(self, number: float) -> None:
        self.number = number

    def plan(self, input_shape: Shape, arena: Any) -> Shape:
        arena.buffer(self, "y", input_shape)
        return input_shape

    def forward(self, x: Array) -> Array:
        self.y[...] = x
        self.y[x[:, 0] == self.number, 1] = np.nan
        return self.y

    def backward(self, dy: Array) -> Array:
        return dy


def stopped(net: Autoencoder, x: Array = X, rate: float = 1e-3, **options: Any) -> NonFiniteError:
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
        Training(net, SGD(rate), batch_size=5, **options).fit(x, 20)
    return caught.value


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_samples_and_the_layer_where_it_began_are_named(n_jobs: int) -> None:
    net = Autoencoder([Poisoned(float(X[17, 0])), Dense(3)], [Dense(WIDTH)], loss="mse").build((WIDTH,))
    told = stopped(net, n_jobs=n_jobs).diagnosis
    assert told["layer"] == "encoder.0"
    assert told["samples"] == [17]
    assert told["n_samples"] == 1
    assert told["epoch"] == 1
    assert 1 <= told["step"] <= 5
    assert list(told["layers"]) == ["encoder.0", "encoder.1", "decoder.0"]
    batch = 2 if told["step"] == 5 else 5
    assert told["layers"]["encoder.0"]["non_finite"] == pytest.approx(1 / (batch * WIDTH))
    assert told["layers"]["encoder.1"]["non_finite"] == pytest.approx(1 / batch)
    assert math.isnan(told["terms"]["reconstruction"])
    assert told["data"] == span(X)
    assert told["data"]["min"] <= told["batch"]["min"] < told["batch"]["max"] <= told["data"]["max"]


def test_a_learning_rate_that_is_too_high_is_seen_in_parameters_and_gradients() -> None:
    net = Autoencoder([Dense(6), Tanh(), Dense(3)], [Dense(WIDTH)], loss="mse").build((WIDTH,))
    before = float(np.linalg.norm(net.theta))
    error = stopped(net, rate=1e3)
    told = error.diagnosis
    assert told["learning_rate"] == 1e3
    assert told["optimizer"] == "SGD"
    assert set(told["parameters"]) == set(net.arena.parameter_shapes())
    assert told["parameters"]["decoder.0.W"]["norm"] > 1e6 * before
    assert any(p["gradient"]["norm"] > 1e6 for p in told["parameters"].values())
    assert f"step {told['step']}, first in {told['layer']};" in str(error)
    assert np.linalg.norm(net.theta) < told["parameters"]["decoder.0.W"]["norm"]  # the good ones are back


def test_a_loss_that_overflows_behind_finite_layers_is_found_sample_by_sample() -> None:
    x = X.copy()
    x[[3, 8]] = 1e30
    net = Autoencoder([Tanh(), Dense(2)], [Dense(WIDTH)], loss="mse").build((WIDTH,))
    told = stopped(net, x).diagnosis
    assert told["layer"] == "loss"
    assert 1 <= told["n_samples"] <= 2
    assert set(told["samples"]) <= {3, 8}
    assert all(ranges["non_finite"] == 0 for ranges in told["layers"].values())


def test_before_the_first_step_the_learning_rate_is_the_one_that_was_set() -> None:
    x = np.full((5, WIDTH), 1e30, "float32")
    net = Autoencoder([Tanh(), Dense(2)], [Dense(WIDTH)], loss="mse").build((WIDTH,))
    assert stopped(net, x, rate=0.25).diagnosis["learning_rate"] == 0.25


def test_only_the_first_hundred_samples_are_named() -> None:
    x = np.full((300, WIDTH), 1e30, "float32")
    net = Autoencoder([Tanh(), Dense(2)], [Dense(WIDTH)], loss="mse").build((WIDTH,))
    with np.errstate(all="ignore"), pytest.raises(NonFiniteError) as caught:
        Training(net, SGD(), batch_size=256).fit(x, 1)
    told = caught.value.diagnosis
    assert told["n_samples"] == 256
    assert len(told["samples"]) == MOST_SAMPLES


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_a_diagnosis_of_all_its_layers(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, gradient = unfitted(kind), ThreadReplicas.gradient

    def poisoned(self: Any, chosen: Array) -> float:
        loss = gradient(self, chosen)
        self.networks[0].theta[: self.networks[0].arena.decayed.stop] = np.inf
        return loss * np.inf

    single_steps(monkeypatch, poisoned)
    with pytest.raises(NonFiniteError) as caught:
        model.fit(data_for(kind))
    told = caught.value.diagnosis
    assert told["layer"] in told["layers"]
    assert told["layers"][told["layer"]]["non_finite"] > 0
    assert told["n_samples"] == 8
    assert len(told["parameters"]) == len(model.network_.arena.parameter_shapes())
    assert np.isfinite(model.network_.theta).all()


def test_ranges_leave_out_what_is_not_finite() -> None:
    assert span(np.array([1.0, np.nan, -3.0, np.inf])) == {"min": -3.0, "max": 1.0, "non_finite": 0.5}
    told = span(np.array([np.nan]))
    assert math.isnan(told["min"])
    assert math.isnan(told["max"])
    assert told["non_finite"] == 1


def test_the_file_is_strict_json_and_the_sentence_names_it(tmp_path: Path) -> None:
    error = NonFiniteError("it broke", {"a": {"b": math.nan, "c": [1, 2]}, "d": math.inf, "e": -math.inf, "f": 0.5})
    named = save_diagnosis(error, tmp_path)
    assert str(named) == f"it broke; {tmp_path / 'diagnosis.json'} tells what was there"
    assert named.diagnosis == error.diagnosis

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    told = json.loads((tmp_path / "diagnosis.json").read_text(), parse_constant=refuse)
    assert told == {"a": {"b": "NaN", "c": [1, 2]}, "d": "Infinity", "e": "-Infinity", "f": 0.5}


def test_where_the_file_cannot_be_written_the_error_stays_as_it_is(tmp_path: Path) -> None:
    error = NonFiniteError("it broke", {"step": 3})
    assert save_diagnosis(error, tmp_path / "missing") is error


def test_the_error_passes_between_processes_with_its_diagnosis() -> None:
    other = pickle.loads(pickle.dumps(NonFiniteError("it broke", {"step": 3})))
    assert str(other) == "it broke"
    assert other.diagnosis == {"step": 3}
    assert NonFiniteError("it broke").diagnosis == {}


def test_the_command_line_writes_it_beside_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = tmp_path / "x.npy", tmp_path / "run"
    np.save(data, X * 1e3)
    options = [
        "--optimizer",
        "sgd",
        "--learning-rate",
        "1e3",
        "--loss",
        "mse",
        "--no-verbose",
        "--code-size",
        "3",
        "--batch-size",
        "5",
    ]
    with np.errstate(all="ignore"):
        assert main(["train", "vanilla", "--data", str(data), "--out", str(run), *options]) == 2
    said = capsys.readouterr().err
    assert f"{run / 'diagnosis.json'} tells what was there" in said
    told = json.loads((run / "diagnosis.json").read_text())
    assert told["layer"]
    assert f"epoch {told['epoch']}, step {told['step']}, first in {told['layer']};" in said
