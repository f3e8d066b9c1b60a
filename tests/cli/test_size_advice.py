"""Samples of another shape are refused with what is to be done about them: another size, another order, other data."""

import numpy as np
import pytest

import npae
from npae.cli import main


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ((8, 8, 3), "resize the images (of a folder: --size 6,4), or use a model for their size"),
        ((6, 12), "reshape the data"),
        ((6, 4), "give data of that shape, or use a model for this one"),
        ((6, 4, 1), "give data of that shape, or use a model for this one"),
    ],
)
def test_samples_of_another_shape_are_refused_with_what_helps(tmp_path, monkeypatch, capsys, given, advice):
    monkeypatch.chdir(tmp_path)
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=8, random_state=0)
    model.fit(np.random.default_rng(0).random((8, 6, 4, 3))).save("m.safetensors")
    np.save("x.npy", np.zeros((2, *given)))
    assert main(["encode", "m.safetensors", "--data", "x.npy", "--out", "c.npy"]) == 2
    assert capsys.readouterr().err == (
        f"npae encode: samples of shape {(2, *given)} were given, but the model expects (n, 6, 4, 3); {advice}\n"
    )
