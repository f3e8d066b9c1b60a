"""The command line under options of Python: -OO, and -X dev with warnings as errors."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT

from npae.cli import VERBS

#: Each with all that it implies: -OO removes what -O does, and docstrings; with -X dev all warnings are errors.
MODES = {
    "-OO": ["-OO"],
    "-X dev": ["-X", "dev", "-W", "error", "-X", "warn_default_encoding"],
}

#: All in one child, since it takes Python and Numba a second to start.
HELP = """
import contextlib, io, sys
import npae.cli
from npae.gradcheck.selftest.__main__ import main as selftest

def told(run, *arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            run(list(arguments))
        except SystemExit as end:
            assert_(end.code == 0, arguments)
    return said.getvalue()

def assert_(holds, what):
    if not holds:
        raise RuntimeError(what)

verbs = sys.argv[1:]
listed = told(npae.cli.main, "--help")
for verb in verbs:
    assert_(verb in listed, verb)
    text = told(npae.cli.main, verb, "--help")
    assert_(text.startswith(f"usage: npae {verb}"), text)
for kind in npae.estimators.ESTIMATORS:
    text = " ".join(told(npae.cli.main, "train", kind, "--help").split())
    assert_("--code-size" in text and "--epochs" in text, text)
for verb in ("start", "next", "check", "watch", "hint", "text", "list", "solution", "reset", "dev"):
    assert_("usage" in told(npae.cli.main, "learn", verb, "--help"), verb)
assert_("every known mistake" in told(selftest, "--help"), "selftest")
print(len(verbs))
"""

#: One verb of each kind: train, use, export, check a gradient, learn, mark. Those that only read follow a real model.
RUNS = [
    "--version",
    "train vanilla --data x.npy --epochs 1 --batch-size 10 --code-size 2 --out run --no-verbose",
    "info run/model.safetensors",
    "encode run/model.safetensors --data x.npy --out codes.npy",
    "decode run/model.safetensors codes.npy --out y.npy",
    "export run/model.safetensors --to python --out model.py",
    "gradcheck vanilla --shape 4,4 --fast",
    "learn start mine",
    "learn list --dir mine",
    "learn solution dense --reveal --dir mine",
    "grade class --csv out.csv",
]
RUN = """
import sys, warnings
# Numba opens files without an encoding, too, and that is not what is looked for.
warnings.filterwarnings("ignore", category=EncodingWarning)
warnings.filterwarnings("error", category=EncodingWarning, module="npae")
from npae.cli import main
for line in sys.stdin.read().splitlines():
    try:
        status = main(line.split())
    except SystemExit as end:
        status = end.code
    if status not in (0, None):
        sys.exit(f"{line}: {status}")
"""

RIGHT = "# npae-exercise: dense v1\ndef backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0)\n"

#: The exported file, used as whoever has no npae would.
USE = """
import numpy as np, model
print(model.decode(model.encode(np.load("x.npy"))).shape)
"""
EXPORTED = "(30, 4, 4)"


def child(mode: list[str], folder: Path, code: str, *arguments: str, given: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    for name in ("PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONDEVMODE"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *mode, "-c", code, *arguments],
        env=environment,
        cwd=folder,
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_help_is_complete(mode: list[str], tmp_path: Path) -> None:
    assert child(mode, tmp_path, HELP, *VERBS).strip() == str(len(VERBS))


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_one_verb_of_each_kind_runs(mode: list[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((30, 4, 4), dtype=np.float32))
    (tmp_path / "class" / "anna").mkdir(parents=True)
    (tmp_path / "class" / "anna" / "dense.py").write_text(RIGHT, encoding="utf-8")
    said = child(mode, tmp_path, RUN, given="\n".join(RUNS))
    assert "def backward(" in said  # the solution, of which the source is read
    assert "anna,dense,pass" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert EXPORTED in child(mode, tmp_path, USE)
