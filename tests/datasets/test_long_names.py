"""Sentences that list names which stand in a file stay short, however long and however many these are."""

from pathlib import Path

import numpy as np
import pytest

from npae import datasets
from npae.datasets import open_source
from npae.datasets.texts import read_texts
from npae.storage.import_weights import import_weights
from npae.utils import safetensors
from npae.utils.errors import FileFormatError

NAMES = [f"{i:02d}" + "ä\x07" * 100 for i in range(30)]
X = np.ones((2, 30))


def npz(folder: Path) -> None:
    np.savez(folder / "x.npz", **{name.replace("\x07", "."): X for name in NAMES})
    datasets.read(folder / "x.npz")


def texts(folder: Path) -> None:
    (folder / "x.csv").write_text(",".join(NAMES) + "\n" + ",".join(NAMES) + "\n", encoding="utf-8")
    read_texts(folder / "x.csv")


def table(folder: Path) -> None:
    (folder / "x.csv").write_text(",".join(NAMES) + "\n" + ",".join("1" * 30) + "\n", encoding="utf-8")
    datasets.read(folder / "x.csv", drop=["z"])


def hdf5(folder: Path) -> None:
    with pytest.importorskip("h5py").File(folder / "x.h5", "w") as file:
        for name in NAMES:
            file[name] = X
    open_source(folder / "x.h5")


def weights(folder: Path) -> None:
    from fuzzing.seeds import images_network

    network = images_network()
    safetensors.write(folder / "x.safetensors", dict.fromkeys(NAMES, X), {})
    names = {name: name for name in network.arena.parameter_shapes()}
    import_weights(network, folder / "x.safetensors", names, source="torch")


@pytest.mark.parametrize("read", [npz, texts, table, hdf5, weights])
def test_a_sentence_that_lists_names_is_short_and_says_how_many_are_left_out(read, tmp_path):
    with pytest.raises((FileFormatError, ValueError), match=r" and 2\d more") as caught:
        read(tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
