"""A model trained on data of [0, 1] that is given bytes says so once; the optimizer's memory is kept in copies."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from helpers.small_models import data_for, fitted, samples, unfitted

import npae
from npae.storage.export import export_encoder
from npae.utils.bytes_as_numbers import hint_at_bytes
from npae.utils.errors import Hint

GIVEN = "the samples run from .* but the model was trained to rebuild data in .0, 1.; scale them .*--divide 255"
METHODS = ["transform", "reconstruct", "interpolate", "network", "load_encoder", "export_encoder", "pickled encoder"]


def door(model: Any, method: str, folder: Any) -> Any:
    model.save(folder / "model.safetensors")
    export_encoder(model.network_, folder / "encoder.safetensors")
    return {
        "transform": model.transform,
        "reconstruct": model.reconstruct,
        "interpolate": lambda x: model.interpolate(x[0], x[1]),
        "network": model.network_.encode,
        "load_encoder": npae.load_encoder(folder / "model.safetensors").transform,
        "export_encoder": npae.load_encoder(folder / "encoder.safetensors").transform,
        "pickled encoder": pickle.loads(pickle.dumps(npae.load_encoder(folder / "model.safetensors"))).transform,
    }[method]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64"])
def test_bytes_given_to_a_model_of_the_unit_interval_are_hinted_at_once(method: str, dtype: str, tmp_path: Any) -> None:
    x = data_for("vanilla")
    use = door(fitted("vanilla"), method, tmp_path)
    with pytest.warns(Hint, match=GIVEN) as caught:
        use(np.rint(255 * x / x.max()).astype(dtype))
    assert [w.filename for w in caught] == [__file__]
    for other in (x, 1.1 * x, 190 * x, 500 * x, 255 * x - 100, 254.5 * x / x.max(), 0 * x):
        use(other)  # a warning would be an error


def test_bytes_given_to_a_model_of_squared_error_are_its_data() -> None:
    x = np.rint(255 * data_for("vanilla"))
    model = unfitted("vanilla", loss="mse").fit(x)
    model.reconstruct(x)  # a warning would be an error


def test_sparse_counts_and_no_samples_are_not_taken_for_bytes() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    fitted("vanilla").transform(sparse.csr_array(np.rint(255 * data_for("vanilla"))))
    hint_at_bytes(np.empty((0, 3)))


def test_bytes_are_seen_in_many_batches() -> None:
    x = np.rint(255 * samples(5000, 12)).astype("uint8")
    with pytest.warns(Hint, match="the samples run from 0 to 255"):
        fitted("vanilla").transform(x)


# The optimizer's memory


def copies(model: Any) -> dict[str, Any]:
    return {
        "deepcopy": copy.deepcopy(model),
        "pickle": pickle.loads(pickle.dumps(model)),
        "twice": copy.deepcopy(pickle.loads(pickle.dumps(model))),
    }


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adamw"])
@pytest.mark.parametrize("kind", ["vanilla", "variational"])
def test_copies_go_on_training_to_the_same_bits(kind: str, optimizer: str) -> None:
    x = data_for(kind)
    model = unfitted(kind, optimizer=optimizer, schedule="cosine").fit(x)
    others = copies(model)
    for _ in range(2):
        model.partial_fit(x)
        for name, other in others.items():
            other.partial_fit(x)
            np.testing.assert_array_equal(other.network_.theta, model.network_.theta, err_msg=name)
    assert not any("_optimizer_state" in vars(other) for other in others.values())


@pytest.mark.parametrize("change", [{"learning_rate": 0.1}, {"optimizer": "sgd"}, {"batch_size": 5}, {"n_jobs": 2}])
def test_parameters_set_on_a_copy_take_effect_as_on_the_model(change: dict[str, Any]) -> None:
    x = data_for("vanilla")
    model = fitted("vanilla")
    others = copies(model)
    model.set_params(**change).partial_fit(x)
    for other in others.values():
        other.set_params(**change).partial_fit(x)
        np.testing.assert_array_equal(other.network_.theta, model.network_.theta)


def test_a_copy_that_is_fitted_anew_forgets() -> None:
    x = data_for("vanilla")
    model = copy.deepcopy(fitted("vanilla")).fit(x)
    fresh = fitted("vanilla")
    np.testing.assert_array_equal(model.partial_fit(x).network_.theta, fresh.partial_fit(x).network_.theta)


def test_a_loaded_model_begins_with_a_fresh_optimizer_as_partial_fit_says(tmp_path: Any) -> None:
    x = data_for("vanilla")
    model = fitted("vanilla")
    model.save(tmp_path / "model.safetensors")
    loaded = npae.load(tmp_path / "model.safetensors")
    loaded.partial_fit(x)
    assert loaded.training_.optimizer.steps == 3
    assert model.partial_fit(x).training_.optimizer.steps == 9
    doc = npae.VanillaAutoencoder.partial_fit.__doc__
    assert doc is None or "``load`` read it begins afresh" in doc


def test_the_largest_whole_numbers_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"X holds whole numbers beyond 1\.8e308, .*; scale them, or leave them out"):
        unfitted("vanilla").fit([[10**400, 1]] * 20)
    unfitted("vanilla").fit([[10**30, 10**30]] * 20)
