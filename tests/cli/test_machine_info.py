"""``npae info --machine``: text and JSON, and what it cannot be combined with."""

import json
from pathlib import Path

import pytest

from npae.cli import main
from npae.kernels import default_kernels, reference_kernels
from npae.utils.version import __version__


def test_the_machine_as_text_has_the_sentences_of_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--machine"]) == 0
    text = capsys.readouterr().out.splitlines()
    assert main(["info", "--machine", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert text[-len(found["why"]) :] == found["why"]
    assert found["npae"] == __version__
    assert found["kernels"] == ("reference" if default_kernels() is reference_kernels() else "compiled")


def test_without_numba_no_width_is_claimed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert main(["info", "--machine"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[-1] == "kernels are plain NumPy, since NUMBA_DISABLE_JIT is set"
    assert "bytes" not in text


def test_a_model_or_the_machine_is_needed_and_not_both(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["info"]) == 2
    assert "MODEL is missing; give a file" in (message := capsys.readouterr().err)
    assert ", or --machine" in message
    assert main(["info", "m", "--machine"]) == 2
    assert "MODEL m and --machine were given; give one of the two" in capsys.readouterr().err
