"""The estimators among scikit-learn's own tools. scikit-learn is the oracle here; npae never imports it."""

import numpy as np
import pytest
from small_models import samples, unfitted

import npae

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.validation import check_is_fitted

X = samples(40, 12)
Y = (X[:, 0] > 0.5).astype(int)


def test_a_model_stands_at_the_end_of_a_pipeline_and_within_one():
    last = make_pipeline(MinMaxScaler(), unfitted("deep")).fit(X)
    assert last.transform(X).shape == (40, 4)
    within = make_pipeline(MinMaxScaler(), unfitted("vanilla"), LogisticRegression()).fit(X, Y)
    assert within.predict(X).shape == (40,)


def test_parameters_are_searched_by_score():
    search = GridSearchCV(unfitted("vanilla", epochs=3), {"code_size": [1, 6]}, cv=2).fit(X)
    assert search.best_params_ in ({"code_size": 1}, {"code_size": 6})
    assert np.isfinite(cross_val_score(unfitted("variational"), X, cv=2)).all()


def test_fitted_and_unfitted_models_are_told_apart():
    model = unfitted("vanilla")
    with pytest.raises(ValueError, match="not fitted"):
        check_is_fitted(model)
    check_is_fitted(model.fit(X))
    assert not hasattr(clone(model), "network_")


def test_tags_say_that_targets_are_not_needed():
    assert not npae.DeepAutoencoder().__sklearn_tags__().target_tags.required
