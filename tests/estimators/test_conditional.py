"""The conditional variational model: labels of any kind, in fit, samples and files; what is refused without them."""

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae import VariationalAutoencoder
from npae.datasets import ArraySource, ShardSource
from npae.estimators.labels import as_typed
from npae.utils.errors import CheckpointError, FileFormatError
from npae.utils.types import Array

N = 60
PLACES = np.arange(N) % 3
#: Labels of each kind, of three different ones in order.
KINDS: dict[str, Array] = {
    "whole numbers": np.array([-1, 1, 7]),
    "texts": np.array(["a b", "zebra", "ö"]),
    "booleans": np.array([False, True]),
    "numbers": np.array([-0.5, 0.1, 1e300]),
    "bytes of uint8": np.array([0, 1, 255], "uint8"),
}


def data(n: int = N) -> tuple[Array, Array]:
    """Samples whose first values are those of their label, and the places of the labels."""
    x, places = samples(n, 9), np.arange(n) % 3
    x[:, :3] = 0.1 + 0.8 * np.eye(3)[places]
    return x, places


def model(**parameters: Any) -> VariationalAutoencoder:
    settings = {"conditional": True, "hidden": (9,), "code_size": 2, "epochs": 2, "batch_size": 16, "random_state": 0}
    return VariationalAutoencoder(**{**settings, **parameters})


X, _ = data()


@pytest.fixture(scope="module")
def trained() -> VariationalAutoencoder:
    x, places = data(240)
    return model(epochs=60, learning_rate=0.02, batch_size=24).fit(x, places)


# What is learned


def test_a_sample_is_what_its_label_says(trained: VariationalAutoencoder) -> None:
    for place in range(3):
        drawn = trained.sample(50, labels=place)
        assert (drawn[:, :3].argmax(axis=1) == place).mean() > 0.95
    each = trained.sample(30, labels=np.arange(30) % 3)
    assert (each[:, :3].argmax(axis=1) == np.arange(30) % 3).mean() > 0.95


def test_the_code_need_not_tell_the_label_and_another_label_changes_the_sample(trained: VariationalAutoencoder) -> None:
    x, places = data()
    other = trained.reconstruct(x, (places + 1) % 3)
    assert (other[:, :3].argmax(axis=1) == (places + 1) % 3).mean() > 0.9
    np.testing.assert_array_equal(
        trained.inverse_transform(trained.transform(x), places), trained.reconstruct(x, places)
    )
    assert trained.score(x, places) > trained.score(x, (places + 1) % 3) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_every_kind_train_the_same_model_and_come_back_from_its_file(kind: str, tmp_path: Path) -> None:
    kinds = KINDS[kind]
    places = np.arange(N) % len(kinds)
    fitted = model().fit(X, kinds[places])
    np.testing.assert_array_equal(fitted.classes_, kinds)
    np.testing.assert_array_equal(fitted.network_.theta, model().fit(X, places).network_.theta)
    fitted.save(tmp_path / "m")
    again = npae.load(tmp_path / "m")
    assert again.classes_.tolist() == kinds.tolist()
    assert again.classes_.dtype == kinds.dtype
    label = kinds[1]
    np.testing.assert_array_equal(again.sample(3, labels=label), fitted.sample(3, labels=[label] * 3))
    assert as_typed(str(label), again.classes_) == label


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_conditional_run_is_a_function_of_seed_and_threads(n_jobs: int) -> None:
    runs = [model(n_jobs=n_jobs, recorded=recorded).fit(X, PLACES).network_.theta for recorded in (True, False, True)]
    assert runs[0].tobytes() == runs[1].tobytes() == runs[2].tobytes()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_the_labels(copied: Any) -> None:
    fitted = model().fit(X, KINDS["texts"][PLACES])
    other = copied(fitted)
    np.testing.assert_array_equal(other.sample(4, labels="zebra"), fitted.sample(4, labels="zebra"))
    np.testing.assert_array_equal(other.classes_, fitted.classes_)


def test_a_clone_is_conditional_and_not_fitted() -> None:
    base = pytest.importorskip("sklearn.base")
    other = base.clone(model().fit(X, PLACES))
    assert other.conditional
    assert not hasattr(other, "network_")
    np.testing.assert_array_equal(other.fit(X, PLACES).network_.theta, model().fit(X, PLACES).network_.theta)


def test_in_a_search_labels_are_passed_to_fit_and_score() -> None:
    selection = pytest.importorskip("sklearn.model_selection")
    search = selection.GridSearchCV(model(epochs=1), {"code_size": [2, 3]}, cv=2).fit(X, KINDS["texts"][PLACES])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_validation_samples_keep_their_labels() -> None:
    x, places = data(100)
    by_label = {}
    for name, y in (("right", places), ("shuffled", np.random.default_rng(0).permutation(places))):
        fitted = model(validation_fraction=0.3, epochs=40, learning_rate=0.02).fit(x, y)
        by_label[name] = fitted.history_["validation_loss"][-1]
    assert by_label["right"] < by_label["shuffled"] - 0.5


def test_a_convolutional_model_takes_labels_too() -> None:
    fitted = model(filters=(3,), epochs=1).fit(samples(N, 6, 5), PLACES)
    assert fitted.sample(2, labels=[0, 2]).shape == (2, 6, 5)


def test_rows_of_a_sparse_matrix_keep_their_labels() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    fitted = model().fit(sparse.csr_array(X), PLACES)
    np.testing.assert_array_equal(fitted.network_.theta, model().fit(X, PLACES).network_.theta)
    assert fitted.reconstruct(sparse.csr_array(X), PLACES).shape == X.shape


@pytest.mark.parametrize("sampler", ["prior", "gaussian", "gmm"])
def test_every_sampler_takes_labels(sampler: str) -> None:
    pytest.importorskip("sklearn")
    assert model().fit(*data(90)).sample(3, sampler=sampler, labels=1).shape == (3, 9)


def test_the_gaussians_of_a_conditional_model_are_those_of_each_label(trained: VariationalAutoencoder) -> None:
    x, places = data(240)
    codes = trained.transform(x).astype(float)
    for place, found in enumerate(trained.code_distribution_):
        np.testing.assert_allclose(found.mean, codes[places == place].mean(axis=0), rtol=1e-4, atol=1e-5)
    drawn: list[Array] = []
    net = trained.network_
    labels = np.arange(6000) % 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(net, "decode", lambda z, places: drawn.append(z) or np.zeros(1))
        trained.sample(6000, sampler="gaussian", labels=labels)
    for place in range(3):
        mean, spread = codes[places == place].mean(axis=0), codes[places == place].std(axis=0)
        np.testing.assert_allclose(drawn[0][labels == place].mean(axis=0), mean, atol=0.1 * spread.max())


@pytest.mark.parametrize("sampler", ["gaussian", "gmm"])
def test_distributions_of_each_label_are_saved(sampler: str, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    fitted = model().fit(*data(120))
    expected = fitted.sample(6, sampler=sampler, labels=[0, 1, 2, 0, 1, 2])
    fitted.save(tmp_path / "m")
    again = npae.load(tmp_path / "m")
    np.testing.assert_array_equal(again.sample(6, sampler=sampler, labels=[0, 1, 2, 0, 1, 2]), expected)
    assert len(again.code_distribution_) == 3


def test_a_mixture_of_each_label_needs_samples_of_each() -> None:
    pytest.importorskip("sklearn")
    x, places = data(120)
    words = "2 values needs at least 30 training samples of each label, but there were 29; give more"
    with pytest.raises(ValueError, match=words):
        model().fit(x[:89], places[:89]).sample(sampler="gmm", labels=1)
    assert model().fit(x[:90], places[:90]).sample(sampler="gmm", labels=1).shape == (1, 9)


def test_parts_without_a_label_keep_its_codes() -> None:
    x, places = data()
    fitted = model().fit(x, places)
    before = [codes.copy() for codes in fitted._distributions.codes]
    fitted.partial_fit(x[places == 1], places[places == 1])
    after = fitted._distributions.codes
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_array_equal(after[2], before[2])
    np.testing.assert_allclose(after[1], fitted.transform(x[places == 1]), atol=1e-6)


def test_a_rare_label_has_codes_however_many_samples_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npae.estimators.code_distributions.CODES_KEPT", 60)
    x = samples(300, 9)
    fitted = model(epochs=1).fit(x, np.arange(300) == 7)
    assert [len(codes) for codes in fitted._distributions.codes] == [30, 1]
    assert fitted.sample(sampler="gaussian", labels=True).shape == (1, 9)


# Training goes on


def test_a_resumed_run_is_the_run_and_other_labels_are_another_run(tmp_path: Path) -> None:
    whole = model(epochs=4).fit(X, PLACES).network_.theta
    for epochs in (2, 4):
        resumed = model(epochs=epochs)
        resumed.fit(X, PLACES, checkpoints=npae.Checkpoints(tmp_path, resume=True))
    np.testing.assert_array_equal(resumed.network_.theta, whole)
    newest = npae.Checkpoints(tmp_path).paths()[-1]
    np.testing.assert_array_equal(npae.load(newest).sample(2, labels=1), resumed.sample(2, labels=1))
    with pytest.raises(CheckpointError, match="content of the training labels: not the same"):
        model(epochs=4).fit(X, (PLACES + 1) % 3, checkpoints=npae.Checkpoints(tmp_path, resume=True))


def test_parts_are_learned_with_their_labels_also_by_a_loaded_model(tmp_path: Path) -> None:
    texts = KINDS["texts"][PLACES]
    fitted = model().partial_fit(X, texts)
    fitted.save(tmp_path / "m")
    loaded = npae.load(tmp_path / "m").partial_fit(X[:20], texts[:20])
    assert loaded.n_iter_ == 2
    before = fitted.network_.theta.copy()
    fitted.set_params(learning_rate=0.01, beta=2.0).partial_fit(X[:20], texts[:20])
    assert not np.array_equal(fitted.network_.theta, before)
    with pytest.raises(
        ValueError, match=r"labels y have 'dog', which the model was not fitted with; it knows 'a b', 'zebra'"
    ):
        fitted.partial_fit(X[:2], ["dog", "zebra"])


def test_conditional_is_a_parameter_that_only_fit_changes() -> None:
    fitted = model().fit(X, PLACES).set_params(conditional=False)
    with pytest.raises(ValueError, match="conditional was True when this VariationalAutoencoder was fitted"):
        fitted.partial_fit(X, PLACES)
    assert not hasattr(fitted.fit(X), "classes_")
    assert fitted.sample(2).shape == (2, 9)


def test_validation_data_of_their_own_have_labels_as_arrays_and_as_sources() -> None:
    stored = (X * 255).astype(np.uint8)
    x, labels = stored.astype(np.float32) / 255, KINDS["texts"][PLACES]
    asked = model(epochs=2).fit(x, labels, validation=np.arange(40, N))
    losses = []
    for wanted in (labels[40:], labels[40:][::-1]):
        for given, own in (
            (x[:40], (x[40:], wanted)),
            (ArraySource(stored[:40], divide=255), (ArraySource(stored[40:], divide=255), wanted.tolist())),
            (ShardSource([stored[:7], stored[7:40]], divide=255), (ShardSource([stored[40:]], divide=255), wanted)),
        ):
            other = model(epochs=2).fit(given, labels[:40], validation=own)
            assert other.network_.theta.tobytes() == asked.network_.theta.tobytes()
            losses.append(other.history_["validation_loss"])
    assert losses[0] == losses[1] == losses[2] == asked.history_["validation_loss"]
    assert losses[3] == losses[4] == losses[5] != losses[0]


@pytest.mark.parametrize("kind", [np.asarray, ArraySource])
def test_validation_data_without_the_labels_of_its_samples_are_refused(kind: Any) -> None:
    labels, own = KINDS["texts"][PLACES], kind(X[:9])
    for given, words in (
        (own, r"so validation needs labels too; give validation=\(X, y\)"),
        ((own, labels[:8]), "the validation labels.* 9"),
        ((own, ["a b"] * 8 + ["c"]), "the validation labels have 'c', which the model was not fitted with"),
    ):
        with pytest.raises(ValueError, match=words):
            model().fit(X, labels, validation=given)


def test_a_fit_that_is_refused_leaves_the_labels_of_the_earlier_one() -> None:
    fitted = model().fit(X, KINDS["texts"][PLACES])
    with pytest.raises(ValueError, match="expected a whole number"):
        fitted.set_params(code_size=-1).fit(X, PLACES)
    assert fitted.classes_.tolist() == KINDS["texts"].tolist()


# Refusals


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (
            lambda m: m.sample(2),
            "it rebuilds or draws depends on a label; give labels, one of classes_ for each sample",
        ),
        (lambda m: m.reconstruct(X), "depends on a label; give the labels y"),
        (lambda m: m.score(X), "depends on a label; give the labels y"),
        (lambda m: m.score_samples(X), "depends on a label; give the labels y"),
        (lambda m: m.inverse_transform(m.transform(X)), "depends on a label; give labels"),
        (lambda m: m.interpolate(X[0], X[1]), "depends on a label; give labels"),
        (lambda m: m.partial_fit(X), "depends on a label; give the labels y"),
        (
            lambda m: m.sample(2, labels=[1]),
            r"labels have shape \(1,\), but there are 2 samples; give one label for each",
        ),
        (lambda m: m.sample(2, labels=3), "labels have 3, which the model was not fitted with; it knows 0, 1, 2"),
        (lambda m: m.sample(2, labels="1"), "labels have '1', which the model was not fitted with"),
        (lambda m: m.reconstruct(X, PLACES[:-1]), r"the labels y have shape \(59,\), but there are 60 samples"),
        (lambda m: m.fit(X), r"conditional=True needs a label for each sample; call fit\(X, y\)"),
        (lambda m: m.fit(X, PLACES[:-1]), r"the labels y have shape \(59,\), but there are 60 samples"),
        (
            lambda m: m.fit(X, [1, "1"] * 30),
            "the labels y are partly texts and partly numbers; give labels of one kind",
        ),
        (lambda m: m.fit(X, [1, None] * 30), "missing"),
        (lambda m: m.fit(X, PLACES + 1j), "the labels y are of type complex128, but have to be numbers or texts"),
    ],
)
def test_what_is_wrong_with_labels_is_said(use: Any, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        use(model().fit(X, PLACES))


@pytest.mark.parametrize("kind", ["variational", "deep"])
def test_labels_for_a_model_without_a_condition_are_refused_and_y_of_fit_and_score_is_not(kind: str) -> None:
    plain = npae.DeepAutoencoder(hidden=(5,), code_size=2, epochs=1, batch_size=16)
    fitted = (model(conditional=False, epochs=1) if kind == "variational" else plain).fit(X, PLACES)
    assert np.isfinite(fitted.score(X, PLACES))
    for use in (
        lambda: fitted.sample(1, labels=1),
        lambda: fitted.reconstruct(X, PLACES),
        lambda: fitted.inverse_transform(fitted.transform(X), PLACES),
    ):
        with pytest.raises(ValueError, match=r"were given, but this \w+ is not conditional; leave them out"):
            use()


def test_transform_needs_no_labels_nor_does_the_encoder_alone(tmp_path: Path) -> None:
    fitted = model().fit(X, PLACES)
    fitted.save(tmp_path / "m")
    np.testing.assert_allclose(npae.load_encoder(tmp_path / "m").transform(X), fitted.transform(X), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.pop("classes"), "classes"),
        (lambda r: r["classes"]["values"].pop(), "it knows 2 labels, but the network takes 3"),
        (lambda r: r["classes"].update(values=["b", "a", "c"]), "not different values of one kind, in order"),
        (lambda r: r["classes"].update(values=["a", "a", "c"]), "not different values of one kind, in order"),
        (lambda r: r["classes"].update(kind="object"), "not different values of one kind, in order"),
        (lambda r: r["classes"].update(kind="int64"), "."),
        (lambda r: r["classes"].update(values=[]), "the labels are no list of a kind"),
        (lambda r: r["classes"].update(kind=["str"]), "the labels are no list of a kind"),
        (lambda r: r.update(classes=3), "."),
    ],
)
def test_a_file_whose_labels_were_changed_is_refused(change: Any, words: str, tmp_path: Path) -> None:
    import json

    from npae.utils import safetensors

    model().fit(X, np.array(["a", "b", "c"])[PLACES]).save(tmp_path / "m")
    arrays, metadata = safetensors.read(tmp_path / "m")
    record = json.loads(metadata["npae"])
    change(record)
    safetensors.write(tmp_path / "wrong", arrays, {"npae": json.dumps(record)})
    with pytest.raises(FileFormatError, match=words):
        npae.load(tmp_path / "wrong")


def test_a_list_of_texts_of_numpy_is_a_list_of_labels() -> None:
    names = np.array(["a", "b", "c"])
    fitted = model().fit(X, list(names[PLACES]))
    np.testing.assert_array_equal(fitted.sample(2, labels=[names[1]] * 2), fitted.sample(2, labels="b"))
    np.testing.assert_array_equal(fitted.sample(2, labels=names[1]), fitted.sample(2, labels="b"))
