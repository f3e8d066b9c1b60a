"""The five estimators: methods, results and error messages."""

import ast
import copy
import gc
import inspect
import pickle
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.single_steps import single_steps
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted

import npae
from npae.estimators import ESTIMATORS, AutoencoderEstimator
from npae.estimators.parameters import parameters_of
from npae.training.replicas import ThreadReplicas
from npae.training.state import Data
from npae.training.trainer import Training
from npae.utils.errors import NonFiniteError, NotFittedError
from npae.utils.samples import dense
from npae.utils.types import Array, Shape
from npae.utils.validation import check_samples

KINDS = list(TYPES)
QUICK: dict[str, Any] = {"code_size": 3, "epochs": 1, "batch_size": 4, "random_state": 0}
NEEDS_MODEL = ["transform", "inverse_transform", "reconstruct", "score", "score_samples"]


def same(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# Shapes, dtypes, determinism


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(12,), (5, 4), (5, 4, 1), (5, 4, 3)])
def test_codes_are_flat_and_everything_else_has_the_shape_of_the_data(kind: str, shape: Shape, dtype: str) -> None:
    if kind == "convolutional" and len(shape) == 1:
        shape = (9, 4)
    x = samples(9, *shape).astype(dtype)
    model = unfitted(kind, dtype=dtype, batch_size=4)
    assert model.fit(x) is model
    z = model.transform(x)
    results = [
        (z, (9, 4)),
        (model.inverse_transform(z), x.shape),
        (model.reconstruct(x), x.shape),
        (model.score_samples(x), (9,)),
        (model.sample(5), (5, *shape)),
        (model.interpolate(x[0], x[1], steps=7), (7, *shape)),
    ]
    for result, expected in results:
        assert isinstance(result, np.ndarray)
        assert (result.shape, result.dtype) == (expected, np.dtype(dtype))
        assert np.isfinite(result).all()
    assert type(model.score(x)) is float
    assert model.n_features_in_ == np.prod(shape)
    assert model.n_iter_ == 2


@pytest.mark.parametrize("kind", KINDS)
def test_transform_and_its_kin_are_deterministic_and_add_no_noise(kind: str) -> None:
    model, x = fitted(kind), data_for(kind)
    z = model.transform(x)
    assert same(z, model.transform(x))
    assert same(z, model.network_.encode(x))
    np.testing.assert_allclose(model.transform(x[3:5]), z[3:5], atol=1e-6)
    assert same(model.reconstruct(x), model.inverse_transform(z))
    assert same(model.score_samples(x), model.score_samples(x))
    assert same(model.sample(4), model.sample(4))
    assert model.score(x) == pytest.approx(float(model.score_samples(x).mean()))


@pytest.mark.parametrize("kind", KINDS)
def test_results_stay_when_the_model_is_used_again(kind: str) -> None:
    model, x = fitted(kind), data_for(kind)
    results = [model.transform(x), model.reconstruct(x), model.score_samples(x), model.sample(5)]
    before = [result.copy() for result in results]
    other = data_for(kind, seed=5)
    model.transform(other), model.reconstruct(other), model.score_samples(other), model.sample(5, random_state=9)
    assert all(same(a, b) for a, b in zip(results, before, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_fit_transform_is_fit_and_then_transform(kind: str) -> None:
    x = data_for(kind)
    assert same(unfitted(kind).fit_transform(x), fitted(kind).transform(x))


def test_of_a_variational_model_codes_are_means() -> None:
    model, x = fitted("variational"), data_for("variational")
    model.transform(x)
    assert same(model.transform(x), model.network_.code.layers[0].mu.copy())


@pytest.mark.parametrize("kind", ["vanilla", "denoising"])
def test_more_samples_than_a_block_are_coded_like_few(kind: str) -> None:
    model, x = fitted(kind), data_for(kind, n=700)
    z = model.transform(x)
    np.testing.assert_allclose(z[250:260], model.transform(x[250:260]), atol=1e-6)
    np.testing.assert_allclose(z[-3:], model.transform(x[-3:]), atol=1e-6)
    assert model.score_samples(x).shape == (700,)


def test_score_samples_is_minus_the_loss_of_each_sample() -> None:
    x = data_for("vanilla").astype("float64")
    model = fitted("vanilla", dtype="float64")
    p = model.reconstruct(x)
    expected = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
    np.testing.assert_allclose(model.score_samples(x), expected, rtol=1e-9)
    model = fitted("vanilla", dtype="float64", loss="mse")
    np.testing.assert_allclose(model.score_samples(x), -((model.reconstruct(x) - x) ** 2).sum(axis=1), rtol=1e-9)


def test_the_score_of_a_variational_model_counts_the_divergence_with_beta() -> None:
    x = data_for("variational").astype("float64")
    model = fitted("variational", dtype="float64", beta=3.0, beta_warm_up=100)
    p = model.reconstruct(x)
    code = model.network_.code.layers[0]
    model.transform(x)
    kl = 0.5 * (code.mu**2 + np.exp(code.log_var) - 1 - code.log_var).sum(axis=1)
    expected = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1) - 3 * kl
    np.testing.assert_allclose(model.score_samples(x), expected, rtol=1e-9)


def test_what_is_rebuilt_with_cross_entropy_lies_between_0_and_1() -> None:
    model = fitted("vanilla")
    rebuilt = model.inverse_transform(100 * np.random.default_rng(0).standard_normal((50, 4)))
    assert rebuilt.min() >= 0
    assert rebuilt.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_interpolation_begins_and_ends_at_the_two_samples_and_is_straight_in_the_code(kind: str) -> None:
    model, x = fitted(kind), data_for(kind)
    path = model.interpolate(x[0], x[1], steps=5)
    np.testing.assert_allclose(path[[0, -1]], model.reconstruct(x[:2]), atol=1e-6)
    z = model.transform(x[:2])
    np.testing.assert_allclose(path[1], model.inverse_transform(0.75 * z[:1] + 0.25 * z[1:])[0], atol=1e-6)
    assert model.interpolate(x[0], x[1]).shape[0] == 9
    assert model.interpolate(x[0], x[1], steps=2).shape[0] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_drawn_from_their_seed(kind: str) -> None:
    model = fitted(kind)
    assert same(model.sample(6), model.sample(6, random_state=0))
    assert not np.array_equal(model.sample(6), model.sample(6, random_state=1))
    drawn = model.sample(6)
    assert len({row.tobytes() for row in drawn}) == 6
    assert model.sample().shape == (1, *data_for(kind).shape[1:])


def test_codes_are_drawn_with_the_mean_and_covariance_of_the_training_codes() -> None:
    x = samples(300, 12)
    model = fitted("vanilla", activation="linear").fit(x)
    codes, drawn = model.transform(x).astype(float), []
    decode = model.network_.decode
    model.network_.decode = lambda z, _=None: drawn.append(z) or decode(z)  # type: ignore[method-assign, func-returns-value]
    model.sample(20_000)
    scale = codes.std(axis=0).max()
    np.testing.assert_allclose(drawn[0].mean(axis=0), codes.mean(axis=0), atol=0.05 * scale)
    np.testing.assert_allclose(np.cov(drawn[0].T), np.cov(codes.T), atol=0.05 * scale**2)


SAME_MODEL: dict[str, Any] = {
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    "a pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("train", [lambda model, x: model.fit(x), lambda model, x: model.partial_fit(x)])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_the_same_whenever_and_from_whichever_copy_they_are_first_drawn(
    kind: str, train: Any, tmp_path: Path
) -> None:
    def trained() -> AutoencoderEstimator:
        return train(fitted(kind), data_for(kind, 40, seed=1))

    expected = trained().sample(3)
    assert not same(expected, fitted(kind).sample(3))
    model = trained()
    for copied in SAME_MODEL.values():
        assert same(copied(trained()).sample(3), expected)
    model.save(tmp_path / "m")
    assert same(npae.load(tmp_path / "m").sample(3), expected)
    assert same(model.sample(3), expected)
    assert same(model.sample(3), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", ["fit", "partial_fit"])
def test_changing_the_data_after_training_changes_no_drawn_sample(kind: str, train: str) -> None:
    x, models = data_for(kind), [unfitted(kind) for _ in range(2)]
    for model in models:
        getattr(model, train)(x)
    expected = models[0].sample(3)
    x[...] = 1 - x
    assert same(models[1].sample(3), expected)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_model_does_not_keep_a_reference_to_its_training_data(n_jobs: int) -> None:
    x = samples(3000, 12)
    model = unfitted("vanilla", epochs=1, batch_size=500, n_jobs=n_jobs).fit(x).partial_fit(x)
    data = weakref.ref(x)
    del x
    gc.collect()
    assert data() is None
    assert model.n_iter_ == 2


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", TYPES)
def test_a_model_is_freed_with_its_last_reference_without_the_garbage_collector(kind: str, n_jobs: int) -> None:
    gc.collect()
    gc.disable()
    try:
        model = fitted(kind, n_jobs=n_jobs)
        many = data_for(kind, 600)
        model.reconstruct(many)
        model.transform(many)  # is recorded
        model.score(many)
        parts = [weakref.ref(part) for part in (model, model.network_, model.training_, model.network_.arena)]
        del model
        assert [part() for part in parts] == [None] * 4
    finally:
        gc.enable()


def test_samples_are_drawn_from_the_distribution_of_codes_after_the_last_training() -> None:
    model, x = fitted("vanilla"), data_for("vanilla", 40)
    model.sample()
    model.partial_fit(x)
    np.testing.assert_allclose(model.code_distribution_.mean, model.transform(x).mean(axis=0), rtol=1e-5)


def test_a_variational_model_draws_codes_from_the_standard_normal() -> None:
    model, drawn = fitted("variational"), []
    decode = model.network_.decode
    model.network_.decode = lambda z, _=None: drawn.append(z) or decode(z)  # type: ignore[method-assign, func-returns-value]
    model.sample(20_000)
    np.testing.assert_allclose(drawn[0].mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(drawn[0].T), np.eye(4), atol=0.05)


def test_code_size_none_leaves_the_feature_map_as_the_code() -> None:
    x = data_for("convolutional")
    model = fitted("convolutional", code_size=None)
    assert model.transform(x).shape == (24, 2 * 2 * 5)
    assert model.reconstruct(x).shape == x.shape


def test_a_code_too_large_to_sample_from_says_so() -> None:
    x = samples(6, 12, 12, 1)
    model = npae.ConvolutionalAutoencoder(filters=(15,), **{**QUICK, "code_size": None}).fit(x)
    assert model.transform(x).shape == (6, 540)
    with pytest.raises(ValueError, match="at most 512 values, but this model's has 540; choose a smaller code_size"):
        model.sample()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid", "tanh", "softplus", "linear"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_activation_runs(kind: str, activation: str) -> None:
    model = fitted(kind, activation=activation, epochs=1)
    assert np.isfinite(model.reconstruct(data_for(kind))).all()


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "warm_up"])
def test_every_optimizer_and_schedule_learns(optimizer: str, schedule: str) -> None:
    rate = {"sgd": 0.002}.get(optimizer, 0.01)
    model = fitted("deep", optimizer=optimizer, schedule=schedule, epochs=8, learning_rate=rate)
    assert model.history_["loss"][-1] < 0.995 * model.history_["loss"][0]


def test_momentum_reaches_sgd_and_weight_decay_reaches_adamw_instead_of_the_loss() -> None:
    assert fitted("vanilla", optimizer="sgd", momentum=0.7).training_.optimizer.momentum == 0.7
    decoupled = fitted("vanilla", optimizer="adamw", weight_decay=0.3)
    assert decoupled.training_.optimizer.weight_decay == 0.3
    assert decoupled.network_.weight_decay == 0
    assert "weight_decay" not in decoupled.history_
    assert fitted("vanilla", weight_decay=0.3).network_.weight_decay == 0.3


def test_tied_weights_reach_the_network() -> None:
    for kind in ("vanilla", "deep"):
        free, tied = fitted(kind).network_, fitted(kind, tied_weights=True).network_
        assert tied.arena.parameter_count() < free.arena.parameter_count()


# The loss


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, "bce"), (0.2, 0.9, "bce"), (-0.01, 1, "mse"), (0, 1.01, "mse"), (-3, 5, "mse"), (0, 255, "mse")],
)
def test_auto_is_cross_entropy_where_all_values_lie_between_0_and_1(low: float, high: float, expected: str) -> None:
    x = samples(9, 5)
    x = low + (high - low) * (x - x.min()) / (x.max() - x.min())
    x = np.clip(x, low, high)
    model = npae.VanillaAutoencoder(**QUICK).fit(x)
    assert model.network_.loss.name == expected
    assert model.loss == "auto"


def test_bools_and_small_integers_are_numbers() -> None:
    x = samples(9, 5) > 0.5
    first, second, third = (npae.VanillaAutoencoder(**QUICK).fit(x.astype(t)) for t in ("bool", "uint8", "float32"))
    assert first.network_.loss.name == "bce"
    assert same(first.network_.theta, second.network_.theta)
    assert same(first.network_.theta, third.network_.theta)


@pytest.mark.parametrize("kind", ["list", "fortran", "strided", "read-only", "big-endian", "object", "float16"])
def test_lists_and_arrays_of_any_layout_and_dtype_are_accepted(kind: str) -> None:
    x = samples(9, 5).astype("float16").astype("float32")
    frozen = x.copy()
    frozen.flags.writeable = False
    given: Any = {
        "list": x.tolist(),
        "fortran": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=0)[::2],
        "read-only": frozen,
        "big-endian": x.astype(">f4"),
        "object": x.astype(object),
        "float16": x.astype("float16"),
    }[kind]
    model, reference = (npae.VanillaAutoencoder(dtype="float32", **QUICK) for _ in range(2))
    assert same(model.fit(given).transform(given), reference.fit(x).transform(x))


# Seeds


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_results(kind: str) -> None:
    x = data_for(kind)
    assert same(fitted(kind).network_.theta, fitted(kind).network_.theta)
    assert not same(fitted(kind).network_.theta, fitted(kind, random_state=1).network_.theta)
    assert same(fitted(kind).sample(3), unfitted(kind).fit(x).fit(x).sample(3))


def test_every_kind_of_random_state_is_accepted() -> None:
    x = data_for("vanilla")

    def theta(random_state: Any) -> bytes:
        return unfitted("vanilla", random_state=random_state).fit(x).network_.theta.tobytes()

    assert theta(3) == theta(np.int64(3)) == theta(np.uint8(3))
    assert theta(np.random.RandomState(3)) == theta(np.random.RandomState(3))
    assert theta(np.random.default_rng(3)) == theta(np.random.default_rng(3))
    assert theta(None) != theta(None)
    assert theta(2**32 + 3) != theta(3)
    shared = np.random.default_rng(3)
    assert theta(shared) != theta(shared)


@pytest.mark.parametrize("random_state", [-1, 0.5, "seed", [1, 2]])
def test_an_invalid_random_state_is_refused(random_state: Any) -> None:
    with pytest.raises(ValueError, match=r"random_state is .*; expected a whole number of at least 0, or None"):
        unfitted("vanilla", random_state=random_state).fit(data_for("vanilla"))


# Parameters


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_constructor_only_stores_its_arguments(name: str) -> None:
    cls = ESTIMATORS[name]
    model = cls()
    parameters = inspect.signature(cls).parameters
    assert vars(model) == {k: p.default for k, p in parameters.items()}
    assert model.get_params() == vars(model)
    marker = object()
    for parameter in parameters:
        assert cls(**{parameter: marker}).get_params()[parameter] is marker


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_type_has_the_common_parameters(name: str) -> None:
    common = {
        "code_size", "activation", "loss", "epochs", "batch_size", "learning_rate", "optimizer", "weight_decay",
        "activity_l1", "validation_fraction", "early_stopping", "patience", "random_state", "dtype", "verbose",
    }  # fmt: skip
    own = {
        "vanilla": set(),
        "deep": {"hidden"},
        "convolutional": {"filters", "kernel_size"},
        "denoising": {"hidden", "filters", "kernel_size", "noise", "noise_level"},
        "variational": {"hidden", "filters", "kernel_size", "beta"},
    }
    assert set(ESTIMATORS[name]().get_params()) >= common | own[name]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_docstring_has_every_parameter_with_its_default(name: str) -> None:
    cls = ESTIMATORS[name]
    lines = str(cls.__doc__).splitlines()
    assert lines[0] == cls.summary
    for parameter in inspect.signature(cls).parameters.values():
        (line,) = [line for line in lines if line.startswith(f"{parameter.name} : ")]
        assert ast.literal_eval(line.partition(", default ")[2]) == parameter.default


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_parameter_of_the_constructor_is_described(name: str) -> None:
    described = parameters_of(ESTIMATORS[name])
    assert [p.name for p in described] == list(ESTIMATORS[name]().get_params())
    assert all(p.description.endswith(".") for p in described)


@pytest.mark.parametrize("name", ["AutoencoderEstimator", *ESTIMATORS])
def test_the_docstring_survives_any_indentation(name: str) -> None:
    cls = ESTIMATORS.get(name, AutoencoderEstimator)
    lines = str(cls.__doc__).splitlines()
    assert all(not line.startswith(" ") for line in lines if line.endswith(("Parameters", "Examples", "Attributes")))


def test_set_params_changes_parameters_and_returns_the_model() -> None:
    model = npae.DeepAutoencoder()
    assert model.set_params(epochs=3, hidden=(4,)) is model
    assert (model.epochs, model.hidden) == (3, (4,))
    assert model.set_params() is model


def test_an_unknown_parameter_is_answered_by_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"DeepAutoencoder has no parameter 'depth'; it has .*hidden"):
        npae.DeepAutoencoder().set_params(depth=3)
    with pytest.raises(TypeError, match="depth"):
        npae.DeepAutoencoder(depth=3)


def test_set_params_leaves_a_fitted_model_until_the_next_fit() -> None:
    model, x = fitted("vanilla"), data_for("vanilla")
    before = model.transform(x)
    model.set_params(code_size=2)
    assert same(model.transform(x), before)
    assert model.fit(x).transform(x).shape == (24, 2)


def test_repr_shows_what_was_changed_and_can_be_evaluated() -> None:
    assert repr(npae.VanillaAutoencoder()) == "VanillaAutoencoder()"
    model = npae.DeepAutoencoder(hidden=(4, 3), loss="mse", learning_rate=0.5, random_state=1)
    text = repr(model)
    assert text.startswith("DeepAutoencoder(")
    assert eval(text, vars(npae)).get_params() == model.get_params()
    assert "code_size" not in text


def test_clone_of_scikit_learn_makes_an_equal_unfitted_model() -> None:
    base = pytest.importorskip("sklearn.base")
    for kind in KINDS:
        model = fitted(kind)
        twin = base.clone(model)
        assert type(twin) is type(model)
        assert twin.get_params() == model.get_params()
        assert not hasattr(twin, "network_")
        assert same(twin.fit(data_for(kind)).network_.theta, model.network_.theta)


# Copies


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_and_pickles_of_fitted_models_give_identical_results(kind: str, copied: Any) -> None:
    model, x = fitted(kind), data_for(kind)
    twin = copied(model)
    assert twin.get_params() == model.get_params()
    assert twin.history_ == model.history_
    for name in ("transform", "reconstruct", "score_samples"):
        assert same(getattr(twin, name)(x), getattr(model, name)(x))
    assert same(twin.sample(3), model.sample(3))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_independent_and_can_be_trained_further(copied: Any) -> None:
    model, x = fitted("variational"), data_for("variational")
    before = model.transform(x)
    twin = copied(model)
    twin.partial_fit(x)
    assert same(model.transform(x), before)
    assert not same(twin.transform(x), before)
    assert (model.n_iter_, twin.n_iter_) == (2, 3)
    assert twin.network_.run.step == model.network_.run.step + 3


def test_unfitted_models_can_be_copied() -> None:
    for kind in KINDS:
        twin = pickle.loads(pickle.dumps(copy.deepcopy(unfitted(kind))))
        assert twin.get_params() == unfitted(kind).get_params()


# Training


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", NEEDS_MODEL)
def test_an_unfitted_model_says_so(kind: str, method: str) -> None:
    with pytest.raises(NotFittedError, match=f"this {type(unfitted(kind)).__name__} is not fitted yet; call fit"):
        getattr(unfitted(kind), method)(data_for(kind))


def test_an_unfitted_model_can_neither_sample_nor_interpolate_nor_save(tmp_path: Any) -> None:
    x = data_for("vanilla")
    for use in (
        lambda model: model.sample(),
        lambda model: model.interpolate(x[0], x[1]),
        lambda model: model.save(tmp_path / "model"),
    ):
        with pytest.raises(NotFittedError):
            use(unfitted("vanilla"))
    assert list(tmp_path.iterdir()) == []
    assert not hasattr(unfitted("vanilla"), "n_iter_")
    assert issubclass(NotFittedError, ValueError)
    assert issubclass(NotFittedError, AttributeError)


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_goes_on_for_one_epoch_at_a_time(kind: str) -> None:
    x = data_for(kind)
    whole, parts = unfitted(kind, epochs=3).fit(x), unfitted(kind, epochs=3)
    for epoch in (1, 2, 3):
        assert parts.partial_fit(x) is parts
        assert parts.n_iter_ == epoch
    assert same(whole.network_.theta, parts.network_.theta)
    assert parts.history_["loss"] == whole.history_["loss"]
    parts.fit(x)
    assert parts.n_iter_ == 3
    assert same(whole.network_.theta, parts.network_.theta)


def test_partial_fit_takes_parts_of_any_size() -> None:
    model, x = unfitted("vanilla"), data_for("vanilla", n=40)
    for part in (x[:8], x[8:27], x[27:28], x):
        model.partial_fit(part)
    assert model.n_iter_ == 4
    assert model.network_.run.step == 1 + 3 + 1 + 5
    assert np.isfinite(model.sample(3)).all()


def test_partial_fit_refuses_samples_of_another_shape() -> None:
    model = unfitted("vanilla").partial_fit(data_for("vanilla"))
    with pytest.raises(ValueError, match="X has 5 features, but VanillaAutoencoder is expecting 12 features"):
        model.partial_fit(samples(9, 5))
    assert model.n_iter_ == 1


def test_fit_starts_afresh_also_for_another_shape() -> None:
    model = fitted("vanilla")
    model.fit(samples(9, 3, 2))
    assert model.n_features_in_ == 6
    assert model.transform(samples(2, 3, 2)).shape == (2, 4)
    assert model.n_iter_ == 2


@pytest.mark.parametrize(
    ("n", "fraction", "early_stopping", "expected"),
    [(40, 0.25, False, 10), (40, None, True, 4), (41, 0.1, True, 4), (40, None, False, 0), (40, 0.0, False, 0)],
)
def test_the_validation_split_has_the_promised_size_and_takes_each_sample_once(
    n: int, fraction: float | None, early_stopping: bool, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Array, Array | None, Any]] = []
    run = Training.run

    def watched(self: Training, data: Data, epochs: int, **options: Any) -> None:
        aside = None if data.validation is None else dense(data.validation)
        seen.append((dense(data.x).copy(), aside, options["patience"]))
        run(self, data, epochs, **options)

    monkeypatch.setattr(Training, "run", watched)
    x = samples(n, 12)
    model = unfitted("vanilla", validation_fraction=fraction, early_stopping=early_stopping, patience=7).fit(x)
    ((train, validation, patience),) = seen
    assert len(train) == n - expected
    assert patience == (7 if early_stopping else None)
    if expected == 0:
        assert validation is None
        assert "validation_loss" not in model.history_
        assert same(train, x)
    else:
        assert validation is not None
        assert len(validation) == expected
        assert sorted(map(bytes, np.concatenate([train, validation]))) == sorted(map(bytes, x))
        assert not same(validation, x[:expected])
        assert not same(validation, x[-expected:])
        assert len(model.history_["validation_loss"]) == 2


def test_early_stopping_stops_and_keeps_the_best() -> None:
    x = np.random.default_rng(0).standard_normal((40, 12))  # noise: what is learned of it does not carry over
    model = unfitted("deep", epochs=500, early_stopping=True, patience=3, learning_rate=0.02, dtype="float64").fit(x)
    losses = model.history_["validation_loss"]
    assert model.n_iter_ == int(np.argmin(losses)) + 4 < 500


@pytest.mark.parametrize("schedule", ["cosine", "step", "warm_up"])
def test_a_schedule_ends_with_the_last_epoch_also_where_data_is_set_aside(schedule: str) -> None:
    x = samples(80, 12)
    whole = unfitted("vanilla", schedule=schedule, epochs=10).fit(x[:40])
    split = unfitted("vanilla", schedule=schedule, epochs=10, validation_fraction=0.5).fit(x)
    np.testing.assert_allclose(split.history_["learning_rate"], whole.history_["learning_rate"])


def test_the_warm_up_of_beta_takes_its_epochs_also_where_data_is_set_aside() -> None:
    model = unfitted("variational", beta_warm_up=4, validation_fraction=0.5).fit(samples(80, 12))
    assert model.network_.code.layers[0].warm_up_steps == 4 * 5


def test_beta_warm_up_counts_epochs() -> None:
    assert fitted("variational", beta_warm_up=4).network_.code.layers[0].warm_up_steps == 4 * 3
    assert fitted("variational").network_.code.layers[0].warm_up_steps == 0


def test_callbacks_see_each_epoch_and_can_end_the_fit() -> None:
    seen = []
    model = unfitted("vanilla", epochs=9).fit(
        data_for("vanilla"), callbacks=[lambda training: seen.append(training.epoch) or training.epoch == 4]
    )
    assert seen == [1, 2, 3, 4]
    assert model.n_iter_ == 4


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_leaves_a_model_that_can_be_used(kind: str) -> None:
    def press(training: Training) -> None:
        raise KeyboardInterrupt

    model, x = unfitted(kind), data_for(kind)
    with pytest.warns(UserWarning, match="interrupted in epoch 2"):
        model.fit(x, callbacks=[press])
    assert model.n_iter_ == 1
    assert np.isfinite(model.reconstruct(x)).all()
    assert np.isfinite(model.sample(2)).all()


def test_ctrl_c_in_the_first_epoch_leaves_a_model_of_no_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*args: Any, **kwargs: Any) -> float:
        raise KeyboardInterrupt

    single_steps(monkeypatch, press)
    model, x = unfitted("vanilla"), data_for("vanilla")
    with pytest.warns(UserWarning, match="interrupted in epoch 1"):
        model.fit(x)
    assert np.isfinite(model.reconstruct(x)).all()
    assert model.n_iter_ == 0


@pytest.mark.parametrize("kind", KINDS)
def test_after_infinity_the_model_of_the_last_good_epoch_can_be_used(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradient, calls = ThreadReplicas.gradient, []

    def infinite_at_the_fifth_step(self: Any, *args: Any, **kwargs: Any) -> float:
        calls.append(1)
        loss = gradient(self, *args, **kwargs)
        return float("inf") if len(calls) == 5 else loss

    single_steps(monkeypatch, infinite_at_the_fifth_step)
    model, x = unfitted(kind), data_for(kind)
    with pytest.raises(NonFiniteError, match=r"in epoch 2, step 2, first in loss; .* lower the learning rate"):
        model.fit(x)
    assert model.n_iter_ == 1
    assert same(model.network_.theta, fitted(kind, epochs=1).network_.theta)
    assert np.isfinite(model.reconstruct(x)).all()
    assert np.isfinite(model.sample(2)).all()


# Mistakes


def one_sentence(error: BaseException | Warning, *parts: str) -> None:
    text = str(error)
    assert "\n" not in text
    assert len(text) < 400
    for part in parts:
        assert part in text


X5 = samples(9, 5)


def with_value(value: float) -> Array:
    x = X5.copy()
    x[2, 3] = value
    return x


BAD: dict[str, tuple[Any, type[Exception], list[str]]] = {
    "one axis": (X5[0], ValueError, ["(5,)", "Reshape your data"]),
    "a number": (np.float64(1.0), ValueError, ["()", "Reshape your data"]),
    "five axes": (samples(2, 2, 2, 2, 2), ValueError, ["(2, 2, 2, 2, 2)", "Reshape your data"]),
    "nan": (with_value(np.nan), ValueError, ["contains NaN or infinity", "1 of 45", "(2, 3)", "replace or remove"]),
    "inf": (with_value(np.inf), ValueError, ["contains NaN or infinity", "1 of 45", "(2, 3)"]),
    "inf of both signs": (np.where(X5 > 0.5, np.inf, -np.inf), ValueError, ["contains NaN or infinity", "45 of 45"]),
    "no samples": (np.empty((0, 5)), ValueError, ["(0, 5)", "minimum of 1 is required"]),
    "no features": (np.empty((5, 0)), ValueError, ["0 feature(s) (shape=(5, 0)) while a minimum of 1 is required"]),
    "complex": (X5.astype(complex), ValueError, ["Complex data not supported", "complex128"]),
    "words": (np.array([["cat", "dog"]] * 9), ValueError, ["not all numbers", "encode"]),
    "words in a list": ([["cat", 1.0]] * 9, ValueError, ["not all numbers", "encode"]),
    "none in a list": ([[None, 1.0]] * 9, ValueError, ["contains NaN"]),
    "things in a list": ([[{}, 1.0]] * 9, TypeError, ["not all numbers", "encode"]),
    "bytes": ([[b"\xff", b"1"]] * 9, ValueError, ["not all numbers", "encode"]),
    "rows of unequal length": ([[1.0, 2.0], [1.0]], ValueError, ["X", "length"]),
    "nothing": (None, ValueError, ["Reshape your data"]),
}


@pytest.mark.parametrize(("x", "kind", "parts"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_data_is_answered_by_one_sentence(x: Any, kind: Any, parts: list[str], method: str) -> None:
    model = npae.VanillaAutoencoder(**QUICK)
    with pytest.raises(kind) as caught:
        getattr(model, method)(x)
    one_sentence(caught.value, *parts)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_data_that_single_precision_cannot_hold_is_refused(method: str) -> None:
    model = npae.VanillaAutoencoder(dtype="float32", **QUICK)
    with pytest.raises(ValueError) as caught:
        getattr(model, method)(X5.astype("float64") * 1e300)
    one_sentence(caught.value, "as float32")


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score", "score_samples"])
@pytest.mark.parametrize(
    ("x", "parts"),
    [
        (samples(3, 6), ["X has 6 features", "VanillaAutoencoder", "5 features"]),
        (X5[0], ["(5,)", "Reshape your data"]),
        (samples(3, 5, 1), ["(3, 5, 1)", "(n, 5)", "reshape"]),
        (with_value(np.nan), ["contains NaN or infinity", "(2, 3)"]),
        (with_value(-np.inf), ["contains NaN or infinity", "(2, 3)"]),
        (np.empty((0, 5)), ["(0, 5)", "minimum of 1 is required"]),
        (X5.astype(complex), ["Complex data not supported"]),
        (np.array([["a"] * 5]), ["not all numbers"]),
    ],
    ids=["features", "one axis", "three axes", "nan", "inf", "no samples", "complex", "words"],
)
def test_bad_data_for_a_fitted_model_is_answered_by_one_sentence(method: str, x: Any, parts: list[str]) -> None:
    model = npae.VanillaAutoencoder(**QUICK).fit(X5)
    with pytest.raises(ValueError) as caught:
        getattr(model, method)(x)
    one_sentence(caught.value, *parts)


def test_numbers_written_as_text_are_numbers() -> None:
    model = npae.VanillaAutoencoder(**QUICK).fit(X5)
    assert same(model.transform(X5.astype(str)), model.transform(X5))


def test_the_largest_numbers_of_float64_are_finite() -> None:
    x = np.full((2, 3), 1e308)
    np.testing.assert_array_equal(check_samples(x, (3,), "float64", "X"), x)


def test_images_of_another_size_are_answered_by_the_expected_one() -> None:
    model = fitted("convolutional")
    with pytest.raises(ValueError, match=r"\(3, 8, 6, 3\) were given, but the model expects \(n, 7, 6, 3\); resize"):
        model.transform(samples(3, 8, 6, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_0_to_255_are_refused_by_cross_entropy_before_training(kind: str) -> None:
    x = (255 * data_for(kind)).astype("uint8")
    model = unfitted(kind, loss="bce")
    with pytest.raises(ValueError, match=rf"from 0 to 1, but the data runs from {x.min()} to {x.max()}; .*X / 255"):
        model.fit(x)
    model.fit(x / 255)
    for method in ("score", "score_samples"):
        with pytest.raises(ValueError, match='or fit a new model with loss="mse"'):
            getattr(model, method)(x)


def test_fewer_samples_than_a_batch_are_warned_about() -> None:
    with pytest.warns(UserWarning, match="9 samples are fewer than a batch of 10.*; lower batch_size") as caught:
        npae.VanillaAutoencoder(**{**QUICK, "batch_size": 10}).fit(X5)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        npae.VanillaAutoencoder(**{**QUICK, "batch_size": 9}).fit(X5)


WRONG: dict[str, tuple[list[Any], list[str]]] = {
    "epochs": ([0, -1, 1.5, "3", None], ["epochs", "at least 1"]),
    "batch_size": ([0, -1, 2.5, "3", None], ["batch_size", "at least 1"]),
    "code_size": ([0, -1, 2.5, "3"], ["code_size", "at least 1"]),
    "activation": (["gelu", None], ["unknown activation", "relu"]),
    "optimizer": (["newton", None], ["unknown optimizer", "adam"]),
    "schedule": (["linear", None], ["unknown schedule", "cosine"]),
    "loss": (["hinge", None, "bce_on_probabilities"], ["unknown loss", "bce", "mse"]),
    "learning_rate": ([0, -1.0, float("nan")], ["learning_rate", "above 0"]),
    "clip_norm": ([0, -1.0], ["clip_norm", "above 0"]),
    "weight_decay": ([-0.1], ["weight_decay", "at least 0"]),
    "activity_l1": ([-0.1], ["-0.1", "at least 0"]),
    "validation_fraction": ([-0.1, 1.0, float("nan")], ["validation_fraction", "from 0 to below 1"]),
    "patience": ([0, -1], ["patience", "at least 1"]),
    "dtype": (["float16", "int32", None], ["dtype", "float32", "float64"]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (values, _) in WRONG.items() for value in values], ids=str
)
def test_a_wrong_parameter_is_answered_by_one_sentence(kind: str, name: str, value: Any) -> None:
    model = unfitted(kind, **{"early_stopping": name == "patience", name: value})
    with pytest.raises((ValueError, TypeError)) as caught:
        model.fit(data_for(kind))
    one_sentence(caught.value, *WRONG[name][1])


@pytest.mark.parametrize(
    ("kind", "name", "value", "parts"),
    [
        ("vanilla", "code_size", None, ["code_size is None", "VanillaAutoencoder", "whole number"]),
        ("deep", "code_size", None, ["code_size is None", "DeepAutoencoder", "whole number"]),
        ("denoising", "code_size", None, ["code_size is None", "number", "filters"]),
        ("variational", "code_size", None, ["code_size is None", "whole number"]),
        ("denoising", "noise", "snow", ["unknown noise 'snow'", "gaussian, masking, salt_and_pepper"]),
        ("denoising", "noise_level", -1.0, ["-1.0", "expected"]),
        ("variational", "beta", -1.0, ["-1.0", "expected"]),
        ("deep", "hidden", (0,), ["expected"]),
        ("deep", "hidden", (-3,), ["-3", "expected"]),
        ("deep", "hidden", 8, ["hidden", "8", "expected"]),
        ("convolutional", "filters", (0,), ["expected"]),
        ("convolutional", "filters", 8, ["filters", "8", "expected"]),
        ("convolutional", "kernel_size", 0, ["kernel_size is 0", "expected"]),
    ],
    ids=str,
)
def test_a_wrong_parameter_of_one_type_is_answered_by_one_sentence(
    kind: str, name: str, value: Any, parts: list[str]
) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        unfitted(kind, **{name: value}).fit(data_for(kind))
    one_sentence(caught.value, *parts)


def test_flat_samples_are_signals_to_a_convolutional_model() -> None:
    model = npae.ConvolutionalAutoencoder(kernel_size=3, filters=(2,), **QUICK).fit(X5)
    assert [a.shape for name, a, _ in model.network_.arena.parameters() if name == "encoder.1.W"] == [(3, 1, 1, 2)]
    assert model.reconstruct(X5).shape == X5.shape


def test_a_model_has_the_precision_of_its_data_unless_dtype_is_given() -> None:
    def computed(dtype: str, x: Array) -> str:
        return npae.VanillaAutoencoder(dtype=dtype, **QUICK).fit(x).transform(x).dtype.name

    assert computed("auto", X5.astype("float64")) == "float64"
    assert {computed("auto", X5.astype(t)) for t in ("float32", "float16", "int64", "bool")} == {"float32"}
    assert computed("float32", X5.astype("float64")) == "float32"
    assert computed("float64", X5.astype("float32")) == "float64"


def test_a_fitted_model_keeps_its_precision() -> None:
    model = npae.VanillaAutoencoder(**QUICK).fit(X5.astype("float32"))
    assert model.partial_fit(X5.astype("float64")).transform(X5.astype("float64")).dtype == "float32"


@pytest.mark.parametrize("name", ["epochs", "batch_size", "code_size", "kernel_size", "patience"])
def test_whole_numbers_may_be_those_of_numpy(name: str) -> None:
    model = unfitted("convolutional", **{name: np.int64(3)})
    model.fit(data_for("convolutional"))
    plain = unfitted("convolutional", **{name: 3}).fit(data_for("convolutional"))
    assert same(model.network_.theta, plain.network_.theta)


def test_a_fit_that_is_refused_leaves_the_model_as_it_was() -> None:
    x = data_for("vanilla")
    for mistake in ({"optimizer": "newton"}, {"schedule": "linear"}, {"validation_fraction": 2.0}, {"clip_norm": -1}):
        model = unfitted("vanilla", **mistake)
        with pytest.raises(ValueError):
            model.fit(x)
        with pytest.raises(NotFittedError):
            model.transform(x)
    model = fitted("vanilla")
    before, history = model.transform(x), copy.deepcopy(model.history_)
    with pytest.raises(ValueError, match="X / 255"):
        model.set_params(loss="bce").fit(255 * x)
    assert model.history_ == history
    assert same(model.transform(x), before)


def test_a_split_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.1 of 4 samples leaves 0 for validation and 4 to train on; give more"):
        unfitted("vanilla", early_stopping=True).fit(data_for("vanilla", n=4))
    with pytest.raises(ValueError, match=r"0\.9 of 2 samples leaves 2 for validation and 0 to train on; give more"):
        unfitted("vanilla", validation_fraction=0.9).fit(data_for("vanilla", n=2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 5), (4,), (3, 4, 1), (0, 4)])
def test_codes_of_another_size_are_answered_by_the_expected_one(kind: str, shape: Shape) -> None:
    with pytest.raises(ValueError) as caught:
        fitted(kind).inverse_transform(np.ones(shape))
    one_sentence(caught.value, "codes", str(shape), "(n, 4)" if 0 not in shape else "at least one")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="codes contains NaN or infinity"):
        fitted("vanilla").inverse_transform(np.full((2, 4), value))


@pytest.mark.parametrize("n_samples", [0, -1, 2.5, "3", None])
def test_an_invalid_number_of_samples_is_refused(n_samples: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=f"n_samples is {n_samples!r}; expected"):
        fitted("vanilla").sample(n_samples)


@pytest.mark.parametrize("steps", [1, 0, -1, 2.5, "3", None])
def test_an_invalid_number_of_steps_is_refused(steps: Any) -> None:
    x = data_for("vanilla")
    with pytest.raises((ValueError, TypeError), match=f"steps is {steps!r}; expected"):
        fitted("vanilla").interpolate(x[0], x[1], steps=steps)


def test_interpolation_between_unequal_shapes_is_refused() -> None:
    x = data_for("vanilla")
    with pytest.raises(ValueError) as caught:
        fitted("vanilla").interpolate(x[0], x[1, :5])
    one_sentence(caught.value, "a has shape (", "give two samples")


def test_epochs_without_validation_leave_gaps_in_the_history_and_the_model_can_be_saved(tmp_path: Path) -> None:
    x = data_for("deep", n=40)
    model = unfitted("deep", early_stopping=True).fit(x).partial_fit(x)
    assert [np.isnan(v) for v in model.history_["validation_loss"]] == [False, False, True]
    model.save(tmp_path / "m")
    np.testing.assert_equal(npae.load(tmp_path / "m").history_, model.history_)


def test_a_part_after_a_schedule_is_learned_at_the_constant_rate() -> None:
    x = data_for("vanilla", n=40)
    model = unfitted("vanilla", schedule="cosine").fit(x)
    before = model.network_.theta.copy()
    model.partial_fit(x)
    assert model.history_["learning_rate"][-1] == model.learning_rate
    assert not same(model.network_.theta, before)


def test_bytes_are_learned_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="fit X / 255"):
        unfitted("vanilla", epochs=1).fit((255 * samples(40, 64) / samples(40, 64).max()).astype("uint8"))
