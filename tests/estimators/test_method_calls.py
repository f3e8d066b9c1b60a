"""What the estimators say of calls with wrong arguments."""

import inspect
import warnings

import numpy as np
import pytest

import npae
from npae.datasets.named_columns import NamedColumns
from npae.estimators import AutoencoderEstimator

X = np.zeros((4, 3), np.float32)


def test_an_unknown_argument_is_refused_in_the_name_of_the_class_and_method_that_were_called() -> None:
    with pytest.raises(TypeError) as error:
        npae.VanillaAutoencoder().sample(3, seed=1)
    assert str(error.value) == (
        "VanillaAutoencoder.sample() got an unexpected keyword argument 'seed'; it takes n_samples=1, "
        "random_state=None, sampler=None and labels=None"
    )


@pytest.mark.parametrize("method", ["fit", "partial_fit", "score", "fit_transform"])
def test_sample_weight_is_answered_by_what_to_do_instead(method: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^DeepAutoencoder\.{method}\(\) got .*'sample_weight'; .* so repeat the rows"
    ):
        getattr(npae.DeepAutoencoder(), method)(X, sample_weight=np.ones(4))


def test_other_unknown_arguments_are_not_answered_by_the_advice_for_weights() -> None:
    with pytest.raises(TypeError) as error:
        npae.DeepAutoencoder().fit(X, epochs=3)
    assert "weights" not in str(error.value)


def test_a_missing_argument_and_too_many_are_refused_in_the_same_way() -> None:
    with pytest.raises(
        TypeError, match=r"^VanillaAutoencoder\.fit\(\) is missing a required argument: 'X'; it takes X,"
    ):
        npae.VanillaAutoencoder().fit()
    with pytest.raises(TypeError, match=r"^VanillaAutoencoder\.transform\(\) got too many .*; it takes X$"):
        npae.VanillaAutoencoder().transform(X, X)


def test_no_public_method_names_a_class_that_its_caller_does_not_know() -> None:
    model = npae.VariationalAutoencoder()
    methods = [name for name, _ in inspect.getmembers(AutoencoderEstimator, inspect.isfunction) if name[0] != "_"]
    for name in set(methods) - {"set_params"}:  # which takes any name, and lists its own
        with pytest.raises(TypeError, match=rf"^VariationalAutoencoder\.{name}\(\) got an unexpected .*; it takes "):
            getattr(model, name)(unknown=1)


def test_a_type_error_from_within_a_method_stays_as_it_is() -> None:
    class Strict(npae.VanillaAutoencoder):
        def fit(self, X, y=None, *, weights):
            return super().fit(X, y, sample_weight=weights)

    with pytest.raises(TypeError, match=r"^fit\(\) got an unexpected keyword argument 'sample_weight'; samples"):
        Strict().fit(X, weights=1)  # the message is of the inherited method: that of Strict takes weights
    with pytest.raises(TypeError, match=r"^Strict\.fit\(\) is missing .*'weights'"):
        Strict().fit(X)
    with pytest.raises(TypeError, match=r"^X "):
        npae.VanillaAutoencoder().fit({"a": 1})


def test_signatures_are_those_of_the_methods() -> None:
    assert list(inspect.signature(npae.DeepAutoencoder.fit).parameters)[:3] == ["self", "X", "y"]


USES = ("transform", "score", "score_samples", "reconstruct", "partial_fit")


@pytest.mark.parametrize("use", USES)
def test_warnings_point_to_the_line_of_the_caller(use: str) -> None:
    columns = NamedColumns.of(X, ["a", "b", "c"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = npae.VanillaAutoencoder(code_size=2, epochs=1)
        model.fit(columns) if use == "transform" else model.fit_transform(columns)
        assert len(caught) == 1
        getattr(model, use)(X)
    assert len(caught) == 2
    assert {warning.filename for warning in caught} == {__file__}
