"""What npae starts looks for modules where npae does, never in the working directory."""

import os
import subprocess
import sys

import numpy as np
import pytest

from npae import Autoencoder
from npae.applications.encoded_parts import encode_parts
from npae.cli.bench import process
from npae.layers import Dense
from npae.utils.started import SAFE_PATH, python_command, safe_path

#: Modules that a started process imports at once, of the standard library and others.
NAMES = ("multiprocessing", "importlib", "runpy", "json", "numpy", "random", "npae", "usercustomize")


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    """The file that shows that a module of the working directory was run; the directory has nothing else."""
    folder, file = tmp_path / "data", tmp_path / "trapped"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(file)!r}, 'w').close()\nraise SystemExit(9)\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    return file


def test_the_trap_works(trapped):
    subprocess.run([sys.executable, "-c", "import random"], check=False)
    assert trapped.exists()


def test_a_command_finds_modules_where_this_process_does(trapped):
    program = "import json, random, sys; print(json.dumps([sys.path, sys.argv[1:]]))"
    done = subprocess.run(python_command(program, "a", "b c"), capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == str([sys.path, ["a", "b c"]]).replace("'", '"')
    assert not trapped.exists()


def test_within_safe_path_no_module_of_the_working_directory_is_run(trapped, monkeypatch):
    monkeypatch.delenv(SAFE_PATH, raising=False)
    with safe_path():
        subprocess.run([sys.executable, "-c", "import multiprocessing.spawn, random"], check=True)
    assert not trapped.exists()
    assert SAFE_PATH not in os.environ
    monkeypatch.setenv(SAFE_PATH, "yes")
    with safe_path():
        pass
    assert os.environ[SAFE_PATH] == "yes"


def test_a_worker_of_the_benchmark_runs_no_module_of_the_working_directory(trapped, tmp_path, monkeypatch):
    (tmp_path / "modules").mkdir()
    source = "import json, random, sys\nfor line in sys.stdin: print(json.dumps({'value': sys.argv[1:]}), flush=True)"
    (tmp_path / "modules" / "a_worker.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.setattr(process, "MODULE", "a_worker")
    with process.WorkerProcess("npae", 1) as worker:
        assert worker.ask("time") == ["npae", "1"]
    assert not trapped.exists()


def test_workers_of_dask_run_no_module_of_the_working_directory(trapped, tmp_path):
    pytest.importorskip("distributed")
    model, out = tmp_path / "model.safetensors", tmp_path / "codes"
    Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,)).save(model)
    np.save(tmp_path / "a.npy", np.zeros((4, 3)))
    out.mkdir()
    assert encode_parts(model, [tmp_path / "a.npy"], out, workers=1, options={}, say=print) == (1, 0)
    assert not trapped.exists()
