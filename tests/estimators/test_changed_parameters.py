"""Parameters that are set after ``fit``: what ``partial_fit`` does with them, on a model and on its copies."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, unfitted

import npae
from npae.estimators import AutoencoderEstimator
from npae.estimators.parameters import parameters_of
from npae.utils.types import Array

PLAIN: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.01}  # which remembers nothing
COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}
#: What may be set after ``fit``, with a value that changes what is learned.
STEERING: list[tuple[str, dict[str, Any]]] = [
    ("vanilla", {"learning_rate": 1e-9}),
    ("vanilla", {"learning_rate": np.float32(1e-9)}),
    ("vanilla", {"batch_size": 3}),
    ("vanilla", {"batch_size": np.int64(3)}),
    ("vanilla", {"schedule": "step", "epochs": 1}),
    ("vanilla", {"schedule": "cosine"}),
    ("vanilla", {"schedule": "warm_up"}),
    ("vanilla", {"clip_norm": 0.01}),
    ("vanilla", {"optimizer": "rmsprop"}),
    ("vanilla", {"optimizer": "adamw", "weight_decay": 0.3}),
    ("vanilla", {"weight_decay": 0.3}),
    ("variational", {"n_jobs": 2}),  # which draw other noise
    ("variational", {"beta": 7.0}),
    ("variational", {"beta_warm_up": 50}),
    ("denoising", {"noise_level": 0.9}),
    ("denoising", {"noise_level": (0.1, 0.9)}),
]


def one_part_more(model: AutoencoderEstimator, changes: dict[str, Any]) -> Array:
    for _ in range(2):
        model.set_params(**changes).partial_fit(data_for(kind_of(model)))
    return model.network_.theta.copy()


def kind_of(model: AutoencoderEstimator) -> str:
    return type(model).__name__.removesuffix("Autoencoder").lower()


@pytest.mark.parametrize("duplicate", [*COPIES, "file"])
@pytest.mark.parametrize(("kind", "changes"), STEERING, ids=str)
def test_a_parameter_set_after_fit_steers_a_model_as_it_steers_its_copy(
    kind: str, changes: dict[str, Any], duplicate: str, tmp_path: Path
) -> None:
    model = fitted(kind, **PLAIN)
    untouched = one_part_more(copy.copy(model), {})
    if duplicate == "file":
        model.save(tmp_path / "model.safetensors")
        other = npae.load(tmp_path / "model.safetensors")
    else:
        other = COPIES[duplicate](model)
    learned = one_part_more(model, changes)
    np.testing.assert_array_equal(learned, one_part_more(other, changes))
    assert not np.array_equal(learned, untouched)


@pytest.mark.parametrize(("kind", "changes"), STEERING, ids=str)
def test_a_change_outlives_the_copy_that_is_made_before_it_is_taken_over(
    kind: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    model = fitted(kind, **PLAIN).set_params(**changes)
    model.save(tmp_path / "model.safetensors")
    others = [duplicate(model) for duplicate in COPIES.values()] + [npae.load(tmp_path / "model.safetensors")]
    learned = one_part_more(model, {})
    for other in others:
        np.testing.assert_array_equal(learned, one_part_more(other, {}))


def test_the_optimizer_keeps_what_it_remembers_when_only_its_rate_changes() -> None:
    model = fitted("vanilla", optimizer="adam")
    m = model.training_.optimizer.state["m"]
    model.set_params(learning_rate=0.5).partial_fit(data_for("vanilla"))
    assert model.training_.optimizer.state["m"] is m
    assert model.history_["learning_rate"][-1] == 0.5
    model.set_params(optimizer="sgd", momentum=0.25).partial_fit(data_for("vanilla"))
    velocity = model.training_.optimizer.state["velocity"]
    model.set_params(momentum=0.75).partial_fit(data_for("vanilla"))
    assert model.training_.optimizer.state["velocity"] is velocity
    assert model.training_.optimizer.momentum == 0.75
    model.set_params(optimizer="rmsprop").partial_fit(data_for("vanilla"))
    assert list(model.training_.optimizer.state) == ["v"]


def test_parts_are_learned_to_the_same_bits_where_nothing_has_changed() -> None:
    x = data_for("denoising")
    models = [fitted("denoising") for _ in range(2)]
    models[1].set_params(**models[1].get_params())
    models[1].set_params(hidden=[9], batch_size=np.int32(8))  # which says the same
    for model in models:
        model.partial_fit(x)
    np.testing.assert_array_equal(models[0].network_.theta, models[1].network_.theta)


def test_a_schedule_set_after_fit_spans_the_next_epochs_and_then_the_rate_is_full_again(tmp_path: Path) -> None:
    model, x = fitted("vanilla", learning_rate=1.0), data_for("vanilla")
    model.set_params(schedule="cosine", epochs=3)
    for _ in range(2):
        model.partial_fit(x)
    model.save(tmp_path / "model.safetensors")
    other = npae.load(tmp_path / "model.safetensors")
    for each in (model, other):
        for _ in range(2):
            each.partial_fit(x)
        rates = each.history_["learning_rate"]
        assert rates[:2] == [1, 1]
        assert 1 > rates[2] > rates[3] > rates[4] > 0
        assert rates[5] == 1
    model.set_params(schedule="step").set_params(schedule="constant").partial_fit(x)
    assert model.history_["learning_rate"][-1] == 1


@pytest.mark.parametrize("duplicate", [*COPIES, "file"])
@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("vanilla", "code_size", 2),
        ("vanilla", "activation", "tanh"),
        ("vanilla", "loss", "mse"),
        ("vanilla", "dtype", "float64"),
        ("vanilla", "tied_weights", True),
        ("vanilla", "activity_l1", 0.1),
        ("deep", "hidden", (9, 7)),
        ("deep", "hidden", [9]),
        ("convolutional", "filters", (3,)),
        ("convolutional", "kernel_size", 5),
        ("denoising", "noise", "masking"),
        ("variational", "filters", (4,)),
    ],
    ids=str,
)
def test_what_a_network_is_made_of_cannot_be_changed_by_partial_fit(
    kind: str, name: str, value: Any, duplicate: str, tmp_path: Path
) -> None:
    model, x = fitted(kind), data_for(kind)
    model.set_params(**{name: value})
    if duplicate == "file":
        model.save(tmp_path / "model.safetensors")
        model = npae.load(tmp_path / "model.safetensors")
    else:
        model = COPIES[duplicate](model)
    theta = model.network_.theta.copy()
    with pytest.raises(ValueError, match=rf"^{name} was .* and is .*; call fit for a new network, or set it back") as e:
        model.partial_fit(x)
    assert "\n" not in str(e.value)
    np.testing.assert_array_equal(model.network_.theta, theta)
    model.fit(x)
    model.partial_fit(x)


def test_the_loss_that_auto_chose_may_be_named() -> None:
    model, x = fitted("vanilla"), data_for("vanilla")
    model.set_params(loss="bce").partial_fit(x)
    model.set_params(loss="auto").partial_fit(x)


def test_a_model_that_is_refused_goes_on_once_the_parameter_is_set_back() -> None:
    model, x = fitted("deep"), data_for("deep")
    with pytest.raises(ValueError, match="hidden was"):
        model.set_params(hidden=(3,), learning_rate=0.5).partial_fit(x)
    model.set_params(hidden=(9, 6)).partial_fit(x)
    assert model.history_["learning_rate"][-1] == 0.5


# Numbers and truth values of NumPy, and what is none


@pytest.mark.parametrize("kind", TYPES)
def test_every_parameter_of_an_estimator_takes_numpys_numbers_for_pythons(kind: str) -> None:
    def of_numpy(value: Any) -> Any:
        if isinstance(value, tuple):
            return np.array(value, np.int16)
        kinds = {bool: np.bool_, int: np.int64, float: np.float64}
        return kinds[type(value)](value) if type(value) in kinds else value

    plain = unfitted(kind, n_jobs=2, clip_norm=1.0, validation_fraction=0.25, momentum=0.5)
    other = unfitted(kind, **{name: of_numpy(value) for name, value in plain.get_params().items()})
    x = data_for(kind)
    np.testing.assert_array_equal(plain.fit(x).transform(x), other.fit(x).transform(x))
    np.testing.assert_array_equal(plain.partial_fit(x).transform(x), other.partial_fit(x).transform(x))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_every_parameter_of_an_estimator_refuses_what_is_of_another_kind(kind: str, method: str) -> None:
    wrong: dict[str, list[Any]] = {
        "int": [True, 3.0, "3", np.bool_(True), np.float64(3), np.array(3)],
        "float": [True, "0.1", np.bool_(True), float("nan"), 1j, [0.1], np.array(0.1)],
        "float or pair of float": [True, "0.1", float("nan"), 1j, [0.1], (0.1, 0.2, 0.3), (0.1, "1"), np.array(0.1)],
        "bool": ["no", 1, 0, None, np.int64(1)],
        "str": [3, ["adam"]],
        "sequence of int": ["32", (3.0,), (True,), 3, (np.float64(2),), np.array(3)],
        "int or pair of int": [True, 3.0, "33", (3, 3, 3), (3, 3.0), (True, 3), np.array(3)],
        "int, RandomState, Generator": [True, 3.0, "3", -1],
    }
    model, x = unfitted(kind), data_for(kind)
    for p in parameters_of(type(model)):
        for value in wrong[p.kind.removesuffix(" or None")]:
            setattr(model, p.name, value)
            with pytest.raises(ValueError, match=rf"{p.name} is .*; expected") as caught:
                getattr(model, method)(x)
            assert "\n" not in str(caught.value)
        setattr(model, p.name, unfitted(kind).get_params()[p.name])
    getattr(model, method)(x)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_text_is_no_truth_value(method: str) -> None:
    model = unfitted("vanilla", early_stopping="no")
    with pytest.raises(ValueError, match="early_stopping is 'no'; expected True or False"):
        getattr(model, method)(data_for("vanilla"))


@pytest.mark.parametrize("wrong", [{"n_jobs": 257}, {"n_jobs": 0}, {"learning_rate": -1.0}, {"batch_size": 2.5}])
def test_a_parameter_that_no_file_may_have_is_refused_by_save_and_the_file_stays(wrong, tmp_path):
    path = tmp_path / "model.safetensors"
    model = fitted("vanilla")
    model.save(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=next(iter(wrong))):
        model.set_params(**wrong).save(path)
    assert path.read_bytes() == before
