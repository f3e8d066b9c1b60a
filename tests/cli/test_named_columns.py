"""The names of a csv's columns go with the data on the command line: to the model, and before it is used."""

import importlib.util
import warnings

import numpy as np
import pytest
from helpers.same_sides import SAME_SIDES

import npae
from npae import datasets
from npae.cli import main
from npae.datasets.formats import read_data

pytestmark = SAME_SIDES

RNG = np.random.default_rng(0)
X = RNG.random((60, 6))
LABELS = np.arange(60) % 2


def write(name, x, columns):
    np.savetxt(name, x, delimiter=",", header=",".join(columns), comments="", fmt="%.9g")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables with the same columns in several orders, and models with and without names."""
    folder = tmp_path_factory.mktemp("columns")
    write(folder / "cols.csv", X, "abcdef")
    write(folder / "reversed.csv", X[:, ::-1], "fedcba")
    write(folder / "others.csv", X, ["zzz", "qq", *"cdef"])
    write(folder / "more.csv", np.c_[X, X[:, 0]], "abcdefg")
    write(folder / "fewer.csv", X[:, :5], "abcde")
    write(folder / "indexed.csv", np.c_[np.arange(60), X], ["id", *"abcdef"])
    np.savetxt(folder / "plain.csv", X, delimiter=",")
    np.save(folder / "x.npy", X)
    np.save(folder / "labels.npy", LABELS)
    quick = {"code_size": 2, "epochs": 1, "batch_size": 30, "random_state": 0}
    named = read_data(folder / "cols.csv").X
    npae.VanillaAutoencoder(**quick).fit(named).save(folder / "named.safetensors")
    npae.VanillaAutoencoder(**quick).fit(X).save(folder / "nameless.safetensors")
    npae.VanillaAutoencoder(**quick).fit(named).save(folder / "named.safetensors")
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_names_are_those_of_the_header_as_long_as_rows_are_chosen():
    named = read_data("cols.csv").X
    assert named.columns == tuple("abcdef")
    for rows in (named[:3], named[[4, 2]], named[LABELS == 1], named[...]):
        assert rows.columns == tuple("abcdef")
    for other in (named[:, ::-1], named[0], named[:, :2], named + 1, named.T, named[None], named.copy()[:, :6]):
        assert not hasattr(other, "columns")
    assert read_data("indexed.csv", drop=["id", "c"]).X.columns == tuple("abdef")
    assert not hasattr(read_data("plain.csv").X, "columns")
    assert type(datasets.read("cols.csv")) is np.ndarray
    np.testing.assert_array_equal(datasets.read("cols.csv"), named)


def test_training_from_a_csv_stores_the_names_and_other_orders_are_refused_everywhere(capsys, tmp_path):
    arguments = ["--code-size", "2", "--epochs", "1", "--batch-size", "30", "--no-verbose", "--out", str(tmp_path)]
    assert main(["train", "vanilla", "--data", "indexed.csv", "--drop", "id", *arguments]) == 0
    model = npae.load(tmp_path / "model.safetensors")
    assert model.network_.columns.labels == tuple("abcdef")
    assert model.feature_names_in_.tolist() == list("abcdef")
    encoder = npae.load_encoder(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="same order as they were in fit"):
        encoder.transform(read_data("reversed.csv").X)
    assert (
        main(["export", str(tmp_path / "model.safetensors"), "--to", "python", "--out", str(tmp_path / "encoder.py")])
        == 0
    )
    spec = importlib.util.spec_from_file_location("exported", tmp_path / "encoder.py")
    exported = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(exported)
    with pytest.raises(ValueError, match=r"the model was trained on .* give these, in this order"):
        exported.encode(read_data("reversed.csv").X)
    np.testing.assert_allclose(
        exported.encode(read_data("cols.csv").X), model.transform(read_data("cols.csv").X), atol=1e-5
    )


SIDES = ["--train-labels", "labels.npy", "--test-labels", "labels.npy"]
VERBS = {
    "encode": ["encode", "named.safetensors", "--data", "DATA", "--out", "OUT.npy"],
    "reconstruct": ["reconstruct", "named.safetensors", "--data", "DATA", "--first", "9", "--out", "OUT.npy"],
    "interpolate": ["interpolate", "named.safetensors", "--data", "DATA", "--out", "OUT.npy"],
    "index": ["index", "named.safetensors", "--data", "DATA", "--out", "OUT.safetensors"],
    "search": ["search", "named.safetensors", "index.safetensors", "DATA"],
    "compress": ["compress", "named.safetensors", "--data", "DATA", "--out", "OUT.npaez"],
    "generate": ["generate", "named.safetensors", "--data", "DATA", "--out", "OUT"],
    "train side": ["cluster", "named.safetensors", "--train", "DATA", "--test", "cols.csv", *SIDES],
    "cluster": ["cluster", "named.safetensors", "--train", "cols.csv", "--test", "DATA", *SIDES],
    "classify": ["classify", "named.safetensors", "--train", "cols.csv", "--test", "DATA", *SIDES],
    "retrieve": ["retrieve", "named.safetensors", "--train", "cols.csv", "--test", "DATA", *SIDES],
    "reduce": ["reduce", "named.safetensors", "--train", "cols.csv", "--test", "DATA"],
    "detect": ["detect", "named.safetensors", "--train", "cols.csv", "--test", "DATA"],
    "outliers": ["detect", "named.safetensors", "--train", "cols.csv", "--test", "cols.csv", "--outliers", "DATA"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_takes_the_columns_of_the_model_in_their_order_alone(verb, tmp_path, capsys):
    if verb in ("classify", "reduce"):
        pytest.importorskip("sklearn")
    if verb == "search":
        assert main(["index", "named.safetensors", "--data", "cols.csv", "--out", "index.safetensors", "--force"]) == 0

    def run(data, *options):
        arguments = [a.replace("DATA", data).replace("OUT", str(tmp_path / f"out of {data}")) for a in VERBS[verb]]
        return main([*arguments, *options]), capsys.readouterr().err

    code, said = run("reversed.csv")
    assert code == 2
    assert "reversed.csv has the columns of the training data in another order: column 1 is 'f', but was 'a'" in said
    code, said = run("others.csv")
    assert code == 2
    assert "others.csv lacks columns that the model was trained on: 'a', 'b', but has 'zzz', 'qq'" in said
    code, said = run("more.csv")
    assert code == 2
    assert "more.csv has columns that the model was not trained on: 'g'; leave them out with --drop" in said
    if verb not in ("train side", "cluster"):  # which take seconds
        code, said = run("cols.csv")
        assert (code, "names" in said) == (0, False)
    if verb in ("encode", "index"):
        code, said = run("more.csv", "--drop", "g")
        assert (code, "names" in said) == (0, False)


@pytest.mark.filterwarnings("default")  # the command line shows it as a sentence
def test_a_table_without_names_is_taken_in_the_order_of_the_model_and_that_is_said_once(capsys):
    for data in ("plain.csv", "x.npy"):
        assert main(["encode", "named.safetensors", "--data", data, "--out", "n.npy", "--force"]) == 0
        said = capsys.readouterr().err
        assert said.startswith(
            f"npae: {data} does not name its columns, so they are taken in the order of the training"
        )
        assert said.count("\n") == 1
    assert main(["encode", "named.safetensors", "--data", "cols.csv", "--out", "m.npy", "--force"]) == 0
    assert capsys.readouterr().err == ""
    np.testing.assert_allclose(np.load("n.npy"), np.load("m.npy"), atol=1e-5)
    np.save("narrow.npy", X[:, :4])
    assert main(["encode", "named.safetensors", "--data", "narrow.npy", "--out", "z.npy"]) == 2
    assert "X has 4 features, but VanillaAutoencoder is expecting 6 features" in capsys.readouterr().err


def test_a_model_without_names_takes_a_header_without_a_word(capsys):
    for data in ("cols.csv", "reversed.csv", "plain.csv"):
        assert main(["encode", "nameless.safetensors", "--data", data, "--out", "n.npy", "--force"]) == 0
        assert capsys.readouterr().err == ""


def test_names_that_are_numbers_are_compared_by_their_order_alone(capsys, tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas")
    quick = {"code_size": 2, "epochs": 1, "batch_size": 30, "random_state": 0}
    wavelengths = [400, 410, 425, 430, 440, 455]
    npae.VanillaAutoencoder(**quick).fit(pandas.DataFrame(X, columns=wavelengths)).save(tmp_path / "m.safetensors")
    monkeypatch.chdir(tmp_path)
    write("right.csv", X, map(str, wavelengths))
    write("written otherwise.csv", X, [f"{w}.0" for w in wavelengths])
    write("reversed.csv", X, map(str, wavelengths[::-1]))
    codes = [0, 0, 2]
    for name, code in zip(("right.csv", "written otherwise.csv", "reversed.csv"), codes, strict=True):
        assert main(["encode", "m.safetensors", "--header", "--data", name, "--out", "z.npy", "--force"]) == code
        said = capsys.readouterr().err
        assert ("another order: column 1 is '455', but was '400'" in said) == (code == 2)
        assert "feature names" not in said


def test_a_name_of_several_columns_is_compared_with_its_number(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("twice.csv", X[:, :3], "aab")
    write("otherwise.csv", X[:, :3], "abb")
    write("moved.csv", X[:, :3], "aba")
    arguments = ["--code-size", "2", "--epochs", "1", "--batch-size", "30", "--no-verbose", "--out", "run"]
    assert main(["train", "vanilla", "--data", "twice.csv", *arguments]) == 0
    for name, sentence in [
        ("otherwise.csv", "otherwise.csv has 3 columns, some under one name, but the model was trained on 3, and not"),
        ("moved.csv", "another order: column 2 is 'b', but was 'a'"),
    ]:
        capsys.readouterr()
        assert main(["encode", "run/model.safetensors", "--data", name, "--out", "z.npy"]) == 2
        assert sentence in capsys.readouterr().err
    assert main(["encode", "run/model.safetensors", "--data", "twice.csv", "--out", "z.npy"]) == 0


def test_a_frame_and_a_csv_of_it_are_the_same_to_a_model(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    frame.to_csv(tmp_path / "x.csv", index=False)
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=30, random_state=0).fit(frame)
    with warnings.catch_warnings(action="error"):
        np.testing.assert_array_equal(model.transform(read_data(tmp_path / "x.csv").X), model.transform(frame))
