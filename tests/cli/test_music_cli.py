"""From a folder of music to new music on the command line, and what is refused on the way."""

import wave
from pathlib import Path

import numpy as np
import pytest
from fuzzing.seeds import midi_file, music_model
from helpers.midi import midi, scale, write
from helpers.small_models import fitted

import npae
from npae.cli import main
from npae.cli.sides import folder_labels
from npae.datasets.music import Layout, read_bars

pytest.importorskip("mido")
TRAIN = ["--epochs", "2", "--batch-size", "8", "--code-size", "2", "--no-verbose"]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A model of bars from E3 to E5."""
    folder = tmp_path_factory.mktemp("music")
    songs(folder / "songs")
    assert main(["train", "variational", "--data", str(folder / "songs"), "--out", str(folder / "run"), *TRAIN]) == 0
    return folder / "run/model.safetensors"


def songs(folder: Path) -> Path:
    for i in range(6):
        write(folder, f"{i}.mid", midi(scale([52, 60, 62, 64, 65 + i, 67, 71, 76])))
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_model_remembers_what_its_bars_mean(model):
    loaded = npae.load(model)
    assert Layout.from_metadata(loaded.metadata_) == Layout((4, 4), 16, 52, 76)
    assert loaded.network_.input_shape == (16, 25, 2)
    loaded.save("again.safetensors")
    assert npae.load("again.safetensors").metadata_ == loaded.metadata_


def test_info_says_what_a_model_of_music_is_about(model, capsys):
    assert main(["info", str(model)]) == 0
    assert "\nmusic: bars of 4/4 in 16 steps, pitches E3 to E5, 100 quarter notes a minute\n" in capsys.readouterr().out
    fitted("variational").save("m.safetensors")
    assert main(["info", "m.safetensors"]) == 0
    assert "music" not in capsys.readouterr().out


def test_a_model_that_is_fitted_anew_forgets_what_its_earlier_data_meant(model):
    loaded = npae.load(model)
    loaded.fit(np.random.default_rng(0).random((20, 5), np.float32))
    assert loaded.metadata_ == {}


def test_samples_are_written_as_midi_in_the_range_of_the_data(model):
    assert main(["sample", str(model), "-n", "3", "--out", "new.mid"]) == 0
    X, layout, _ = read_bars("new.mid")
    assert layout.lowest >= 52
    assert layout.highest <= 76
    assert 1 <= len(X) <= 3


def test_samples_are_written_as_sound_and_as_a_picture(model):
    pytest.importorskip("matplotlib")
    assert main(["sample", str(model), "-n", "2", "--out", "new.wav"]) == 0
    with wave.open("new.wav") as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(2 * 4 * 60 / 100, abs=0.2)
    assert main(["sample", str(model), "-n", "2", "--out", "new.png"]) == 0
    assert Path("new.png").read_bytes().startswith(b"\x89PNG")


def test_reconstructions_walks_and_decoded_codes_are_music_too(model):
    songs(Path("songs"))
    data = ["--data", "songs"]
    assert main(["reconstruct", str(model), *data, "--out", "a.mid"]) == 0
    assert main(["compress", str(model), *data, "--out", "a.npaez"]) == 0
    assert main(["decompress", str(model), "a.npaez", "--out", "e.mid"]) == 0
    assert Path("e.mid").read_bytes().startswith(b"MThd")
    assert main(["interpolate", str(model), *data, "--steps", "4", "--out", "b.mid"]) == 0
    assert main(["encode", str(model), *data, "--out", "codes.npy"]) == 0
    assert main(["decode", str(model), "codes.npy", "--out", "c.mid"]) == 0
    assert Path("a.mid").read_bytes() == Path("c.mid").read_bytes()
    assert len(np.load("codes.npy")) == 12


def test_data_for_a_model_is_read_in_the_pitches_of_the_model(model):
    write(Path("few"), "a.mid", midi(scale([60, 62, 64, 65])))
    assert main(["encode", str(model), "--data", "few", "--out", "a.npy"]) == 0
    write(Path("few"), "b.mid", midi(scale([60, 62, 64, 65, 76, 76, 52, 52])))
    assert main(["encode", str(model), "--data", "few", "--out", "b.npy"]) == 0
    np.testing.assert_allclose(np.load("a.npy")[0], np.load("b.npy")[0], rtol=1e-5)  # NumPy rounds by rows


def said(capsys, command: list[str]) -> str:
    """What a command that is refused says, in one sentence."""
    assert main(command) == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


def test_a_pitch_that_the_model_does_not_have_is_refused(model, capsys):
    write(Path("high"), "a.mid", midi(scale([90] * 4)))
    text = said(capsys, ["encode", str(model), "--data", "high", "--out", "x.npy"])
    assert "a.mid' has the note F#6, but the model's music goes from E3 to E5" in text


def test_a_model_of_other_data_writes_no_music(capsys):
    fitted("variational").save("m.safetensors")
    text = said(capsys, ["sample", "m.safetensors", "--out", "x.mid"])
    assert "the model was not trained on music" in text
    assert not Path("x.mid").exists()


def test_codes_are_not_written_as_music(model, capsys):
    songs(Path("songs"))
    assert "does not end in" in said(capsys, ["encode", str(model), "--data", "songs", "--out", "x.mid"])


def test_the_meter_of_data_is_that_of_the_model(model, capsys):
    songs(Path("songs"))
    text = said(capsys, ["encode", str(model), "--data", "songs", "--meter", "3/4", "--out", "x.npy"])
    assert "--meter was given, but" in text
    assert "was trained on bars of 4/4 in 16 steps, pitches E3 to E5" in text


def test_options_of_music_are_for_music_and_size_is_not(capsys):
    songs(Path("songs"))
    np.save("x.npy", np.zeros((4, 3)))
    assert "--size was given with songs" in said(capsys, ["train", "deep", "--data", "songs", "--size", "8,8"])
    text = said(capsys, ["train", "deep", "--data", "x.npy", "--steps-per-quarter", "4"])
    assert "--steps-per-quarter was given with x.npy, but is for music; leave it out" in text


def test_a_broken_file_in_a_folder_is_named(capsys):
    songs(Path("songs"))
    write(Path("songs"), "3.mid", b"MThd broken")
    assert "songs/3.mid' is a damaged MIDI file" in said(capsys, ["train", "deep", "--data", "songs"])


@pytest.mark.filterwarnings("default")
def test_what_is_left_out_is_said(capsys):
    write(Path("songs"), "a.mid", midi_file(meter=(3, 4)))
    write(Path("songs"), "b.mid", midi_file())
    command = ["train", "deep", "--data", "songs", "--meter", "4/4", "--hidden", "4", *TRAIN]
    assert main(command) == 0
    assert "'songs': 2 bars of 4/4 are read; bars left out: 2 3/4" in capsys.readouterr().err


def test_bars_are_transposed_on_the_command_line():
    songs(Path("songs"))
    command = ["train", "deep", "--data", "songs", "--transpose", "all", "--hidden", "4", *TRAIN, "--out", "run"]
    assert main(command) == 0
    layout = Layout.from_metadata(npae.load("run/model.safetensors").metadata_)
    assert (layout.lowest, layout.highest) == (52 - 5, 76 + 6)


@pytest.mark.parametrize("kind", ["convolutional", "denoising", "vanilla"])
def test_every_type_takes_bars(kind):
    songs(Path("songs"))
    options = ["--filters", "2"] if kind == "convolutional" else []
    assert main(["train", kind, "--data", "songs", *options, *TRAIN, "--out", "run"]) == 0
    assert main(["sample", "run/model.safetensors", "-n", "2", "--out", "x.mid"]) == 0


@pytest.mark.parametrize("metadata", [{"music": {"steps": 4}}, Layout((4, 4), 16, 60, 62).to_metadata(), [1]])
def test_a_model_whose_music_does_not_fit_is_refused_with_its_name(metadata, capsys):
    model = music_model()
    model.metadata_ = metadata
    model.save("m.safetensors")
    assert "m.safetensors holds a model that cannot be rebuilt: " in said(capsys, ["sample", "m.safetensors"])


def test_a_folder_of_music_can_be_grouped_and_has_no_labels(model):
    pytest.importorskip("sklearn")
    songs(Path("songs"))
    assert folder_labels(Path("songs")) is None
    command = ["cluster", str(model), "--data", "songs", "--clusters", "2", "--out", "groups.csv"]
    assert main(command) == 0
    assert len(Path("groups.csv").read_text(encoding="utf-8").splitlines()) == 13
