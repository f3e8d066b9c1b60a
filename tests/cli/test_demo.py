"""``npae demo``: table and HTML page, on fewer digits and epochs; charts and pictures."""

import contextlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from npae.applications.pca import PCA
from npae.cli import main
from npae.cli.demo import comparison
from npae.cli.demo.comparison import Demonstration, Result
from npae.cli.demo.page import report
from npae.datasets import Digits, load_digits
from npae.utils import charts, pictures
from npae.utils.errors import MissingExtraError


@pytest.fixture(scope="module")
def demonstration() -> Demonstration:
    """The real thing on 200 digits and one epoch."""
    digits = load_digits()
    few = Digits(
        digits.train_images[:200], digits.train_labels[:200], digits.test_images[:100], digits.test_labels[:100]
    )
    with pytest.MonkeyPatch.context() as patch:
        models = comparison.models()
        for model in models.values():
            model.set_params(epochs=1)
        patch.setattr(comparison, "models", lambda: models)
        patch.setattr(comparison, "load_digits", lambda: few)
        patch.setattr(
            comparison, "map_model", lambda: type(models["variational"])(code_size=2, epochs=1, random_state=0)
        )
        announced: list[str] = []
        result = comparison.demonstrate(announced.append)
    assert len(announced) == 6
    return result


def test_all_five_types_are_compared_with_pca_at_their_own_code_size(demonstration):
    assert [r.name for r in demonstration.results] == list(comparison.models())
    clean = demonstration.digits.test_images
    for r in demonstration.results:
        rebuilt = demonstration.pca.reconstruct(clean, r.code_size)
        assert r.pca_error == pytest.approx(np.square(rebuilt - clean).mean(), rel=1e-5)
        assert r.error == pytest.approx(np.square(r.model.reconstruct(clean) - clean).mean(), rel=1e-5)
        assert r.loss == pytest.approx(-r.model.score(clean))


class Structure(HTMLParser):
    """Checks that tags close in order, and collects where pictures come from."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.sources += [v for k, v in attributes.items() if k in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_stands_alone(demonstration):
    page = report(demonstration)
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in structure.sources)
    assert page.count("<svg") == 2
    assert page.count("<h2>") == 7
    for r in demonstration.results:
        assert f"{r.error:.4f}" in page


def test_the_command_prints_the_table_and_writes_the_page(demonstration, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(comparison, "demonstrate", lambda announce, verbose: demonstration)
    picture = tmp_path / "picture.png"
    assert main(["demo", "--out", str(tmp_path / "page.html"), "--picture", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["type", "parameters"]
    for line, r in zip(lines[1:6], demonstration.results, strict=True):
        assert line.split()[0] == r.name
        assert line.split()[4:] == [f"{r.loss:.1f}", f"{r.error:.4f}", f"{r.pca_error:.4f}"]
    assert comparison.restored(demonstration) in lines
    assert (tmp_path / "page.html").read_text() == report(demonstration)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_its_table_as_json(demonstration, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(comparison, "demonstrate", lambda announce, verbose: demonstration)
    assert main(["demo", "--out", str(tmp_path / "page.html"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["type"], row["MSE"]) for row in rows] == [(r.name, r.error) for r in demonstration.results]


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252"])
def test_the_table_is_shown_on_a_console_with_few_signs(demonstration, monkeypatch, tmp_path, encoding):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "demonstrate", lambda say, verbose: say("→ σ ×") or demonstration)
    received = io.BytesIO()
    stream = io.TextIOWrapper(received, encoding=encoding, write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        assert not main(["demo"])
    assert b"pictures: open report.html" in received.getvalue()


@pytest.mark.parametrize(("library", "module"), [("matplotlib", charts), ("PIL", pictures)])
def test_a_missing_library_is_named_before_the_training(library, module, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setattr(comparison, "demonstrate", lambda *a, **k: pytest.fail("trained first"))
    assert main(["demo", "--out", str(tmp_path / "page.html")]) == 2
    assert "pip install 'npae[plot]'" in capsys.readouterr().err


def test_training_without_the_plot_extra_still_saves_the_model(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(charts, "find_spec", lambda name: None)
    data = tmp_path / "x.npy"
    np.save(data, np.random.default_rng(0).random((30, 6)))
    run = tmp_path / "run"
    assert (
        main(["train", "vanilla", "--data", str(data), "--epochs", "1", "--batch-size", "10", "--out", str(run)]) == 0
    )
    assert (run / "model.safetensors").exists()
    assert "no pictures: charts need matplotlib" in capsys.readouterr().out
    with pytest.raises(MissingExtraError):
        charts.require_matplotlib()


def test_pca_is_that_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    X = np.random.default_rng(0).normal(size=(60, 4, 3)) @ np.diag([3.0, 2.0, 1.0])
    flat = X.reshape(60, -1)
    for k in (1, 4, 12):
        peer = decomposition.PCA(k).fit(flat)
        expected = peer.inverse_transform(peer.transform(flat)).reshape(X.shape)
        np.testing.assert_allclose(PCA(X, 12).reconstruct(X, k), expected, atol=1e-10)


def test_a_grid_places_images_in_reading_order_with_a_white_gap():
    images = np.stack([np.full((2, 3), v) for v in (0.0, 0.5, 1.5)])
    canvas = pictures.grid(images, columns=2)
    assert canvas.shape == (5, 7)
    assert (canvas[:2, :3] == 0).all()
    assert (canvas[:2, 4:] == 128).all()
    assert (canvas[3:, :3] == 255).all()  # clipped
    assert (canvas[2] == 255).all()
    assert (canvas[:, 3] == 255).all()


def test_colour_images_keep_their_channels():
    images = np.random.default_rng(0).random((2, 4, 5, 3))
    assert pictures.grid(images, columns=2, gap=0).shape == (4, 10, 3)
    assert np.array_equal(pictures.grid(images[..., :1]), pictures.grid(images[..., 0]))


def test_samples_that_are_no_images_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"no images .* write them to a \.npy or \.csv"):
        pictures.grid(np.zeros((3, 5)))


def test_charts_are_the_same_text_for_the_same_numbers():
    history = {"a": {"loss": [3.0, 2.0], "validation_loss": [4.0, 3.5]}}
    assert charts.losses(history) == charts.losses(history)
    assert re.search("validation", charts.losses(history))


def test_a_result_counts_the_networks_own_parameters(demonstration):
    r: Result = demonstration.results[0]
    assert r.parameters == 784 * 32 + 32 + 32 * 784 + 784
