"""Texts: sparse vectors of words, a classifier of their codes, its files, and sentences for what cannot be learned."""

import json

import numpy as np
import pytest

import npae
from npae.applications.texts import FILES, TextClassifier, WordWeights, compare, text_model
from npae.applications.texts.words import KEY
from npae.utils import safetensors
from npae.utils.errors import FileFormatError

pytest.importorskip("sklearn")

SUBJECTS = {"grain": "wheat corn harvest bushel acre", "money": "bank rate dollar loan credit"}


def texts(n, seed):
    rng = np.random.default_rng(seed)
    labels = [("grain", "money")[i % 2] for i in range(n)]
    return [" ".join(rng.choice(SUBJECTS[label].split(), 4)) for label in labels], labels


@pytest.fixture(scope="module")
def learned():
    return TextClassifier.fit(*texts(100, 0), text_model(2))


def test_vectors_are_sparse_of_unit_length_and_those_of_scikit_learn():
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    learned = ["wheat and corn", "corn oil", "oil wheat Wheat", "wheat"]
    words = WordWeights.fit(learned)
    vectors = words.vectors(learned)
    assert sparse.issparse(vectors)
    assert (vectors.shape, vectors.dtype) == ((4, 3), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors.toarray(), axis=1), 1, rtol=1e-6)
    theirs = TfidfVectorizer(min_df=2, sublinear_tf=True, stop_words="english").fit_transform(learned)
    np.testing.assert_allclose(vectors.toarray(), theirs.toarray(), rtol=1e-6)
    assert not words.vectors(["unseen words"]).nnz


def test_only_the_most_frequent_words_count():
    assert WordWeights.fit(["aa bb cc", "aa bb", "aa bb cc", "aa"], most=2).words == ["aa", "bb"]


def test_no_dense_copy_of_all_vectors_is_made(monkeypatch):
    from scipy import sparse

    sizes = []
    for kind in (sparse.csr_matrix, sparse.csr_array):
        original = kind.toarray
        monkeypatch.setattr(
            kind,
            "toarray",
            lambda self, *a, original=original, **k: sizes.append(self.shape[0]) or original(self, *a, **k),
        )
    monkeypatch.setattr("npae.utils.samples.BLOCK_VALUES", 500)
    x, labels = texts(600, 0)
    fitted = TextClassifier.fit(x, labels, text_model(2))
    compare(fitted, x, labels, *texts(60, 1), few=20)
    assert sizes
    assert max(sizes) <= 256 < 600


def test_codes_of_texts_serve_a_classifier(learned):
    rows = compare(learned, *texts(100, 0), *texts(60, 1), few=20)
    assert [(row[0], row[1]) for row in rows] == [("autoencoder", 2), ("truncated SVD", 2), ("raw", 10)]
    assert all(row[3] > 0.95 for row in rows)


def test_texts_in_the_order_of_their_labels_are_learned_from_few():
    x, labels = texts(200, 0)
    order = np.argsort(labels, kind="stable")
    x, labels = [x[i] for i in order], [labels[i] for i in order]
    rows = compare(TextClassifier.fit(x, labels, text_model(2)), x, labels, *texts(60, 1), few=10)
    assert all(row[2] > 0.8 for row in rows)


def test_new_texts_get_a_label_and_their_number_of_known_words(learned):
    labels, probabilities, known = learned.predict(["wheat corn, said the bank", "Loan! CREDIT", "", "nothing of it"])
    assert labels[1] == "money"
    assert probabilities[1] > 0.8
    assert known.tolist() == [3, 2, 0, 0]
    assert ((probabilities >= 0.5) & (probabilities <= 1)).all()


def test_a_text_classifier_is_restored_from_its_folder(learned, tmp_path):
    learned.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    again = TextClassifier.load(tmp_path)
    for ours, theirs in zip(again.predict(texts(20, 2)[0]), learned.predict(texts(20, 2)[0]), strict=True):
        assert ours.tolist() == theirs.tolist()
    assert npae.load(tmp_path / "model.safetensors").network_.input_shape == (10,)


def test_files_that_do_not_belong_together_are_refused(learned, tmp_path):
    other = TextClassifier.fit(*texts(100, 5), text_model(2, random_state=1))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    for name, sentence in zip(
        FILES[1:],
        [r"was made for another model; give the folder as npae texts --save", "fitted to codes of another model"],
        strict=True,
    ):
        learned.save(tmp_path / "a")
        other.save(tmp_path / "b")
        (tmp_path / "b" / name).replace(tmp_path / "a" / name)
        with pytest.raises(ValueError, match=sentence):
            TextClassifier.load(tmp_path / "a")
    (tmp_path / "a" / FILES[1]).unlink()
    with pytest.raises(
        FileNotFoundError, match=r"there is no file .*words\.safetensors; give a folder that npae texts"
    ):
        TextClassifier.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("weights", "record"),
    [
        (np.ones(3), {}),
        (np.ones(2, np.float32), {}),
        (np.array([1, np.inf]), {}),
        (np.ones(2), {"format": 7}),
        (np.ones(2), {"words": ["a", "a"]}),
        (np.ones(2), {"words": ["a", ""]}),
        (np.ones(2), {"words": ["a", 3]}),
        (np.ones(2), {"words": "ab"}),
        (np.ones(0), {"words": []}),
    ],
)
def test_a_file_that_holds_no_words_is_refused(weights, record, tmp_path):
    path = tmp_path / "words.safetensors"
    WordWeights(["a", "b"], np.ones(2)).save(path)
    content = json.loads(safetensors.read(path)[1][KEY]) | record
    assert WordWeights.load(path).words == ["a", "b"]
    safetensors.write(path, {"weights": weights}, {KEY: json.dumps(content)})
    with pytest.raises(FileFormatError, match="holds no words that this version reads; make it with npae texts --save"):
        WordWeights.load(path)


@pytest.mark.parametrize(
    ("texts", "labels", "expected"),
    [
        ([], [], "the texts to learn from, 0, have no word in common"),
        (["the of", "cat", "dog"], "aba", "the texts to learn from, 3, have no word in common"),
        (["cat dog", "dog cat"], "ab", "have 2 words in common, fewer than the 4 values of a code"),
        (["cat dog bird mouse"] * 2, "aa", r"the samples to learn from, 2, have the labels \['a'\]"),
        (["cat dog", "dog cat"], "abb", r"the labels have shape \(3,\), but there are 2 samples"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_texts_too_few_to_learn_from_are_refused_in_one_sentence(texts, labels, expected):
    with pytest.raises(ValueError, match=expected):
        TextClassifier.fit(texts, list(labels), npae.VanillaAutoencoder(code_size=4, epochs=1))


def test_no_texts_to_label_are_refused(learned):
    with pytest.raises(ValueError, match="there are no texts; give at least one"):
        learned.predict([])
