"""``npae gradcheck``: reports, exit codes and error messages."""

import json

import numpy as np
import pytest

import npae
from npae.cli import main

OWN = """
import numpy as np
from npae.layers import Dense, Layer


class Doubles:
    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


class Wrong(Doubles):
    def backward(self, dy):
        return dy


class Foreign:
    def __init__(self):
        self.W = np.arange(1.0, 7)

    def forward(self, x):
        self.x = x
        return self.W * x

    def backward(self, dy):
        self.dW = (self.x * dy).sum(axis=0)
        return self.W * dy


class Broken(Doubles):
    def __init__(self, factor):
        pass


class Unmakable(Doubles):
    def __init__(self):
        raise RuntimeError("no file of weights")


class Unrunnable(Doubles):
    def forward(self, x):
        raise RuntimeError("not written yet")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gradcheck_example.py").write_text(OWN)
    (tmp_path / "gradcheck_unfinished.py").write_text("def (")
    return tmp_path


def test_a_users_layer_that_passes_exits_with_0(folder, capsys):
    assert main(["gradcheck", "gradcheck_example:Doubles"]) == 0
    assert "Doubles: PASS" in capsys.readouterr().out


def test_a_wrong_one_gives_1_and_a_report(folder, capsys):
    assert main(["gradcheck", "gradcheck_example:Wrong", "--shape", "4,3", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "WRONG"
    assert report["blocks"][0]["ratio"] == pytest.approx(0.5)


def test_a_layer_of_other_code_is_checked_with_its_parameters(folder, capsys):
    assert main(["gradcheck", "gradcheck_example:Foreign"]) == 0
    out = capsys.readouterr().out
    assert "dW  PASS" in out
    assert "read from layer.W with layer.dW" in out


def test_a_layer_that_takes_images_is_given_images(capsys):
    assert main(["gradcheck", "npae.layers:MaxPool2D"]) == 0
    assert "504 of 504" in capsys.readouterr().out


@pytest.mark.parametrize("recipe", ["vanilla", "variational"])
def test_a_recipe_passes(recipe, capsys):
    assert main(["gradcheck", recipe, "--shape", "8", "--fast", "--budget", "30"]) == 0
    assert "Autoencoder: PASS" in capsys.readouterr().out


def test_a_saved_model_passes(tmp_path, capsys):
    X = np.random.default_rng(0).random((20, 6))
    model = npae.DeepAutoencoder(hidden=(5,), code_size=3, epochs=1, batch_size=5, random_state=0).fit(X)
    model.save(tmp_path / "model.safetensors")
    assert main(["gradcheck", str(tmp_path / "model.safetensors"), "--full"]) == 0
    assert "encoder.0.dW" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gradcheck", "nothing"], "is no file, no recipe and no module:name"),
        (["gradcheck", "no_such_module:Layer"], "there is no module 'no_such_module'"),
        (["gradcheck", "gradcheck_example:Missing"], "has no 'Missing'"),
        (["gradcheck", "gradcheck_example:Broken"], "needs arguments"),
        (["gradcheck", ":Doubles"], "is no module:name"),
        (["gradcheck", "gradcheck_example:Unmakable"], "no file of weights"),
        (["gradcheck", "gradcheck_example:Unrunnable", "--json"], "RuntimeError at gradcheck_example.py, line 47"),
        (["gradcheck", "gradcheck_unfinished:Layer"], "cannot be imported: SyntaxError"),
        (["gradcheck", "gradcheck_example.py"], "give module:name, such as gradcheck_example:Scale"),
        (["gradcheck", "missing.safetensors"], "missing.safetensors"),
        (["gradcheck", "C:\\none\\m.safetensors"], "there is no file C:\\none\\m.safetensors"),
        (["gradcheck", "C:/none/m.safetensors"], "there is no file C:/none/m.safetensors"),
        (["gradcheck", "C:\\none\\layers.py"], "give module:name, such as layers:Scale"),
        (
            ["gradcheck", "C:\\none\\layers.py:Scale"],
            "layers.py is a file, and a module is expected; go to its folder,",
        ),
        (
            ["gradcheck", "./layers.py:Scale"],
            "layers.py is a file, and a module is expected; go to its folder, and give l",
        ),
        (["gradcheck", "vanilla", "--budget", "-1"], "budget_s is -1.0"),
    ],
)
def test_a_mistake_in_use_gives_2_and_a_sentence(folder, capsys, arguments, sentence):
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert sentence in line
