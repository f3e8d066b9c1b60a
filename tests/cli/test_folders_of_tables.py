"""A folder of tables in place of one file: what it holds is said, and what to do."""

import numpy as np
import pytest
from npae.errors import FileFormatError

import npae
from npae.cli import main
from npae.datasets import read

X = np.random.default_rng(0).random((40, 3))


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=40, random_state=0).fit(X).save("m.safetensors")
    (tmp_path / "parts").mkdir()
    for name in "abcd":
        np.savetxt(tmp_path / "parts" / f"{name}.csv", X, delimiter=",")


@pytest.mark.usefixtures("there")
def test_encode_says_that_a_folder_of_tables_is_for_workers(capsys):
    assert main(["encode", "m.safetensors", "--data", "parts"]) == 2
    said = capsys.readouterr().err
    assert "--data parts holds 4 files of samples ('a.csv', 'b.csv', 'c.csv', 'd.csv');" in said
    assert "give one of them, or --workers to encode each into a file of its own" in said


@pytest.mark.usefixtures("there")
def test_other_verbs_say_what_a_folder_without_images_holds(capsys):
    assert main(["reconstruct", "m.safetensors", "--data", "parts"]) == 2
    said = capsys.readouterr().err
    assert "holds no images, but 4 other files, such as 'a.csv', 'b.csv', 'c.csv'; give a file of samples" in said


def test_an_empty_folder_is_not_said_to_hold_files(tmp_path):
    with pytest.raises(FileFormatError, match=r"holds no images; put some \(.*\) into it, or give another$"):
        read(tmp_path)


@pytest.mark.usefixtures("there")
def test_a_folder_of_shards_is_encoded_as_before(tmp_path):
    (tmp_path / "shards").mkdir()
    np.save(tmp_path / "shards" / "a.npy", X)
    np.save(tmp_path / "shards" / "b.npy", X)
    assert main(["encode", "m.safetensors", "--data", "shards", "--out", "codes.npy"]) == 0
    assert np.load("codes.npy").shape == (80, 2)
