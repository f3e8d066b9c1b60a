"""The classifier of codes: agreement with scikit-learn, its file, and the draw of a few labels."""

import json

import numpy as np
import pytest
from helpers.small_models import data_for, fitted
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.applications import classification
from npae.applications.classifier import KEY, Classifier
from npae.applications.features import Features
from npae.applications.stratified import stratified
from npae.utils import safetensors
from npae.utils.errors import FileFormatError, Hint

RNG = np.random.default_rng(0)


def groups(n, k, size=5, seed=0):
    """Features of k overlapping groups in the order of their labels, and the numbers of the groups."""
    rng = np.random.default_rng(seed)
    numbers = np.sort(np.arange(n) % k)
    centres = np.random.default_rng(9).normal(size=(k, size))
    return (centres[numbers] + 0.5 * rng.normal(size=(n, size))) * [1, 10, 0.1, 1, 1][:size] + 3, numbers


NAMES = {
    "two signs": np.array([-1, 1]),
    "names with spaces": np.array(["big dog", "tabby cat", "Ärger"]),
    "forty persons": np.array([f"person {i:02}" for i in range(40)]),
}


@pytest.mark.parametrize("kind", NAMES)
def test_probabilities_are_those_of_scikit_learn(kind):
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    names = NAMES[kind]
    x, numbers = groups(400, len(names))
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-3)).fit(x, names[numbers])
    ours = Classifier.fit(x, names[numbers])
    np.testing.assert_allclose(ours.probabilities(x), theirs.predict_proba(x), atol=1e-9)
    labels, probabilities = ours.predict(x)
    assert labels.tolist() == theirs.predict(x).tolist()
    np.testing.assert_allclose(probabilities, theirs.predict_proba(x).max(axis=1), atol=1e-9)


def test_sparse_features_give_the_classifier_of_dense_ones_and_stay_sparse():
    pytest.importorskip("sklearn")
    from scipy import sparse

    x = RNG.random((300, 8)) * (RNG.random((300, 8)) < 0.3)
    labels = (x[:, 0] + x[:, 1] > 0.4).astype(int)
    for matrix in (sparse.csr_array(x), sparse.csr_matrix(x)):
        ours = Classifier.fit(matrix, labels)
        assert not ours.mean.any()
        np.testing.assert_allclose(ours.probabilities(matrix), Classifier.fit(x, labels).probabilities(x), atol=0.03)


@pytest.mark.parametrize("kind", NAMES)
def test_a_classifier_is_restored_from_its_file_and_refuses_another_model(kind, tmp_path):
    pytest.importorskip("sklearn")
    names, model = NAMES[kind], fitted("deep")
    x = RNG.random((120, 12), "float32")
    classifier = Classifier.of(model, x, names[np.arange(120) % len(names)])
    classifier.save(tmp_path / "c.safetensors")
    again = Classifier.load(tmp_path / "c.safetensors", model)
    assert again.labels.tolist() == names.tolist()
    for ours, theirs in zip(again.predict_samples(model, x), classifier.predict_samples(model, x), strict=True):
        assert ours.tolist() == theirs.tolist()
    with pytest.raises(ValueError, match=r"was fitted to codes of another model, which mean something else; give that"):
        Classifier.load(tmp_path / "c.safetensors", fitted("deep", random_state=1))


def test_a_saved_classifier_predicts_without_scikit_learn(tmp_path, monkeypatch):
    import sys

    Classifier(np.zeros(4), np.ones(4), RNG.normal(size=(4, 2)), np.zeros(2), np.array(["a", "b"])).save(tmp_path / "c")
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)  # so that an import fails
    model = fitted("deep")
    labels, _ = Classifier.load(tmp_path / "c").predict_samples(model, data_for("deep"))
    assert set(labels) <= {"a", "b"}


def edited(path, arrays=(), **record):
    """The file with some of its content replaced."""
    old, metadata = safetensors.read(path)
    content = {**json.loads(metadata[KEY]), **record}
    new = {name: np.array(a) for name, a in old.items()} | dict(arrays)
    safetensors.write(path, new, {KEY: json.dumps(content)})


@pytest.mark.parametrize(
    ("arrays", "record"),
    [
        ({}, {"format": 2}),
        ({}, {"labels": ["a"]}),
        ({}, {"labels": ["a", "a"]}),
        ({}, {"labels": ["b", "a"]}),
        ({}, {"labels": ["a", 1]}),
        ({}, {"labels": [1.5, 2.5]}),
        ({}, {"labels": [1, 2**80]}),
        ({}, {"labels": ["a", "b", "c"]}),
        ({}, {"labels": None}),
        ({}, {"labels": []}),
        ({}, {"model": 3}),
        ({"W": np.zeros((3, 2))}, {}),
        ({"W": np.zeros(4)}, {}),
        ({"b": np.array([0.0, np.nan])}, {}),
        ({"b": np.zeros(2, np.float32)}, {}),
        ({"scale": np.zeros(4)}, {}),
    ],
)
def test_a_file_that_is_no_classifier_is_refused(arrays, record, tmp_path):
    path = tmp_path / "c.safetensors"
    Classifier(np.zeros(4), np.ones(4), np.zeros((4, 2)), np.zeros(2), np.array(["a", "b"])).save(path)
    Classifier.load(path)
    edited(path, arrays, **record)
    with pytest.raises(FileFormatError, match="is no classifier that this version reads; make it with npae classify"):
        Classifier.load(path)


def test_a_model_is_no_classifier(tmp_path):
    fitted("deep").save(tmp_path / "m.safetensors")
    with pytest.raises(FileFormatError, match="is no classifier that this version reads"):
        Classifier.load(tmp_path / "m.safetensors")


def test_features_of_another_size_are_refused():
    classifier = Classifier(np.zeros(4), np.ones(4), np.zeros((4, 2)), np.zeros(2), np.array([0, 1]))
    with pytest.raises(ValueError, match=r"features of shape \(2, 5\) were given, but the classifier expects \(n, 4\)"):
        classifier.predict(np.zeros((2, 5)))


@pytest.mark.parametrize("labels", [[0.5, 1.0] * 5, [b"a", b"b"] * 5, [1, "a"] * 5])
def test_labels_that_a_file_cannot_hold_are_refused(labels):
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match=r"the labels are of dtype .*, but whole numbers or texts are expected"):
        Classifier.fit(RNG.random((10, 2)), np.array(labels, dtype=object if 1 in labels[:1] else None))


def test_a_classifier_that_has_not_converged_says_so(monkeypatch):
    pytest.importorskip("sklearn")
    from npae.applications import classifier

    monkeypatch.setattr(classifier, "STEPS", 2)
    x, numbers = groups(200, 5)
    with pytest.warns(Hint, match="had not converged after 2 steps"):
        Classifier.fit(x, numbers)


# The draw of a few labels


@given(counts=st.lists(st.integers(1, 60), min_size=1, max_size=12), n=st.integers(1, 200), seed=st.integers(0, 5))
@settings(deadline=None)
@pytest.mark.filterwarnings("ignore::npae.utils.errors.Hint")
def test_a_stratified_draw_keeps_the_shares_and_has_one_of_each_label_if_it_can(counts, n, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    drawn = stratified(labels, n, seed)
    assert len(drawn) == len(set(drawn.tolist())) == min(n, len(labels))
    assert (np.diff(drawn) > 0).all()
    taken = np.bincount(labels[drawn], minlength=len(counts))
    if n >= len(counts):
        assert taken.min() >= 1
        exact = min(n, len(labels)) * np.array(counts) / len(labels)
        assert (taken <= np.maximum(1, np.ceil(exact))).all()
    else:
        assert taken.max() == 1


def test_a_draw_is_random_and_repeatable():
    labels = np.arange(100) % 4
    first = stratified(labels, 20)
    assert first.tolist() == stratified(labels, 20).tolist()
    assert first.tolist() != stratified(labels, 20, 1).tolist()
    assert first.max() > 40  # not those at the beginning


def test_fewer_samples_than_labels_are_said_and_enough_are_not():
    labels = np.arange(40)
    with pytest.warns(Hint, match="13 samples are fewer than the 40 labels, so 27 labels have none; draw at least 40"):
        assert len(stratified(labels, 13)) == 13
    assert len(stratified(labels, 40)) == 40  # a warning would be an error


# The comparison


def ways(x, test):
    return [Features("raw", x, test)]


@pytest.mark.parametrize("kind", NAMES)
def test_samples_in_the_order_of_their_labels_are_learned_from_few(kind):
    pytest.importorskip("sklearn")
    names = NAMES[kind]
    (x, numbers), (test, test_numbers) = groups(800, len(names)), groups(400, len(names), seed=1)
    ((_, _, few, every),) = classification.measure(ways(x, test), names[numbers], names[test_numbers], 100, 0)
    chance = 1 / len(names)
    assert few > chance + 0.5 * (1 - chance) * every
    assert every >= few - 0.02


def test_the_accuracy_with_few_labels_is_the_mean_of_ten_draws():
    pytest.importorskip("sklearn")
    (x, numbers), (test, test_numbers) = groups(300, 4), groups(200, 4, seed=1)
    each = []
    for seed in range(7, 17):
        chosen = stratified(numbers, 8, seed)
        found, _ = Classifier.fit(x[chosen], numbers[chosen]).predict(test)
        each.append((found == test_numbers).mean())
    ((_, _, few, _),) = classification.measure(ways(x, test), numbers, test_numbers, 8, 7)
    assert few == pytest.approx(np.mean(each))
    assert len(set(each)) > 1


def test_labels_of_the_test_alone_are_said():
    pytest.importorskip("sklearn")
    x, numbers = groups(60, 3)
    with pytest.warns(
        Hint, match=r"20 of 60 test samples have labels that no training sample has \(2\), so they cannot"
    ):
        classification.measure(ways(x[numbers < 2], x), numbers[numbers < 2], numbers, 20, 0)
