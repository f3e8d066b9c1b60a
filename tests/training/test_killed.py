"""Interrupted training in real processes: SIGKILL, SIGTERM, Ctrl-C and a full disk."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from helpers.killable import finished
from helpers.paths import CHILD

import npae
from npae import Checkpoints
from npae.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")

ALWAYS = "0.000001s"  # after every step
KILLS = 20
WORKERS = 2


@pytest.fixture(scope="module")
def unbroken() -> dict[str, bytes]:
    return finished(None)


@contextmanager
def python(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that does not outlive the test."""
    pipe = subprocess.PIPE
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=CHILD) as process:
        try:
            yield process
        finally:
            process.kill()


class Trainer:
    """A process that trains in a child of its own for each request."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, folder: Path, every: str, *death: str | int) -> int:
        """Begin to train; the number of the process that does."""
        assert self.process.stdin is not None
        print(json.dumps([str(folder), every, *death]), file=self.process.stdin, flush=True)
        word, number = self._line()
        assert word == "training"
        return int(number)

    def end(self) -> tuple[bool, int]:
        """Whether the training was done, and the status with which its process ended."""
        word, *rest = self._line()
        is_done = word == "done"
        if is_done:
            word, *rest = self._line()
        assert word == "ended"
        return is_done, int(rest[0])

    def _line(self) -> list[str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()
        return line.split()


@contextmanager
def trainer() -> Iterator[Trainer]:
    with python("-m", "helpers.killable") as process:
        yield Trainer(process)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def kill_and_resume(folder: Path, n: int, longest: float, unbroken: dict[str, bytes], seed: int) -> list[bool]:
    """Kill ``n`` processes at drawn moments, each going on where the last was killed; is each run's end the same?

    What is left after each kill is copied and finished here, in another process; the original is killed again.
    """
    moments, same = random.Random(seed), []
    run = 0
    with trainer() as runs:
        while len(same) < n:
            number = runs.start(folder / str(run), moments.choice([ALWAYS, ALWAYS, "0.05s", "1"]))
            time.sleep(moments.uniform(0, longest))
            with suppress(ProcessLookupError):  # it was faster
                os.kill(number, signal.SIGKILL)
            is_done, status = runs.end()
            if is_done:
                run += 1
                continue
            assert status == -signal.SIGKILL
            copy = folder / f"copy {len(same)}"
            if (folder / str(run)).exists():
                shutil.copytree(folder / str(run), copy)
            same.append(finished(Checkpoints(copy, every="1h", resume=True)) == unbroken)
    return same


def test_of_20_runs_that_were_killed_at_random_moments_all_end_with_the_same_bits(
    unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    with trainer() as runs:
        runs.start(tmp_path / "timed", ALWAYS)
        began = time.monotonic()
        assert runs.end() == (True, 0)
        longest = time.monotonic() - began
    assert finished(Checkpoints(tmp_path / "timed", resume=True)) == unbroken
    with ThreadPoolExecutor(WORKERS) as pool:
        chains = pool.map(
            lambda i: kill_and_resume(tmp_path / f"chain {i}", KILLS // WORKERS, longest, unbroken, i), range(WORKERS)
        )
        same = [answer for chain in chains for answer in chain]
    assert same == [True] * KILLS


@pytest.mark.parametrize(
    ("function", "calls", "kept", "leftovers"),
    [("fsync", 7, [1, 2, 3], 1), ("replace", 5, [2, 3, 4], 1), ("after_replace", 5, [2, 3, 4, 5], 0)],
)
def test_a_kill_while_a_checkpoint_is_written_leaves_the_old_ones(
    function: str, calls: int, kept: list[int], leftovers: int, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    with trainer() as runs:
        runs.start(tmp_path, ALWAYS, function, calls)
        assert runs.end() == (False, -signal.SIGKILL)
    found = files(tmp_path)
    assert [name for name in found if not name.startswith(".")] == [
        f"checkpoint-{step:012}.safetensors" for step in kept
    ]
    assert len([name for name in found if name.startswith(".checkpoint-")]) == leftovers
    checkpoints = Checkpoints(tmp_path, every="1h", resume=True)
    assert finished(checkpoints) == unbroken
    assert checkpoints.resumed_from is not None
    assert checkpoints.resumed_from.name == f"checkpoint-{kept[-1]:012}.safetensors"
    assert not any(name.startswith(".") for name in files(tmp_path))


# The command line


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "x.npy"
    np.save(path, np.random.default_rng(0).random((600, 12), dtype="float32"))
    return path


def command(data: Path, out: Path, epochs: int, *options: str) -> list[str]:
    small = ["--noise-level", "0.2", "--hidden", "9", "--code-size", "3", "--batch-size", "10", "--no-verbose"]
    return ["train", "denoising", "--data", str(data), "--out", str(out), "--epochs", str(epochs), *small, *options]


#: The command, in a process that answers Ctrl-C even where these tests run in the background, without it.
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from npae.cli import main
sys.exit(main(sys.argv[1:]))
"""


def wait_for(folder: Path, process: "subprocess.Popen[str]") -> None:
    while not list(folder.glob("*.safetensors")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [(signal.SIGTERM, 143, "npae: stopped by SIGTERM in epoch"), (signal.SIGINT, 130, "npae: interrupted in epoch")],
)
def test_a_signal_ends_training_in_one_sentence_and_resuming_goes_on(
    number: int, code: int, sentence: str, data: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with python("-c", COMMAND, *command(data, run, 100_000, "--checkpoint-every", "2")) as process:
        wait_for(run / "checkpoints", process)
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == code, errors
    (line,) = errors.strip().split("\n")
    assert line.startswith(sentence)
    assert "is where the run can go on" in line
    done = npae.load(run / "model.safetensors").n_iter_
    assert done >= 2
    assert len(files(run / "checkpoints")) <= 3
    assert main(command(data, run, done + 2, "--resume")) == 0
    assert main(command(data, tmp_path / "whole", done + 2)) == 0
    resumed, whole = (npae.load(folder / "model.safetensors") for folder in (run, tmp_path / "whole"))
    assert resumed.network_.theta.tobytes() == whole.network_.theta.tobytes()
    assert resumed.history_["loss"] == whole.history_["loss"]
    assert not (run / ".lock").exists()


def test_a_run_of_the_command_that_was_killed_goes_on(data: Path, tmp_path: Path) -> None:
    arguments = command(data, tmp_path / "run", 12, "--checkpoint-every", "0.001s", "--keep-checkpoints", "2")
    with python("-m", "npae", *arguments) as process:
        wait_for(tmp_path / "run" / "checkpoints", process)
        process.kill()
    assert not (tmp_path / "run" / "model.safetensors").exists()
    assert main(arguments) == 2  # what it left is not replaced without a word
    assert main([*arguments, "--resume"]) == 0
    lines = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", *map(str, range(1, 13))]
    assert main(command(data, tmp_path / "whole", 12)) == 0
    resumed, whole = (npae.load(tmp_path / name / "model.safetensors") for name in ("run", "whole"))
    assert resumed.network_.theta.tobytes() == whole.network_.theta.tobytes()
    assert len(files(tmp_path / "run" / "checkpoints")) == 2


# A library's process

FULL_DISK = """
import resource, sys
import numpy as np, npae
def full(training):
    if training.epoch == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
x = np.random.default_rng(0).random((40, 12), dtype="float32")
model = npae.VanillaAutoencoder(epochs=9, batch_size=8, random_state=0)
try:
    model.fit(x, callbacks=[full], checkpoints=npae.Checkpoints(sys.argv[1]))
except OSError as error:
    print(error)
print(model.n_iter_, np.isfinite(model.score(x)))
"""


def test_a_full_disk_ends_training_in_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    with python("-c", FULL_DISK, str(tmp_path)) as process:
        said, _ = process.communicate()
    sentence, state = said.strip().split("\n")
    assert sentence.startswith("training stopped in epoch 4, since a checkpoint could not be written: ")
    assert "checkpoint-000000000015.safetensors cannot be written (File too large); make room" in sentence
    assert "what was learned until then is kept, and the checkpoints before are as they were" in sentence
    assert state == "3 True"
    assert files(tmp_path) == [f"checkpoint-{step:012}.safetensors" for step in (5, 10)]
    x = np.random.default_rng(0).random((40, 12), dtype="float32")
    model = npae.VanillaAutoencoder(epochs=9, batch_size=8, random_state=0)
    model.fit(x, checkpoints=Checkpoints(tmp_path, resume=True))
    whole = npae.VanillaAutoencoder(epochs=9, batch_size=8, random_state=0).fit(x)
    assert model.network_.theta.tobytes() == whole.network_.theta.tobytes()
