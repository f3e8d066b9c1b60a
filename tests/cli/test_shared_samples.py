"""Samples that are measured and were given as training samples, too, are spoken of; others never are."""

import warnings

import numpy as np
import pytest

import npae
from npae.cli import main
from npae.cli.shared_samples import warn_of_shared, warn_of_shared_texts

RNG = np.random.default_rng(0)
TRAIN, OTHERS = RNG.random((40, 6), dtype="float32"), RNG.random((24, 6), dtype="float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=20, random_state=0).fit(TRAIN).save(folder / "m")
    np.save(folder / "train.npy", TRAIN)
    np.save(folder / "others.npy", OTHERS)
    np.save(folder / "labels.npy", np.arange(40) % 2)
    np.save(folder / "other-labels.npy", np.arange(24) % 2)
    np.savetxt(folder / "half.csv", np.concatenate([OTHERS[:14], TRAIN[14:24]]), delimiter=",", fmt="%.9g")
    np.save(folder / "images.npy", TRAIN.reshape(40, 2, 3))
    images = TRAIN.reshape(40, 2, 3)
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=20, random_state=0).fit(images).save(folder / "i")
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def hints(capsys, *arguments, code=0):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert main(list(arguments)) == code
    return [line for line in capsys.readouterr().err.splitlines() if ", too, " in line]


LABELS = ["--train-labels", "labels.npy", "--test-labels", "labels.npy"]
OTHER_LABELS = ["--train-labels", "labels.npy", "--test-labels", "other-labels.npy"]


@pytest.mark.parametrize("verb", ["retrieve", "classify", "reduce", "cluster", "detect"])
def test_a_verb_says_that_its_test_samples_are_training_samples_and_only_then(verb, capsys):
    if verb in ("classify", "cluster"):
        pytest.importorskip("sklearn")
    labels, others = ([], []) if verb in ("reduce", "detect") else (LABELS, OTHER_LABELS)
    (all_of_them,) = hints(capsys, verb, "m", "--train", "train.npy", "--test", "train.npy", *labels)
    so = "so what is measured need not hold for new ones; give others"
    assert all_of_them == f"npae: all 40 samples of --test are in --train, too, {so}"
    (half,) = hints(capsys, verb, "m", "--train", "train.npy", "--test", "half.csv", *others)
    assert "10 of the 24 samples of --test are in --train, too, " in half
    assert hints(capsys, verb, "m", "--train", "train.npy", "--test", "others.npy", *others) == []


def test_only_the_samples_that_first_keeps_are_compared(capsys):
    sides = ["--train", "train.npy", "--test", "half.csv"]
    assert hints(capsys, "detect", "m", *sides, "--first", "14") == []


def test_detect_says_that_outliers_are_test_samples_and_data_known_good_samples(capsys, tmp_path):
    sides = ["--train", "train.npy", "--test", "others.npy"]
    (hint,) = hints(capsys, "detect", "m", *sides, "--outliers", "others.npy")
    assert "all 24 samples of --outliers others.npy are in --test, too, whose samples count as inliers" in hint
    out = ["--out", str(tmp_path / "scores.csv"), "--force"]
    (hint,) = hints(capsys, "detect", "m", "--train", "train.npy", "--data", "half.csv", *out)
    assert "10 of the 24 samples of --data are in --train, too, whose samples are taken to be good" in hint
    assert hints(capsys, "detect", "m", "--train", "train.npy", "--data", "others.npy", *out) == []


def test_compress_says_that_pca_is_fitted_to_the_samples_that_are_compressed(capsys, tmp_path):
    pytest.importorskip("PIL")
    compare = ["--data", "images.npy", "--compare", "images.npy", "--out", str(tmp_path / "x.npaez")]
    (hint,) = hints(capsys, "compress", "i", *compare)
    assert "all 40 samples of --data are in --compare, too, to which PCA is fitted" in hint


def test_attribute_refuses_one_group_for_both_and_says_what_two_share(capsys, tmp_path):
    out = ["--data", "others.npy", "--out", str(tmp_path / "changed.npy")]
    (hint,) = hints(capsys, "attribute", "m", "--plus", "half.csv", "--minus", "train.npy", *out)
    assert "10 of the 24 samples of --plus are in --minus, too, where they lack the attribute" in hint
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["attribute", "m", "--plus", "train.npy", "--minus", "train.npy", *out, "--force"]) == 2
    assert "the mean code of the samples with the attribute is that of those without it" in capsys.readouterr().err


def shared(X, others):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_shared("--test", np.asarray(X), "--train", np.asarray(others), "so; give others")
    return [str(one.message) for one in caught]


def test_equal_rows_of_a_table_of_few_categories_are_no_shared_samples():
    categories = RNG.integers(0, 3, (400, 4)).astype("float64")
    assert shared(categories[:100], categories[100:]) == []
    assert len(shared(categories[::-1], categories)) == 1  # the same table in another order


def test_one_shared_sample_is_one_in_the_sentence():
    assert shared(TRAIN[:1], TRAIN) == ["the only sample of --test is in --train, too, so; give others"]
    assert shared([*OTHERS, TRAIN[3]], TRAIN) == ["1 of the 25 samples of --test is in --train, too, so; give others"]


def test_numbers_of_float64_are_compared_with_all_their_digits():
    X = 1e9 + np.arange(20.0).reshape(10, 2)
    assert shared(X + 0.25, X) == []
    assert len(shared(X, X)) == 1
    assert len(shared(TRAIN.astype("float64"), TRAIN)) == 1


@pytest.mark.parametrize("X", [np.zeros((3, 5)), np.zeros((0, 6)), np.full((3, 6), "a"), np.full((3, 6), 1e300)])
def test_samples_that_cannot_be_equal_are_not_compared(X):
    assert shared(X, TRAIN) == []


def test_texts_are_compared_as_they_are():
    def texts(given, others):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warn_of_shared_texts("TEST", given, "TRAIN", others, "so; give others")
        return [str(one.message) for one in caught]

    assert texts(["a", "b"], ["b", "c", "d"]) == ["1 of the 2 texts of TEST is in TRAIN, too, so; give others"]
    assert texts(["A", "e"], ["a", "b", "c"]) == []
    assert texts(["spam", "ham", "eggs"], ["spam", "spam", "ham", "ham", "bread"]) == []
