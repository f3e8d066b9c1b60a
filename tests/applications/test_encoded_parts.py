"""A folder of codes holds what its record says: of one model, whole, and scaled alike."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import fitted, samples

import npae
from npae.applications.encoded_parts import RECORD, encode_parts, parts_in
from npae.cli import main
from npae.datasets.named_columns import NamedColumns
from npae.layers import Dense, Flatten, Reshape

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler() -> Any:
    """The address of a scheduler whose worker is a thread of this process."""
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of two parts, and one for their codes."""
    data, out = tmp_path / "data", tmp_path / "codes"
    data.mkdir()
    out.mkdir()
    for name, part in zip("ab", np.split(samples(20, 12), 2), strict=True):
        np.save(data / f"{name}.npy", part)
    return data, out


def saved(folder: Path, seed: int) -> Path:
    path = folder / f"{seed}.safetensors"
    fitted("vanilla", random_state=seed).save(path)
    return path


def encoded(model: Path, data: Path, out: Path, scheduler: str) -> tuple[int, int]:
    return encode_parts(model, parts_in(data), out, scheduler=scheduler, options={}, say=lambda sentence: None)


def test_codes_that_are_not_whole_are_made_again(folders: Any, tmp_path: Path, scheduler: str) -> None:
    model, (data, out) = saved(tmp_path, 0), folders
    assert encoded(model, data, out, scheduler) == (2, 0)
    whole = (out / "b.npy").read_bytes()
    (out / "b.npy").write_bytes(whole[:-1])
    assert encoded(model, data, out, scheduler) == (1, 1)
    assert (out / "b.npy").read_bytes() == whole


def test_codes_that_were_replaced_by_a_run_that_ended_are_not_taken_for_those_before(
    folders: Any, tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data, out), one, other = folders, saved(tmp_path, 0), saved(tmp_path, 1)
    encoded(one, data, out, scheduler)
    before = (out / "a.npy").read_bytes()

    def ended(futures: Any) -> None:  # when all codes are written, and before the record says so
        distributed.wait(list(futures))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(distributed, "as_completed", ended)
        with pytest.raises(KeyboardInterrupt):
            encoded(other, data, out, scheduler)
    assert (out / "a.npy").read_bytes() != before
    assert encoded(one, data, out, scheduler) == (2, 0)
    assert (out / "a.npy").read_bytes() == before


def test_a_run_that_ended_before_the_first_record_goes_on(
    folders: Any, tmp_path: Path, scheduler: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model, (data, out) = saved(tmp_path, 0), folders
    np.save(data / "c.npy", samples(4, 5))
    command = ["encode", str(model), "--data", str(data), "--out", str(out), "--scheduler", scheduler]
    assert main(command) == 2
    (data / "c.npy").unlink()
    assert main(command) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.npy", "b.npy", RECORD]
    assert capsys.readouterr().err.count("npae") == 1


def test_codes_of_another_model_are_no_neighbours_and_those_of_files_that_are_gone_are_told(
    folders: Any, tmp_path: Path, scheduler: str
) -> None:
    (data, out), model = folders, saved(tmp_path, 0)
    encoded(model, data, out, scheduler)
    (data / "a.npy").rename(data / "c.npy")
    with pytest.raises(ValueError, match=r"holds codes of a.npy, which is not in .* and was encoded by another model"):
        encoded(saved(tmp_path, 1), data, out, scheduler)
    with pytest.warns(UserWarning, match="also holds codes of a.npy, not in .*data$"):
        assert encoded(model, data, out, scheduler) == (1, 1)
    (out / "a.npy").unlink()
    with warnings.catch_warnings(action="error", category=UserWarning):
        assert encoded(model, data, out, scheduler) == (0, 2)


def test_images_of_bytes_are_scaled_alike_in_every_part(tmp_path: Path, scheduler: str) -> None:
    data, out, model = tmp_path / "data", tmp_path / "codes", tmp_path / "net.safetensors"
    data.mkdir()
    out.mkdir()
    npae.Autoencoder([Flatten(), Dense(2)], [Dense(12), Reshape((3, 4))], loss="mse").build((3, 4)).save(model)
    dark, light = np.eye(12, dtype=np.uint8).reshape(12, 3, 4), np.full((5, 3, 4), 200, np.uint8)
    np.save(data / "dark.npy", dark)
    np.savez(data / "rest.npz", light)
    encoded(model, data, out, scheduler)
    encoder = npae.load_encoder(model)
    for name, part in (("dark", dark), ("rest", light)):
        assert np.load(out / f"{name}.npy").tobytes() == encoder.transform(part / np.float32(255)).tobytes()
    (data / "rest.npz").unlink()
    (out / "rest.npy").unlink()
    assert encoded(model, data, out, scheduler) == (1, 0)
    assert np.load(out / "dark.npy").tobytes() == encoder.transform(dark.astype(np.float32)).tobytes()


@pytest.mark.filterwarnings("default")
def test_what_is_no_part_is_passed_over_with_a_word(
    folders: Any, tmp_path: Path, scheduler: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = folders
    (data / "._a.npy").write_bytes(b"of another system")
    (data / "inner.npy").mkdir()
    (data / "notes.txt").write_text("x", encoding="utf-8")
    assert [part.name for part in parts_in(data)] == ["a.npy", "b.npy"]
    command = ["encode", str(saved(tmp_path, 0)), "--data", str(data), "--out", str(out), "--scheduler", scheduler]
    assert main(command) == 0
    assert "2 entries that are no shards are passed over" in capsys.readouterr().err


def test_workers_write_no_array_to_standard_output(
    folders: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, _ = folders
    command = ["encode", str(saved(tmp_path, 0)), "--data", str(data), "--out", "-", "--workers", "1"]
    assert main(command) == 2
    assert "--out is -, but standard output is for one array" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")
def test_what_workers_warn_of_is_said_once_by_the_process_that_speaks(
    tmp_path: Path, scheduler: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "codes"
    data.mkdir()
    out.mkdir()
    for name in "abc":
        np.save(data / f"{name}.npy", (samples(20, 3) * 255).round())
    named = NamedColumns.of(samples(20, 3), ["x", "y", "z"])
    model = tmp_path / "model.safetensors"
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=20, random_state=0).fit(named).save(model)
    with pytest.warns(UserWarning, match=".") as said:
        encoded(model, data, out, scheduler)
    texts = [str(warning.message) for warning in said]
    assert [text.count("; so it is with 2 more files") for text in texts] == [1, 1]
    names, scale = sorted(texts, key=lambda text: "trained to rebuild" in text)
    assert names.startswith(f"{data / 'a.npy'} does not name its columns, so they are taken in the order of the ")
    assert scale.startswith(f"{data / 'a.npy'}: the samples run from ")
    assert capfd.readouterr().err == ""


def test_a_part_that_a_worker_refuses_is_told_without_a_log(
    folders: Any, tmp_path: Path, scheduler: str, capfd: pytest.CaptureFixture[str]
) -> None:
    model, (data, out) = saved(tmp_path, 0), folders
    np.save(data / "a.npy", samples(4, 5))
    with pytest.raises(ValueError, match=r"a\.npy could not be encoded: "):
        encoded(model, data, out, scheduler)
    assert capfd.readouterr().err == ""
