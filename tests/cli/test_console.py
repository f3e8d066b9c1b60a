"""Output on consoles and pipes with a limited encoding, as on Windows, uses plain characters."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.small_models import fitted

from npae.cli import VERBS, main
from npae.gradcheck.selftest import __main__

ENCODINGS = ["ascii", "cp437", "cp1252"]
WRONG = """
import numpy as np
from npae.layers import ReLU

class Wrong(ReLU):
    def backward(self, dy):
        return 2 * super().backward(dy)
"""


@contextmanager
def console(encoding: str) -> Iterator[io.BytesIO]:
    """What standard output and error receive; a sign that the encoding has not is an error."""
    received = io.BytesIO()
    stream = io.TextIOWrapper(received, encoding=encoding, errors="strict", write_through=True)
    with redirect_stdout(stream), redirect_stderr(stream):
        yield received


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_its_help(verb: str, encoding: str) -> None:
    with console(encoding) as received:
        with pytest.raises(SystemExit) as ended:
            main([verb, "--help"])
        assert ended.value.code == 0
        assert f"npae {verb}".encode() in received.getvalue()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_models_gradients_and_mistakes_are_told_of(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fitted("variational").save("model.safetensors")
    Path("console_example.py").write_text(WRONG, encoding="utf-8")
    with console(encoding) as received:
        assert main(["info", "model.safetensors"]) == 0
        assert main(["gradcheck", "console_example:Wrong"]) == 1
        assert main(["gradcheck", "\u4e2d \u2192 \udcff.safetensors"]) == 2
        said = received.getvalue()
    assert b"VariationalAutoencoder" in said
    assert b"WRONG" in said
    assert b"\\u4e2d -> \\udcff.safetensors" in said


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_measure_of_the_checker_is_shown(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    score = __main__.Score(missed=["\u2192 \u2207"])
    monkeypatch.setattr(__main__, "score", lambda *arguments: score)
    monkeypatch.setattr(__main__, "SHORT", (1, 1))
    with console(encoding) as received:
        assert __main__.main(["--configurations", "0"]) == 1
        assert b"missed: -> grad " in received.getvalue()


@pytest.mark.parametrize(
    ("encoding", "expected"), [("ascii", b"sigma -> x ... *"), ("cp437", b"\xe5 -> x ... \xfa"), ("utf-8", None)]
)
def test_a_sign_that_the_console_has_stays(
    encoding: str, expected: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from npae.utils.console import be_readable

    text, received = "\u03c3 \u2192 \u00d7 \u2026 \u00b7", io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(received, encoding=encoding, write_through=True))
    be_readable()
    sys.stdout.write(text)
    assert received.getvalue() == (expected or text.encode())


def test_a_users_stream_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", own := io.StringIO())
    assert main(["gradcheck", "nothing"]) == 2
    with pytest.raises(SystemExit):
        main(["--version"])
    assert own.getvalue().startswith("npae ")


@pytest.mark.parametrize("encoding", ["cp437", ""])
def test_a_process_in_another_encoding_reports_a_wrong_gradient(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "console_example.py").write_text(WRONG, encoding="utf-8")
    settings = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    settings |= {"PYTHONPATH": str(ROOT)} | ({"PYTHONIOENCODING": encoding} if encoding else {})
    command = [sys.executable, "-m", "npae", "gradcheck", "console_example:Wrong"]
    done = subprocess.run(command, env={**os.environ, **settings}, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"WRONG" in done.stdout
