"""The estimators in scikit-learn's tools, and its estimator checks; npae itself never imports scikit-learn."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from helpers.small_models import TYPES, samples, unfitted

import npae
from npae.estimators import ESTIMATORS

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

X = samples(40, 12)
Y = (X[:, 0] > 0.5).astype(int)
SMALL = {"epochs": 2, "code_size": 3, "batch_size": 8}

#: scikit-learn's checks of a transformer that are not part of check_estimator.
BEYOND = [
    "check_dataframe_column_names_consistency",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@pytest.mark.filterwarnings("ignore:.* samples are fewer than a batch:UserWarning")
@pytest.mark.filterwarnings("ignore:X holds whole numbers of 0-255:UserWarning")
@pytest.mark.filterwarnings("ignore:Estimator .* does not inherit from:UserWarning")
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_every_check_of_check_estimator_passes(kind, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without it one check is skipped
    results = estimator_checks.check_estimator(ESTIMATORS[kind](**SMALL), on_skip=None, on_fail=None)
    assert len(results) > 40
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"] == []
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {"check_array_api_input"}


@pytest.mark.filterwarnings("ignore:.* samples are fewer than a batch:UserWarning")
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize("check", BEYOND)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_dataframes_are_accepted_and_returned_as_scikit_learn_expects(kind, check):
    library = "polars" if "polars" in check else "pandas"
    pytest.importorskip(library)
    cls = ESTIMATORS[kind]
    getattr(estimator_checks, check)(cls.__name__, cls(**SMALL))


def test_a_model_works_at_the_end_and_in_the_middle_of_a_pipeline():
    last = make_pipeline(MinMaxScaler(), unfitted("deep")).fit(X)
    assert last.transform(X).shape == (40, 4)
    assert list(last.get_feature_names_out()) == [f"deepautoencoder{i}" for i in range(4)]
    within = make_pipeline(MinMaxScaler(), unfitted("vanilla"), LogisticRegression()).fit(X, Y)
    assert within.predict(X).shape == (40,)


def test_a_model_works_on_some_columns_beside_others():
    columns = ColumnTransformer([("code", unfitted("vanilla"), slice(0, 8)), ("rest", "passthrough", slice(8, 12))])
    out = columns.fit_transform(X)
    assert out.shape == (40, 4 + 4)
    assert np.array_equal(out[:, 4:], X[:, 8:])


def test_a_fit_without_column_names_forgets_those_of_the_fit_before():
    frame = pytest.importorskip("pandas").DataFrame(X, columns=[f"c{i}" for i in range(12)])
    model = unfitted("vanilla").fit(frame).fit(X)
    assert not hasattr(model, "feature_names_in_")
    with warnings.catch_warnings(action="error"):
        model.transform(X)


@pytest.mark.parametrize(("n", "is_cut_off"), [(5, False), (6, True)])
def test_a_list_of_columns_ends_with_dots_only_where_some_are_left_out(n, is_cut_off):
    pandas = pytest.importorskip("pandas")
    names = [f"c{i}" for i in range(12)]
    model = unfitted("vanilla").fit(pandas.DataFrame(X, columns=names))
    with pytest.raises(ValueError, match="yet now missing") as caught:
        model.transform(pandas.DataFrame(X[:, n:], columns=names[n:]))
    assert str(caught.value).endswith("- ...\n") is is_cut_off
    assert "- c4\n" in str(caught.value)


def test_parameters_are_searched_by_score():
    search = GridSearchCV(unfitted("vanilla", epochs=3), {"code_size": [1, 6]}, cv=2).fit(X)
    assert search.best_params_ in ({"code_size": 1}, {"code_size": 6})
    assert np.isfinite(cross_val_score(unfitted("variational"), X, cv=2)).all()


def test_parameters_within_a_pipeline_are_searched():
    pipe = make_pipeline(MinMaxScaler(), unfitted("deep"))
    search = GridSearchCV(pipe, {"deepautoencoder__hidden": [(8,), (9, 6)]}, cv=2).fit(X)
    assert search.best_params_["deepautoencoder__hidden"] in [(8,), (9, 6)]


def test_scikit_learn_distinguishes_fitted_and_unfitted_models():
    model = unfitted("vanilla")
    with pytest.raises(ValueError, match="not fitted"):
        check_is_fitted(model)
    check_is_fitted(model.fit(X))
    assert not hasattr(clone(model), "network_")


@pytest.mark.parametrize("kind", TYPES)
def test_a_clone_keeps_parameters_and_the_chosen_output(kind):
    model = unfitted(kind).set_output(transform="default")
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert twin._sklearn_output_config == {"transform": "default"}


def test_tags_say_that_targets_are_not_needed_and_what_is_kept():
    tags = npae.DeepAutoencoder().__sklearn_tags__()
    assert not tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]
    assert npae.DeepAutoencoder(dtype="float32").__sklearn_tags__().transformer_tags.preserves_dtype == ["float32"]


def test_an_unknown_container_is_answered_by_the_known_ones():
    with pytest.raises(ValueError, match="'numpy'; expected one of default, pandas, polars"):
        unfitted("vanilla").set_output(transform="numpy")


def test_names_of_columns_survive_the_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"col{i}" for i in range(12)])
    model = unfitted("vanilla").fit(frame)
    model.save(tmp_path / "model.safetensors")
    again = npae.load(tmp_path / "model.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(again.transform(frame), model.transform(frame))
    with pytest.raises(ValueError, match="same order"):
        again.transform(frame[frame.columns[::-1]])


def test_fitting_and_encoding_never_import_scikit_learn_or_pandas():
    script = (
        "import sys, numpy as np, npae\n"
        "x = np.random.default_rng(0).random((40, 5))\n"
        "m = npae.VanillaAutoencoder(epochs=1, code_size=2, batch_size=8).fit(x)\n"
        "m.transform(x), m.get_feature_names_out(), repr(m)\n"
        "print([name for name in ('sklearn', 'pandas', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
