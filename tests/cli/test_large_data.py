"""The command line goes through shards as through the array that they make up."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from npae.applications.retrieval import Index
from npae.cli import main
from npae.datasets import read
from npae.estimators.load import load

IMAGES = np.random.default_rng(0).integers(0, 256, (600, 8, 8), np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "shards").mkdir()
    for i, part in enumerate(np.split(IMAGES, [250, 256])):
        np.save(tmp_path / "shards" / f"{i}.npy", part)
    np.save(tmp_path / "whole.npy", IMAGES)
    return tmp_path


def run(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0


def train(folder: Path, out: str, *data: object) -> Path:
    options = ["--epochs", 1, "--no-verbose", "--code-size", 2, "--out", folder / out]
    run("train", "vanilla", "--data", *data, *options)
    return folder / out / "model.safetensors"


def test_train_takes_a_folder_a_pattern_and_several_files(data: Path) -> None:
    whole = load(train(data, "whole", data / "whole.npy")).network_.theta
    files = sorted((data / "shards").iterdir())
    for out, names in (("a", [data / "shards"]), ("b", [data / "shards" / "*.npy"]), ("c", files)):
        np.testing.assert_array_equal(load(train(data, out, *names)).network_.theta, whole)
        assert (data / out / "reconstructions.png").exists()


def test_a_command_lists_a_folder_of_shards_once_and_the_next_command_anew(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = train(data, "run", data / "whole.npy")
    listed: list[Path] = []
    entries = Path.iterdir

    def counted(folder: Path) -> Iterator[Path]:
        listed.append(folder)
        return iter(entries(folder))

    monkeypatch.setattr(Path, "iterdir", counted)
    for n in (600, 606):
        run("encode", model, "--data", data / "shards", "--out", data / f"{n}.npy")
        assert len(np.load(data / f"{n}.npy")) == n
        np.save(data / "shards" / "3.npy", IMAGES[:6])
    assert len(read(data / "shards")) == 606
    assert listed.count(data / "shards") == 3


def test_verbs_go_through_shards_as_through_one_file(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = train(data, "run", data / "whole.npy")
    capsys.readouterr()
    found = []
    for name in ("whole.npy", "shards"):
        out = data / f"out-{name}"
        run("encode", model, "--data", data / name, "--out", f"{out}.npy")
        run("encode", model, "--data", data / name, "--out", f"{out}.csv")
        run("index", model, "--data", data / name, "--out", f"{out}.index")
        run("compress", model, "--data", data / name, "--out", f"{out}.npaez")
        written = [Path(f"{out}{suffix}").read_bytes() for suffix in (".npy", ".csv", ".index", ".npaez")]
        said = capsys.readouterr().out.replace(str(out), "")
        found.append((written, said))
    assert found[0] == found[1]
    codes = np.load(data / "out-shards.npy")
    np.testing.assert_array_equal(codes, load(model).transform(IMAGES / np.float32(255)))
    np.testing.assert_array_equal(Index.load(data / "out-shards.index").codes, codes)
    run("search", model, data / "out-shards.index", data / "shards", "--first", 1)
    assert "600" not in capsys.readouterr().err


def test_an_output_that_a_pattern_matches_is_refused(data: Path) -> None:
    model = train(data, "run", data / "whole.npy")
    for names in ([data / "shards" / "*.npy"], [data / "shards" / "0.npy", "--data", data / "shards" / "1.npy"]):
        arguments = ["encode", model, "--data", *names, "--out", data / "shards" / "0.npy", "--force"]
        assert main(list(map(str, arguments))) == 2
    np.testing.assert_array_equal(np.load(data / "shards" / "0.npy"), IMAGES[:250])
