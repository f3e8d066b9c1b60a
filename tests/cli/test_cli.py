"""The command line: training and using models, exit codes and error messages."""

import csv
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers.single_steps import single_steps

import npae
from npae.cli import main
from npae.estimators import ESTIMATORS
from npae.estimators.parameters import parameters_of

QUICK = ["--epochs", "2", "--batch-size", "20", "--no-verbose"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npy"
    np.save(path, np.random.default_rng(0).random((40, 9, 7), dtype="float32"))
    return path


@pytest.fixture(scope="module")
def model(images, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    assert main(["train", "variational", "--data", str(images), "--code-size", "3", "--out", str(run), *QUICK]) == 0
    return run / "model.safetensors"


def said(capsys):
    """The single line on standard error."""
    (line,) = capsys.readouterr().err.strip().split("\n")
    return line


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_train_writes_a_model_its_history_and_pictures(kind, images, tmp_path):
    assert main(["train", kind, "--data", str(images), "--code-size", "3", "--out", str(tmp_path), *QUICK]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {
        "model.safetensors",
        "history.csv",
        "losses.svg",
        "reconstructions.png",
    }
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["loss"]) == npae.load(tmp_path / "model.safetensors").history_["loss"][1]


def test_training_twice_gives_the_same_model(images, tmp_path):
    for run in ("a", "b"):
        main(["train", "vanilla", "--data", str(images), "--out", str(tmp_path / run), *QUICK])
    a, b = (npae.load(tmp_path / run / "model.safetensors").network_.theta for run in ("a", "b"))
    assert np.array_equal(a, b)


#: The help on training each type, in one process, since it takes Python half a second to start.
TRAIN_HELP = """
import contextlib
from npae.cli import main
from npae.estimators import ESTIMATORS
for kind in ESTIMATORS:
    print(f"== {kind}")
    with contextlib.suppress(SystemExit):
        main(["train", kind, "--help"])
"""


@pytest.mark.parametrize("optimize", ["0", "2"])
def test_help_describes_every_parameter_with_and_without_docstrings(optimize):
    environment = {**os.environ, "PYTHONOPTIMIZE": optimize, "COLUMNS": "500"}
    command = [sys.executable, "-c", TRAIN_HELP]
    printed = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True).stdout
    told = dict(zip(ESTIMATORS, printed.split("== ")[1:], strict=True))
    for kind, shown in told.items():
        assert shown.startswith(kind)
        assert ESTIMATORS[kind].summary.replace("``", "") in shown
        for parameter in parameters_of(ESTIMATORS[kind]):
            if parameter.name not in ("random_state", "verbose"):  # these two have texts of their own
                assert f"--{parameter.name.replace('_', '-')} " in shown
                for part in re.split(r"``\w+``|\bNone\b", parameter.description):  # but for names, shown as options
                    assert part.replace("``", "") in shown


def test_options_reach_the_estimator(images, tmp_path):
    options = ["--hidden", "6", "5", "--activation", "tanh", "--learning-rate", "0.01", "--seed", "3", "--tied-weights"]
    assert main(["train", "deep", "--data", str(images), "--out", str(tmp_path), *QUICK, *options]) == 0
    params = npae.load(tmp_path / "model.safetensors").get_params()
    assert params["hidden"] == (6, 5)
    assert (params["activation"], params["learning_rate"], params["random_state"]) == ("tanh", 0.01, 3)
    assert params["tied_weights"] is True


def test_a_feature_map_is_asked_for_with_none(images, tmp_path):
    args = ["train", "convolutional", "--data", str(images), "--filters", "2", "--code-size", "none"]
    assert main([*args, "--out", str(tmp_path), *QUICK]) == 0
    assert npae.load(tmp_path / "model.safetensors").transform(np.zeros((1, 9, 7))).shape == (1, 5 * 4 * 2)


def test_training_on_a_table_writes_no_picture_of_images(tmp_path):
    table = tmp_path / "table.csv"
    np.savetxt(table, np.random.default_rng(0).normal(size=(30, 5)), delimiter=",")
    assert main(["train", "vanilla", "--data", str(table), "--out", str(tmp_path / "run"), *QUICK]) == 0
    assert not (tmp_path / "run" / "reconstructions.png").exists()


def test_encode_and_decode_give_what_python_gives(model, images, tmp_path):
    codes, rebuilt = tmp_path / "codes.npy", tmp_path / "rebuilt.npy"
    assert main(["encode", str(model), "--data", str(images), "--out", str(codes)]) == 0
    assert main(["decode", str(model), str(codes), "--out", str(rebuilt)]) == 0
    ae = npae.load(model)
    assert np.array_equal(np.load(codes), ae.transform(np.load(images)))
    assert np.array_equal(np.load(rebuilt), ae.reconstruct(np.load(images)))


def test_codes_survive_csv(model, images, tmp_path):
    codes, rebuilt = tmp_path / "codes.csv", tmp_path / "rebuilt.npy"
    main(["encode", str(model), "--data", str(images), "--out", str(codes)])
    assert main(["decode", str(model), str(codes), "--out", str(rebuilt)]) == 0
    np.testing.assert_allclose(np.load(rebuilt), npae.load(model).reconstruct(np.load(images)), atol=1e-6)


def test_reconstruct_says_the_error_it_makes(model, images, tmp_path, capsys):
    out = tmp_path / "rebuilt.npy"
    assert main(["reconstruct", str(model), "--data", str(images), "--first", "5", "--out", str(out)]) == 0
    error = np.square(np.load(out) - np.load(images)[:5], dtype="float64").mean()
    assert f"{error:.4f}" in capsys.readouterr().out


def test_pictures_have_the_size_of_their_grid(model, images, tmp_path):
    from PIL import Image

    samples, walk = tmp_path / "samples.png", tmp_path / "walk.png"
    assert main(["sample", str(model), "-n", "16", "--out", str(samples)]) == 0
    assert main(["interpolate", str(model), "--data", str(images), "--steps", "5", "--out", str(walk)]) == 0
    for path, size in ((samples, (4 * 8 - 1, 4 * 10 - 1)), (walk, (5 * 8 - 1, 9))):
        with Image.open(path) as image:
            assert image.size == (2 * size[0], 2 * size[1])


def test_sampling_follows_the_seed(model, tmp_path):
    drawn = []
    for seed in ("1", "1", "2"):
        out = tmp_path / "samples.npy"
        main(["sample", str(model), "-n", "2", "--seed", seed, "--out", str(out), "--force"])
        drawn.append(np.load(out))
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_info_shows_layers_parameters_and_record(model, capsys):
    assert main(["info", str(model)]) == 0
    text = capsys.readouterr().out
    assert "code.0.mu" in text
    assert f"{npae.load(model).network_.arena.parameter_count():,}" in text
    assert "trained for 2 epochs, 4 steps, seed 0" in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["info", "missing.safetensors"], "there is no file missing.safetensors"),
        (["encode", "{model}", "--data", "missing.npy"], "missing.npy"),
        (["encode", "{model}", "--data", "digits", "--out", "{tmp}/c.npy"], "(1000, 28, 28)|(5000, 28, 28)"),
        (["encode", "{model}", "--data", "{images}", "--out", "{tmp}/codes.txt"], ".npy, .csv or .png"),
        (["encode", "{model}", "--data", "{images}", "--out", "{tmp}/none/codes.npy"], "does not exist"),
        (["decode", "{model}", "{images}"], "codes of shape (40, 9, 7)"),
        (["interpolate", "{model}", "--data", "{images}", "--end", "40"], "index from 0 to 39"),
        (["interpolate", "{model}", "--data", "{images}", "--steps", "1"], "at least 2"),
        (["info", "{images}"], "no safetensors file"),
        (["train", "vanilla", "--data", "{images}", "--activation", "swish", "--out", "{tmp}/r"], "unknown activation"),
        (["train", "vanilla", "--data", "{images}", "--epochs", "0", "--out", "{tmp}/r"], "at least 1"),
        (["demo", "--out", "missing/report.html"], "does not exist"),
    ],
)
def test_a_mistake_in_use_is_one_sentence_and_exit_code_2(arguments, expected, model, images, tmp_path, capsys):
    filled = [a.format(model=model, images=images, tmp=tmp_path) for a in arguments]
    assert main(filled) == 2
    line = said(capsys)
    assert line.startswith(f"npae {arguments[0]}: ")
    assert any(part in line for part in expected.split("|"))


def test_an_unknown_type_is_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "quantum"])
    assert stopped.value.code == 2
    assert "vanilla" in capsys.readouterr().err


def test_a_failed_training_leaves_the_earlier_model_alone(model, images, tmp_path):
    before = model.read_bytes()
    bad = tmp_path / "bad.npy"
    np.save(bad, np.full((40, 9, 7), np.nan))
    assert main(["train", "variational", "--data", str(bad), "--out", str(model.parent), "--force", *QUICK]) == 2
    assert model.read_bytes() == before


def test_ctrl_c_outside_training_is_exit_code_130(monkeypatch, model):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr("npae.cli.info.run", interrupted)
    assert main(["info", str(model)]) == 130


def test_the_module_runs_as_the_command(model):
    done = subprocess.run(
        [sys.executable, "-m", "npae", "info", str(model)], capture_output=True, text=True, check=True
    )
    assert "VariationalAutoencoder" in done.stdout


def test_a_bare_network_is_refused_by_name(tmp_path, capsys):
    from npae.layers import Dense
    from npae.network.saving import save

    path = tmp_path / "net.safetensors"
    save(npae.Autoencoder([Dense(2)], [Dense(4)], loss="mse").build((4,)), path)
    assert main(["info", str(path)]) == 2
    assert "bare network" in said(capsys)


@pytest.mark.filterwarnings("always")
def test_ctrl_c_in_the_first_epoch_saves_nothing_and_says_so(images, tmp_path, monkeypatch, capsys):
    def press(self, x):
        raise KeyboardInterrupt

    single_steps(monkeypatch, press)
    assert main(["train", "vanilla", "--data", str(images), "--out", str(tmp_path / "run"), *QUICK]) == 130
    captured = capsys.readouterr()
    assert "no model was saved" in captured.out
    assert captured.err.startswith("npae: interrupted in epoch 1")
    assert not (tmp_path / "run").exists()


def test_infinity_after_good_epochs_leaves_their_model(images, tmp_path, monkeypatch, capsys):
    from npae.training.replicas import ThreadReplicas

    gradient, calls = ThreadReplicas.gradient, []

    def infinite_at_last(self, x):
        calls.append(1)
        return gradient(self, x) if len(calls) < 4 else float("inf")

    single_steps(monkeypatch, infinite_at_last)
    assert main(["train", "vanilla", "--data", str(images), "--out", str(tmp_path / "run"), *QUICK]) == 2
    assert "in epoch 2, step 2" in said(capsys)
    assert npae.load(tmp_path / "run" / "model.safetensors").n_iter_ == 1


def test_results_go_to_a_folder(images, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("here")
    assert main(["train", "vanilla", "--data", str(images), "--out", str(file), *QUICK]) == 2
    assert "is a file; give a folder" in said(capsys)
    assert file.read_text() == "here"


def run_with(images, folder, *options):
    return main(["train", "vanilla", "--data", str(images), "--out", str(folder), "--code-size", "3", *QUICK, *options])


def test_checkpoints_are_written_and_gone_on_from(images, tmp_path, capsys):
    run, whole = tmp_path / "run", tmp_path / "whole"
    assert run_with(images, run, "--resume") == 0  # nothing there yet, as in a script that always says so
    assert f"{run}/checkpoints is empty: training begins" in capsys.readouterr().out
    assert run_with(images, run, "--resume", "--epochs", "5", "--checkpoint-every", "2", "--keep-checkpoints", "2") == 0
    newest = "checkpoint-000000000004.safetensors"
    assert f"going on from {run}/checkpoints/{newest}" in capsys.readouterr().out
    assert run_with(images, whole, "--epochs", "5") == 0
    assert not (whole / "checkpoints").exists()
    resumed, expected = (npae.load(folder / "model.safetensors") for folder in (run, whole))
    assert resumed.network_.theta.tobytes() == expected.network_.theta.tobytes()
    assert sorted(path.name[-14:] for path in (run / "checkpoints").iterdir()) == ["08.safetensors", "10.safetensors"]


def test_checkpoints_of_another_run_are_refused_and_stay(images, tmp_path, capsys):
    assert run_with(images, tmp_path, "--checkpoint-every", "1") == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run_with(images, tmp_path, "--checkpoint-every", "1") == 2
    assert "holds model.safetensors already; give another folder, --resume to go on with that run, or --force" in said(
        capsys
    )
    assert run_with(images, tmp_path, "--resume", "--seed", "5") == 2
    assert "--seed was 0, now 5" in said(capsys)
    assert run_with(images, tmp_path, "--resume", "--checkpoint-every", "often") == 2
    assert 'a time such as "90s", "10m" or "2h"' in said(capsys)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
