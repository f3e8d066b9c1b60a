"""The command line where a stream is closed, full, or the working folder is gone, and where a setting is nonsense."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT

import npae
from npae.cli import info, main

CLOSED = {"stdin": 0, "stdout": 1, "stderr": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of four columns and samples for it."""
    folder = tmp_path_factory.mktemp("closed")
    X = np.random.default_rng(0).random((40, 4))
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=40, random_state=0).fit(X).save(folder / "m.safetensors")
    np.save(folder / "x.npy", X)
    return folder


def run(folder, *arguments, closed=(), program="", **options):
    """npae in a process of its own, which is started without the streams named in ``closed``."""
    closing = "".join(f"os.close({CLOSED[name]});" for name in closed)
    command = ["-m", "npae", *map(str, arguments)]
    start = f"import os,sys;{closing}os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
    return subprocess.run(
        [sys.executable, "-c", start, *command], cwd=folder, env=environment, capture_output=True, encoding="utf-8",
        check=False, **options,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="closes the streams of a process as a POSIX shell does")
@pytest.mark.parametrize("closed", [["stdout"], ["stderr"], ["stdin", "stdout", "stderr"]])
def test_the_work_is_done_without_a_stream(folder, closed):
    name = "-".join(closed)
    done = run(folder, "encode", "m.safetensors", "--data", "x.npy", "--out", f"{name}.npy", closed=closed)
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(folder / f"{name}.npy").shape == (40, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="closes the streams of a process as a POSIX shell does")
def test_an_array_for_a_closed_standard_output_is_refused_in_one_sentence(folder):
    done = run(folder, "encode", "m.safetensors", "--data", "x.npy", "--out", "-", closed=["stdout"])
    assert done.returncode == 2
    assert done.stderr == ("npae encode: --out - writes an array to standard output, which is closed; name a file\n")


def test_training_that_would_show_a_bar_goes_on_without_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    X = np.random.default_rng(0).random((40, 4))
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=40, verbose=True).fit(X)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("out", [["--out", "full.npy"], ["--out", "-"]])
def test_a_full_disk_behind_standard_output_is_one_sentence(folder, out):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "npae", "encode", "m.safetensors", "--data", "x.npy", *out],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=full, stderr=subprocess.PIPE,
            encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("npae encode:") == 1
    told = done.stderr.splitlines()[-1]
    assert told.startswith("npae encode: standard output cannot be written (")
    assert "make room" in told
    assert "40 codes" not in done.stderr  # they are not there


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(("words", "unbuffered"), [(["--version"], "1"), (["help", "train"], "")])
def test_a_help_text_that_cannot_be_written_is_one_sentence(words, unbuffered):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "npae", *words], env=environment, stdout=full, stderr=subprocess.PIPE,
            encoding="utf-8", check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("npae: standard output cannot be written (")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_the_exit_code_of_a_mistake_is_2_also_where_it_cannot_be_told():
    with open("/dev/full", "w", encoding="utf-8") as full:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
        command = [sys.executable, "-m", "npae", "info", "no such model"]
        assert subprocess.run(command, env=environment, stderr=full, check=False).returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="closes the reading end of a pipe as a POSIX shell does")
def test_a_help_text_that_is_not_read_ends_with_141():
    read, written = os.pipe()
    os.close(read)
    try:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "npae", "--help"],
            env=environment,
            stdout=written,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(written)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no folder that a process is in")
def test_a_working_folder_that_is_gone_is_named(folder, tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    shutil.rmtree(gone)
    assert main(["encode", str(folder / "m.safetensors"), "--data", "x.npy", "--out", "c.npy"]) == 2
    told = capsys.readouterr().err
    assert told == (
        "npae encode: the folder that you are in does not exist any more; change into another, as with cd\n"
    )


@pytest.mark.parametrize("verb", ["info", "encode", "gradcheck"])
def test_a_name_of_a_model_that_is_too_long_is_one_sentence(verb, capsys):
    assert main([verb, "a" * 300, *(["--data", "x.npy", "--out", "c.npy"] if verb == "encode" else [])]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"npae {verb}: ")
    assert told.count("\n") == 1


def test_a_folder_given_for_a_model_is_said_to_be_one(folder):
    with pytest.raises(FileNotFoundError, match=r"is a folder, but a file is expected; give one in it, such as .*m\.s"):
        npae.load(folder)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="Numba is not imported then")
def test_a_setting_that_numba_refuses_is_not_taken_for_a_fault_of_the_model(folder):
    environment = {"NUMBA_NUM_THREADS": "-1"}
    done = run(folder, "encode", "m.safetensors", "--data", "x.npy", "--out", "n.npy", environment=environment)
    assert done.returncode == 2
    assert "cannot be rebuilt" not in done.stderr
    assert "Numba refuses a setting in the environment" in done.stderr
    assert "NUMBA_NUM_THREADS" in done.stderr


@pytest.mark.filterwarnings("always")
def test_a_warning_of_another_library_is_shown_without_its_traceback(capsys, monkeypatch):
    def run(args):
        warnings.warn(
            "X=abc could not be parsed.\nIt failed:\nTraceback (most recent call last):\n  File ", stacklevel=2
        )
        warnings.warn("two lines\nof a warning", stacklevel=2)

    monkeypatch.setattr(info, "run", run)
    assert main(["info", "model"]) == 0
    assert capsys.readouterr().err == "npae: X=abc could not be parsed.\nnpae: two lines\nof a warning\n"
