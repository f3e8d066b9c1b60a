"""What the verbs say of tables that are small, or in a form that an option has no use for, is true of them."""

import numpy as np
import pytest

import npae
from npae.applications.retrieval import precision_at
from npae.cli import main
from npae.datasets.file_columns import check_file_columns
from npae.datasets.named_columns import NamedColumns
from npae.utils.columns import Columns


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).random((24, 3))
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=24, random_state=0).fit(X).save("m.safetensors")
    np.save("x.npy", X)
    return X


def test_groups_of_one_sample_each_are_not_said_to_be_one_group(model, capsys):
    pytest.importorskip("sklearn")
    assert main(["cluster", "m.safetensors", "--data", "x.npy", "--clusters", "24", "--out", "g.csv"]) == 0
    assert capsys.readouterr().out == (
        "24 groups of 1 to 1 samples; no silhouette, which needs several groups, and fewer than there are samples\n"
    )


def test_more_neighbours_than_training_samples_are_refused():
    codes, labels = np.zeros((3, 2)), [0, 1, 0]
    with pytest.raises(ValueError, match="k is 4, but there are only 3 training samples; give at most as many"):
        precision_at(4, codes, labels, codes, labels, "euclidean")
    assert precision_at(3, codes, labels, codes, labels, "euclidean") == pytest.approx(5 / 9)


def test_an_npz_of_several_arrays_is_refused_without_an_option_that_the_command_line_lacks(model, capsys):
    np.savez("two.npz", a=model, b=model)
    assert main(["encode", "m.safetensors", "--data", "two.npz", "--out", "c.npy"]) == 2
    assert capsys.readouterr().err == (
        "npae encode: 'two.npz' holds 2 arrays and it is not clear which is meant; write one of them into a file of "
        "its own: 'a', 'b'\n"
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [("more.csv", r"leave them out with --drop \(in"), ("more.parquet", "write it without them")],
)
def test_columns_that_are_unknown_are_dropped_by_an_option_only_where_it_is_one_of_the_format(
    tmp_path, monkeypatch, name, advice
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"PAR1")
    X = NamedColumns.of(np.zeros((2, 2)), ["a", "b"])
    with pytest.raises(ValueError, match=rf"that the model was not trained on: 'b'; {advice}"):
        check_file_columns(X, name, Columns(("a",), are_names=True))
