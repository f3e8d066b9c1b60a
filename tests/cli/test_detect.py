"""npae detect with --data: the file, what is printed, the picture, and what is refused."""

import json

import numpy as np
import pytest
from helpers.files import read_rows, work_beside
from helpers.same_sides import SAME_SIDES
from helpers.small_models import samples

import npae
from npae.applications.detector import Detector
from npae.cli import main
from npae.estimators import sample_record
from npae.utils import safetensors

pytestmark = SAME_SIDES

QUICK = {"hidden": (12,), "code_size": 2, "epochs": 20, "batch_size": 10, "random_state": 0}
NAMES = ["age", "size, cm", "c", "d", "e", "f"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table and images, each with a model, known-good samples, new ones with anomalies, and labels of these."""
    folder = tmp_path_factory.mktemp("detect")
    strange = np.random.default_rng(0).random((20, 6), dtype="float32")
    for name, x in (
        ("train", samples(120, 6)),
        ("good", samples(60, 6, seed=1)),
        ("new", np.concatenate([samples(40, 6, seed=2), strange])),
    ):
        header = ",".join(f'"{name}"' for name in NAMES)
        np.savetxt(folder / f"{name}.csv", x, fmt="%.17g", delimiter=",", header=header, comments="")
        np.save(folder / f"{name}.npy", x.astype("float64"))
    np.savetxt(folder / "labels.csv", np.arange(60) >= 40, fmt="%d")
    np.savetxt(folder / "classes.csv", np.arange(60) % 3, fmt="%d")
    np.savetxt(folder / "short.csv", np.zeros(59), fmt="%d")
    (folder / "names.csv").write_text("\n".join(["good", "bad"] * 30), encoding="utf-8")
    np.savetxt(folder / "none.csv", np.zeros(60), fmt="%d")
    x = np.load(folder / "train.npy")
    npae.DeepAutoencoder(**QUICK).fit(x).save(folder / "model.safetensors")
    npae.VariationalAutoencoder(**QUICK).fit(x).save(folder / "vae.safetensors")
    npae.DeepAutoencoder(**QUICK).fit(samples(60, 8, 8)).save(folder / "images.safetensors")
    return folder


@pytest.fixture(autouse=True)
def there(folder, tmp_path, monkeypatch):
    """Each test in a folder of its own, with links to the files."""
    work_beside(folder, tmp_path, monkeypatch)


GOOD = ["--train", "good.csv", "--data", "new.csv", "--false-positive-rate", "0.1"]


def table(path="scores.csv"):
    return read_rows(path)


def test_each_sample_has_a_row_with_its_score_and_the_value_that_is_furthest_off():
    assert main(["detect", "model.safetensors", *GOOD]) == 0
    rows = table()
    assert list(rows[0]) == ["index", "score", "is_anomaly", "furthest", "value", "rebuilt"]
    assert [row["index"] for row in rows] == [str(i) for i in range(60)]
    x = np.load("new.npy")
    found = Detector(npae.load("model.safetensors"), np.load("good.npy"), false_positive_rate=0.1).find(x)
    np.testing.assert_array_equal([float(row["score"]) for row in rows], found.scores)
    assert [row["is_anomaly"] for row in rows] == [str(int(is_anomaly)) for is_anomaly in found.is_anomaly]
    assert 5 < sum(found.is_anomaly) < 40
    assert [row["furthest"] for row in rows] == [NAMES[place] for place in found.furthest]
    assert [float(row["value"]) for row in rows] == x[np.arange(60), found.furthest].tolist()


@pytest.mark.parametrize("score", ["reconstruction", "mahalanobis", "joint", "elbo"])
def test_every_score_is_written_as_json(score):
    assert main(["detect", "vae.safetensors", *GOOD, "--score", score, "--out", "s.json"]) == 0
    with open("s.json", encoding="utf-8") as file:
        rows = json.load(file)
    assert len(rows) == 60
    assert {type(row["is_anomaly"]) for row in rows} <= {bool}
    detector = Detector(npae.load("vae.safetensors"), np.load("good.npy"), score=score, false_positive_rate=0.1)
    np.testing.assert_array_equal([row["score"] for row in rows], detector.score(np.load("new.npy")))


def test_columns_without_names_have_numbers_from_one():
    arguments = ["--train", "good.npy", "--data", "new.npy", *GOOD[4:], "--first", "30"]
    assert main(["detect", "model.safetensors", *arguments]) == 0
    rows = table()
    assert len(rows) == 30
    assert {row["furthest"] for row in rows} <= {f"column {i}" for i in range(1, 7)}


def test_precision_and_recall_are_those_of_the_file(capsys):
    assert main(["detect", "model.safetensors", *GOOD, "--labels", "labels.csv"]) == 0
    taken = np.array([row["is_anomaly"] == "1" for row in table()])
    hits = int(taken[40:].sum())
    out = capsys.readouterr().out
    assert (
        f"precision {hits / taken.sum():.4f} ({hits} of {taken.sum()} samples taken for anomalies are labelled 1)"
        in out
    )
    assert f"recall {hits / 20:.4f} ({hits} of 20 labelled 1 were found)" in out
    assert "area under the ROC curve 0." in out


@pytest.mark.filterwarnings("always:a false-positive rate")
def test_what_has_no_meaning_is_not_printed(capsys):
    assert main(["detect", "model.safetensors", *GOOD, "--labels", "none.csv"]) == 0
    out = capsys.readouterr().out
    assert "no recall, since no sample is labelled 1" in out
    assert "ROC" not in out
    same = ["--train", "good.csv", "--data", "good.csv", "--labels", "none.csv", "--force"]
    assert main(["detect", "model.safetensors", *same]) == 0
    printed = capsys.readouterr()
    assert "no precision, since no sample was taken for an anomaly" in printed.out
    assert "cannot be kept with 60 known-good samples" in printed.err


@pytest.mark.parametrize(
    ("train", "sentence", "absent"),
    [
        (
            "good.csv",
            "none of 120 training samples that the model's file knows is among the known-good ones: up to",
            "was",
        ),
        ("train.csv", "the model was fitted to known-good samples: 120 of 120 training samples that", "none of"),
        ("train.npy", "the model was fitted to known-good samples: 120 of 120 training samples that", "none of"),
    ],
)
def test_it_is_said_whether_the_model_was_fitted_to_the_known_good_samples(train, sentence, absent, capsys):
    assert main(["detect", "model.safetensors", "--train", train, *GOOD[2:]]) == 0
    out = capsys.readouterr().out
    assert sentence in out
    assert absent not in out


def test_where_the_file_does_not_tell_that_is_said(capsys):
    arrays, metadata = safetensors.read("model.safetensors")
    older = {name: values.copy() for name, values in arrays.items() if name != sample_record.HASHES}
    safetensors.write("older.safetensors", older, metadata)
    assert main(["detect", "older.safetensors", *GOOD]) == 0
    out = capsys.readouterr().out
    assert (
        "the model's file does not say which samples it was fitted to; if these known-good ones are among them" in out
    )
    assert "none of" not in out


def test_images_have_files_pixels_and_a_picture_of_the_worst(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    for folder, seed in (("good", 1), ("new ones", 2)):
        (tmp_path / folder).mkdir()
        for i, x in enumerate(samples(12, 8, 8, seed=seed)):
            image.fromarray((255 * x).astype("uint8")).save(tmp_path / folder / f"{folder} {i:02}.png")
    arguments = ["--train", "good", "--data", "new ones", "--false-positive-rate", "0.2", "--picture", "worst.png"]
    assert main(["detect", "images.safetensors", *arguments]) == 0
    rows = table()
    assert [row["file"] for row in rows] == [f"new ones {i:02}.png" for i in range(12)]
    row, column = json.loads(rows[0]["furthest"])
    x = npae.datasets.read("new ones")
    assert float(rows[0]["value"]) == pytest.approx(x[0, row, column])
    with image.open("worst.png") as picture:
        assert picture.size == (2 * (8 * 9 - 1), 2 * (3 * 9 - 1))
        shown = np.asarray(picture)[::2, ::2] / 255
    worst = max(range(12), key=lambda i: float(rows[i]["score"]))
    np.testing.assert_allclose(shown[:8, :8], x[worst], atol=0.01)
    error = np.abs(x[worst] - npae.load("images.safetensors").reconstruct(x[worst : worst + 1])[0])
    assert np.corrcoef(shown[18:26, :8].ravel(), error.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "new.csv"], "--train is missing"),
        ([*GOOD[:2], "--out", "s.csv"], "--out is for --data, which is not given"),
        ([*GOOD[:2], "--score", "joint"], "--score is for --data, which is not given"),
        ([*GOOD, "--test", "good.csv"], "--test is for the comparison without --data; leave one of the two out"),
        ([*GOOD, "--outliers", "good.csv"], "--outliers is for the comparison without --data"),
        ([*GOOD, "--score", "elbo"], "the score elbo is for variational models, but this one is a DeepAutoencoder"),
        ([*GOOD, "--labels", "classes.csv"], "--labels classes.csv holds 2; give 1 for an anomaly and 0 for any other"),
        ([*GOOD, "--labels", "short.csv"], "short.csv holds 59 labels for 60 samples; give one for each"),
        ([*GOOD, "--labels", "names.csv"], "--labels names.csv holds good; give 1 for an anomaly and 0 for any other"),
        ([*GOOD, "--picture", "p.png"], "--picture is for images, but the model's samples have shape (6,)"),
        ([*GOOD, "--out", "s.txt"], "--out s.txt does not end in .csv or .json"),
        ([*GOOD[:4], "--false-positive-rate", "1.5"], "--false-positive-rate is 1.5"),
        ([*GOOD[:4], "--false-positive-rate", "0"], "--false-positive-rate is 0"),
        (
            [*GOOD, "--score", "joint", "--first", "5"],
            "5 known-good samples cannot give a threshold for the score joint",
        ),
        ([*GOOD[:3], "missing.csv"], "'missing.csv' does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(arguments, sentence, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    assert main(["detect", "model.safetensors", *arguments]) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.strip().split("\n")
    assert sentence in line
    assert not printed.out
    assert sorted(tmp_path.iterdir()) == before
