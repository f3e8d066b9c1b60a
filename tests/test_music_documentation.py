"""What the page on music shows is run, on few chorales."""

import re
import shlex
from pathlib import Path

import pytest
from helpers.midi import midi, scale, write
from helpers.paths import ROOT

from npae.cli import main

PAGE = ROOT / "docs/music.md"


@pytest.mark.filterwarnings("default")
def test_the_page_on_music_runs_from_the_chorales_to_new_music(monkeypatch, tmp_path, capsys):
    for module in ("mido", "music21", "matplotlib"):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        write(Path("songs"), f"{i}.mid", midi(scale([60, 62, 64, 65, 67, 69, 71, 72 + i])))
    names: dict = {}
    for language, block in re.findall(r"```(python|sh)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if language == "python":
            few = block.replace("bwv*.mxl", "bwv25[34].mxl").replace("500", "12")  # not all of them, and fewer samples
            exec(few, names)
            continue
        for line in block.splitlines():
            command = shlex.split(re.sub(r"--epochs \d+", "", line))[1:]
            if command[0] == "train":
                command += ["--epochs", "1", "--batch-size", "8", "--no-verbose"]
            if "--force" not in command and command[0] == "sample":
                command.append("--force")
            assert main(command) == 0, line
    for name in ("new.mid", "walk.mid"):
        assert Path(name).read_bytes().startswith(b"MThd")
    for name in ("new.wav", "chorale.wav"):
        assert Path(name).read_bytes()[8:12] == b"WAVE"
    for name in ("new.png", "roll.png", "spectrogram.png"):
        assert Path(name).read_bytes().startswith(b"\x89PNG")
    rows = re.findall(r"^\| (.+?) \| [\d.]+ \|", capsys.readouterr().out, re.MULTILINE)
    assert rows == ["chorales, each ninth bar", "model", "model, cells above one half", "independent draws"]
    assert all(f"| {row} |" in PAGE.read_text(encoding="utf-8") for row in rows)


def test_the_sound_and_the_pictures_of_the_page_are_small():
    for name, most in (("chorale.wav", 300_000), ("roll.png", 60_000), ("spectrogram.png", 120_000)):
        assert (ROOT / "docs/images" / name).stat().st_size < most
