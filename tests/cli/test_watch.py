"""``npae train --watch`` and ``--tensorboard``."""

from pathlib import Path

import numpy as np
import pytest
from helpers.browser import opened
from helpers.small_models import fitted, samples

import npae
from npae.cli import main, tensorboard_events, watch_page
from npae.cli.watch_page import WatchPage

HISTORY = {"loss": [3.0, 2.0], "learning_rate": [0.1, 0.1], "seconds": [40.0, 60.0]}


def train(folder: Path, data: Path, *options: str) -> int:
    base = ["train", "vanilla", "--data", str(data), "--code-size", "2", "--epochs", "3", "--batch-size", "8"]
    return main([*base, "--validation-fraction", "0.2", "--out", str(folder), *options])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    np.save(tmp_path / "data.npy", samples(30, 6, 5))
    return tmp_path / "data.npy"


def test_the_page_is_written_after_each_epoch_and_its_last_state_stays(data, tmp_path, monkeypatch):
    pages: list[str] = []
    monkeypatch.setattr(watch_page, "write_bytes", lambda path, content: pages.append(content.decode()))
    assert train(tmp_path / "run", data, "--watch") == 0
    assert ["location.reload" in page for page in pages] == [True, True, True, False]
    assert "<td>2 of 3</td>" in pages[1]
    assert "validation dashed" in pages[1]
    assert "learning rate</th><td>0.001</td>" in pages[1]
    assert "VanillaAutoencoder: done" in pages[3]
    assert "data:image/png;base64," in pages[3]


def test_a_table_with_names_of_columns_is_watched_without_a_warning(tmp_path):
    data = tmp_path / "named.csv"
    np.savetxt(data, np.random.default_rng(0).random((30, 3)), delimiter=",", header="a,b,c", comments="")
    assert train(tmp_path / "run", data, "--watch") == 0  # warnings are errors here


def test_watching_does_not_change_what_is_learned(data, tmp_path):
    assert train(tmp_path / "plain", data) == train(tmp_path / "watched", data, "--watch") == 0
    plain, watched = (npae.load(tmp_path / run / "model.safetensors").network_.theta for run in ("plain", "watched"))
    assert np.array_equal(plain, watched)
    assert (tmp_path / "watched" / "watch.html").exists()
    assert not (tmp_path / "plain" / "watch.html").exists()


def test_time_left_is_that_of_the_epochs_so_far(tmp_path):
    model = fitted("vanilla", epochs=4)
    page = WatchPage(tmp_path / "watch.html", model, samples(10, 12), None)
    page.write(HISTORY)
    text = (tmp_path / "watch.html").read_text(encoding="utf-8")
    assert "<td>2 of 4</td>" in text
    assert "time left</th><td>1 min 40 s</td>" in text
    assert text.count('aria-label="sample ') == 8


def test_a_disk_that_takes_no_more_is_warned_of_once_and_ends_nothing(tmp_path, monkeypatch):
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watch_page, "write_bytes", refuse)
    page = WatchPage(tmp_path / "watch.html", fitted("vanilla"), samples(10, 12), None)
    with pytest.warns(UserWarning, match=r"watch\.html is not up to date \(No space left on device\)"):
        page.write(HISTORY)
    page.write(HISTORY)  # no second warning, which would be an error here


def test_a_conditional_model_is_watched_with_its_labels(tmp_path):
    np.save(tmp_path / "x.npy", samples(20, 12))
    np.save(tmp_path / "y.npy", np.arange(20) % 3)
    command = ["train", "variational", "--data", str(tmp_path / "x.npy"), "--labels", str(tmp_path / "y.npy")]
    options = ["--conditional", "--hidden", "5", "--code-size", "2", "--epochs", "1", "--batch-size", "8", "--watch"]
    assert main([*command, *options, "--out", str(tmp_path / "run")]) == 0
    assert "kl</th>" in (tmp_path / "run" / "watch.html").read_text(encoding="utf-8")


def test_the_page_loads_itself_anew_until_it_is_paused(browser, tmp_path):
    path = tmp_path / "watch.html"
    page = WatchPage(path, fitted("vanilla", epochs=4), samples(10, 12), None)
    page.write({name: values[:1] for name, values in HISTORY.items()})
    with opened(browser, path) as found:
        assert found.violations() == []
        assert not found.scrolls_sideways()
        page.write(HISTORY)
        found.page.get_by_text("2 of 4").wait_for()
        found.page.get_by_role("button", name="pause").click()
        page.write(HISTORY, ended="done")
        found.page.wait_for_timeout(2300)
        assert "done" not in found.page.inner_text("body")
        found.page.get_by_role("button", name="go on").click()
        found.page.get_by_role("heading", name="VanillaAutoencoder: done").wait_for()
        assert found.messages == []
        assert found.foreign_requests == []


def test_tensorboard_reads_the_history(data, tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    assert train(tmp_path / "run", data, "--tensorboard") == 0
    (path,) = (tmp_path / "run" / "tensorboard").glob("events*")
    events = [event for event in reader.EventFileLoader(str(path)).Load() if event.summary.value]
    losses = [e.summary.value[0].tensor.float_val[0] for e in events if e.summary.value[0].tag == "loss"]
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()
    column = rows[0].split(",").index("loss")
    assert losses == pytest.approx([float(row.split(",")[column]) for row in rows[1:]], rel=1e-6)


def test_tensorboard_that_is_not_installed_is_named_before_the_training(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tensorboard_events, "find_spec", lambda name: None)
    assert train(tmp_path / "run", data, "--tensorboard") == 2
    assert "pip install 'npae[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_force_removes_the_page_and_the_events_of_an_earlier_run(data, tmp_path, capsys):
    assert train(tmp_path / "run", data, "--watch") == 0
    assert train(tmp_path / "run", data, "--watch") == 2
    assert "--force to replace it" in capsys.readouterr().err
    assert train(tmp_path / "run", data, "--force") == 0
    assert not (tmp_path / "run" / "watch.html").exists()
