"""Ranks that are processes of a real ``mpiexec``; what they agree upon is tested with threads in test_ranks.py."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers.rank_program import digest
from helpers.small_models import TYPES, samples

import npae
from npae import Checkpoints
from npae.cli import main

pytest.importorskip("mpi4py")
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
pytestmark = pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec")


def mpiexec(size, *command, cwd=None):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [MPIEXEC, "-n", str(size), sys.executable, "-m", *command],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@cache
def of_threads(name, n_jobs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return digest(name, n_jobs)


def digests(output):
    return dict(line.split() for line in output.splitlines() if re.fullmatch(r"\w+ [0-9a-f]{16}", line))


@pytest.mark.parametrize(("size", "names"), [(2, list(TYPES)), (4, ["denoising", "convolutional"])])
def test_processes_give_the_bits_of_as_many_threads(size, names, tmp_path):
    ended = mpiexec(size, "helpers.rank_program", str(tmp_path), ",".join(names))
    assert digests(ended.stdout) == {name: of_threads(name, size) for name in names}, ended.stderr


@pytest.mark.parametrize(
    ("how", "rank", "sentence"),
    [
        ("SIGTERM", 1, None),
        ("SIGKILL", 0, None),
        ("SIGSTOP", 1, "rank 1 of 2 gave no sign of life"),
        ("sleep", 1, "rank 1 of 2 did not come to the present step within 3 s"),
    ],
)
def test_a_run_is_over_where_one_of_its_ranks_ends_and_can_be_resumed_to_the_same_bits(how, rank, sentence, tmp_path):
    end = {"how": how, "rank": rank, "step": 23}
    ended = mpiexec(2, "helpers.rank_program", str(tmp_path), "denoising", json.dumps(end))
    assert not digests(ended.stdout)
    assert ended.returncode
    if sentence is not None:
        assert len(re.findall(rf"{sentence}; the checkpoint of step \d+", ended.stderr)) == 1, ended.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resumed = digest("denoising", 2, checkpoints=Checkpoints(tmp_path / "denoising", resume=True))
    assert resumed == of_threads("denoising", 2)


LAST_WORDS = """
import os, signal, subprocess, time
from npae.training.ranks.mpi import world
if world().is_first:
    launcher = os.getppid()
    subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {launcher}"])
    os.kill(launcher, signal.SIGSTOP)
    world().communicator.abort("there is no more")
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what a pipe holds")
def test_a_launcher_that_is_late_passes_on_why_ranks_end(tmp_path):
    (tmp_path / "last_words.py").write_text(LAST_WORDS, encoding="utf-8")
    ended = mpiexec(2, "last_words", cwd=tmp_path)
    assert ended.returncode
    assert ended.stderr.count("npae: there is no more; all ranks end") == 1


def test_the_command_line_trains_on_ranks_and_the_first_alone_writes_and_speaks(tmp_path):
    np.save(tmp_path / "rows.npy", samples(200, 12))
    command = ["npae", "train", "vanilla", "--data", str(tmp_path / "rows.npy"), "--epochs", "1", "--no-verbose"]
    ended = mpiexec(2, *command, "--out", str(tmp_path / "ranks"), "--ranks", "mpi")
    assert ended.returncode == 0, ended.stderr
    assert len(re.findall("loss .* after 1 epoch", ended.stdout)) == 1
    main([*command[1:], "--out", str(tmp_path / "threads"), "--n-jobs", "2"])
    ranks, threads = (npae.load(tmp_path / name / "model.safetensors") for name in ("ranks", "threads"))
    assert ranks.network_.theta.tobytes() == threads.network_.theta.tobytes()
    again = mpiexec(2, *command, "--out", str(tmp_path / "ranks"), "--ranks", "mpi")
    assert again.returncode == 2
    assert again.stderr.count("holds model.safetensors already") == 1


def test_ranks_without_mpiexec_are_refused_with_one_sentence(tmp_path):
    command = [sys.executable, "-m", "npae", "train", "vanilla", "--ranks", "mpi", "--out", str(tmp_path / "out")]
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PMI", "OMPI", "SLURM"))}
    environment = {**alone, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("mpiexec did not start this process") == 1
    assert "Traceback" not in ended.stderr


def test_the_mpiexec_of_another_mpi_is_named(tmp_path):
    command = [sys.executable, "-m", "npae", "train", "vanilla", "--ranks", "mpi", "--out", str(tmp_path / "out")]
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PMI", "OMPI", "SLURM"))}
    other = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=alone | other, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("mpiexec has started 2 processes, but mpi4py sees one") == 1


def test_without_mpi4py_the_first_rank_alone_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('No module named mpi4py')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    ended = mpiexec(2, "npae", "train", "vanilla", "--ranks", "mpi", "--out", str(tmp_path / "out"))
    assert ended.returncode == 2
    assert ended.stderr.count("pip install 'npae[mpi]'") == 1
    assert "Traceback" not in ended.stderr
