"""What the README and the documentation show is run, on little data."""

import gzip
import re
import shlex
import struct
from pathlib import Path

import numpy as np
import pytest
from helpers.pages import blocks, run_all, use_few_digits
from helpers.paths import ROOT
from helpers.same_sides import SAME_SIDES

import npae
from npae.cli import main
from npae.datasets import Digits


@pytest.fixture
def few_digits(monkeypatch) -> Digits:
    return use_few_digits(monkeypatch)


def test_the_readmes_python_runs(few_digits, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run_all("README.md", {})
    assert names["codes"].shape == (150, 16)
    assert names["loss"] > 0
    assert np.allclose(names["encoder"].transform(few_digits.test_images), names["codes"], atol=1e-5)


def test_the_guides_python_runs(few_digits, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run_all("docs/guide.md", {})
    assert np.allclose(names["encoder"].transform(names["X"]), names["codes"], atol=1e-5)


def test_the_ten_stops_stand_where_the_guide_says():
    stops = re.findall(
        r"^\d+\. \[`(\w+)`\]\(\.\./(\S+)#L(\d+)\), `(\S+)`, line (\d+):",
        (ROOT / "docs/reading.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(stops) == 10
    for name, path, line, shown_path, shown_line in stops:
        assert (path, line) == (shown_path, shown_line)
        source = (ROOT / path).read_text(encoding="utf-8").splitlines()
        assert re.match(rf"\s*def {name}\(", source[int(line) - 1]), f"{name} is not at {path}:{line}"


def test_the_guide_lists_the_packages():
    listed = re.findall(r"^\| `npae\.(\w+)` \|", (ROOT / "docs/reading.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(
        p.name for p in Path(npae.__file__).parent.iterdir() if (p / "__init__.py").exists()
    )


def test_the_layer_of_ones_own_has_a_right_gradient():
    names = run_all("docs/reading.md", {})
    x = np.random.default_rng(0).normal(size=(5, 8))
    net = type(names["net"]).from_config(names["net"].config(), [names["Scale"]]).build((8,), dtype="float64")
    net.gradient(x)
    layer = net.encoder.layers[0]
    slope, h = layer.ds[3], 1e-6
    layer.s[3] += h
    above = net.gradient(x)
    layer.s[3] -= 2 * h
    assert (above - net.gradient(x)) / (2 * h) == pytest.approx(slope, rel=1e-6)


def test_the_gradient_checkers_page_runs_and_says_what_is_printed(capsys):
    names = run_all("docs/gradcheck.md", {})
    printed = capsys.readouterr().out
    for line in blocks("docs/gradcheck.md", "text")[0].splitlines():
        # Rounding errors differ from one machine to another.
        assert re.sub(r"error \d.\de-1\d", "error", line) in re.sub(r"error \d.\de-1\d", "error", printed)
    assert "\nwith 1 sample dx is wrong\nadjoint False\n['dx PASS', 'd(dx) along x WRONG']\n" in printed
    assert "\nKINK WRONG\nno-mask\ndb-mean\nencoder.1: Leaky()\n" in printed
    assert names["report"].passed


def test_the_gradient_checkers_page_has_the_real_numbers():
    from npae.gradcheck.bugs import BUGS

    assert f"There are {len(BUGS)} of them" in (ROOT / "docs/gradcheck.md").read_text()


def test_the_learners_page_shows_what_is_printed(capsys):
    run_all("docs/learn.md", {})
    printed = capsys.readouterr().out
    shown = blocks("docs/learn.md", "text")[0].splitlines()
    for line, real in zip(shown, printed.splitlines(), strict=False):
        # Rounding errors differ from one machine to another.
        assert re.sub(r"✓ \de-1\d", "✓", line) == re.sub(r"✓ \de-1\d", "✓", real)


def test_the_learners_page_lists_the_exercises():
    from npae.learn.catalogue.catalogue import exercises

    text = (ROOT / "docs/learn.md").read_text()
    listed = re.findall(r"^\| (\d+) \| `(\w+)`", text, re.MULTILINE)
    assert listed == [(str(e.number), e.name) for e in exercises() if e.number]


def write_data_of_the_guide(rng: np.random.Generator) -> None:
    """A table with an index and a column of text, and images in a folder for each label, where Pillow is installed."""
    rows = [",length,width,species", *(f"{i},{a},{b},setosa" for i, (a, b) in enumerate(rng.random((40, 2)).tolist()))]
    Path("iris.csv").write_text("\n".join(rows))
    try:
        from PIL import Image
    except ImportError:
        return
    for folder in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (Path("pets") / folder).mkdir(parents=True)
        for i in range(11):
            Image.fromarray(rng.integers(0, 256, (8 + i, 9), np.uint8)).save(f"pets/{folder}/{i}.png")


NEEDED = {"docs/guide.md": ("sklearn", "PIL"), "docs/command_line.md": ("PIL", "shtab")}


@pytest.mark.parametrize("path", ["README.md", "docs/guide.md", "docs/gradcheck.md", "docs/command_line.md"])
def test_the_commands_that_are_shown_run(path, monkeypatch, tmp_path):
    for module in NEEDED.get(path, ()):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("images.npy", rng.random((180, 8, 8), dtype="float32"))  # as many as a mixture needs
    write_data_of_the_guide(rng)
    functions = [
        block for block in blocks("docs/gradcheck.md", "python") if "def dense(" in block or "mended(" in block
    ]
    Path("mymodule.py").write_text("\n".join(functions[:2]), encoding="utf-8")
    lines = [line for block in blocks(path, "sh") for line in block.splitlines() if line.startswith("npae ")]
    assert lines
    for line in lines:
        command = shlex.split(line.replace("--data digits", "--data images.npy"))[1:]
        if command[0] == "train":
            command += [] if "--data" in command else ["--data", "images.npy"]
            command += ["--epochs", "1", "--batch-size", "20", "--no-verbose"]
        assert status(command) == 0, line


def status(command: list[str]) -> object:
    """The exit code of a command; that of a help text is raised."""
    try:
        return main(command)
    except SystemExit as ended:
        return ended.code


@pytest.fixture
def small_data(monkeypatch, tmp_path, few_digits) -> None:
    """Files of the names that docs/applications.md uses, with a little of what it speaks of."""
    monkeypatch.chdir(tmp_path)
    for module in ("formats", "labels"):
        monkeypatch.setattr(f"npae.datasets.{module}.load_digits", lambda: few_digits)
    rng = np.random.default_rng(0)
    Path("fashion-mnist").mkdir()
    for name in ("train", "t10k"):
        images, labels = rng.integers(0, 256, (150, 28, 28), "uint8"), rng.integers(0, 3, 150).astype("uint8")
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            with gzip.open(f"fashion-mnist/{name}-{kind}-ubyte.gz", "wb") as file:
                file.write(head + array.tobytes())
    lines = [
        f"{'grain' if i % 2 else 'money'}\t{'wheat corn' if i % 2 else 'bank rate'} word{i % 25}" for i in range(60)
    ]
    for side in ("train", "test"):
        Path(f"reuters-r8-{side}.tab").write_text("\n".join(["Category\tText", "d\tstring", "class\t", *lines]))
    rows = [f"{40 + i % 9},{'male' if i % 2 else 'female'},{'' if i % 7 == 0 else i % 3},{i % 2}" for i in range(40)]
    Path("heart.csv").write_text("\n".join(["age,gender,major vessels colored,diameter narrowing", *rows]))


@pytest.mark.filterwarnings("ignore:.* samples are fewer than a batch:UserWarning")
@pytest.mark.filterwarnings("ignore:the code has collapsed:UserWarning")
@pytest.mark.filterwarnings("ignore:a false-positive rate of .* cannot be kept:UserWarning")
@pytest.mark.filterwarnings("ignore:after .* updates .* of the samples still change their group:UserWarning")
@SAME_SIDES  # the little data is the same on both sides
def test_the_applications_run_on_little_data(small_data, monkeypatch):
    for module in ("sklearn", "pandas", "PIL"):
        pytest.importorskip(module)
    for module in ("npae.applications.texts", "npae.applications.texts.model", "npae.cli.texts"):
        monkeypatch.setattr(f"{module}.text_model", _quick_text_model)
    names: dict = {}
    text = (ROOT / "docs/applications.md").read_text()
    for language, block in re.findall(r"```(python|sh)\n(.*?)```", text, re.DOTALL):
        if language == "python":
            exec(re.sub(r"epochs=\d+", "epochs=1", block), names)
            continue
        for line in block.splitlines():
            command = shlex.split(re.sub(r"--epochs \d+", "--epochs 1 --no-verbose", line))
            assert command[0] == "npae"
            assert main(command[1:]) == 0, line
    assert names["codes"].shape == (60, 16)
    assert names["accuracy"] > 0.3


def _quick_text_model(code_size: int = 16, *, n_texts: int = 50) -> npae.DeepAutoencoder:
    return npae.DeepAutoencoder(code_size=code_size, hidden=(8,), epochs=1, random_state=0)
