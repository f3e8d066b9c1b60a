"""docs/explore.md: its commands and its Python run, and what it says of the page is true."""

import shlex
import sys

import numpy as np
import pytest
from helpers.browser import opened
from helpers.pages import blocks, run_all, use_few_digits
from helpers.paths import ROOT

from npae.cli import main


def test_its_commands_and_its_python_run(monkeypatch, tmp_path):
    use_few_digits(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert "model" in run_all("docs/explore.md", {})
    np.save("images.npy", np.random.default_rng(0).random((180, 8, 8), dtype="float32"))
    for line in "\n".join(blocks("docs/explore.md", "sh")).splitlines():
        assert main(shlex.split(line.replace("--data digits", "--data images.npy"))[1:]) == 0


@pytest.fixture
def small_page(monkeypatch, tmp_path):
    """The page that the documentation embeds, of a model trained on few digits."""
    use_few_digits(monkeypatch)
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    monkeypatch.delitem(sys.modules, "explorer_page", raising=False)
    from explorer_page import small_explorer

    explorer = small_explorer()
    assert explorer.size < 1_500_000
    explorer.save(tmp_path / "explorer.html")
    return tmp_path / "explorer.html"


def wrong(page) -> set[str]:
    return {row.inner_text().split()[1] for row in page.locator("tr.wrong").all()}


def test_what_it_says_of_planted_mistakes_is_so(browser, small_page):
    with opened(browser, small_page) as found:
        found.page.get_by_role("button", name="Backpropagation microscope").click()
        mistakes = found.page.get_by_label("Mistake", exact=True)
        mistakes.select_option(label="decoder.0: db-mean")
        assert wrong(found.page) == {"decoder.0.b"}
        mistakes.select_option(label="decoder.1: no-mask")
        heads = {f"code.0.{head}.{part}" for head in ("mu", "log_var") for part in "Wb"}
        before = {"encoder.1.W", "encoder.1.b", "decoder.0.W", "decoder.0.b"} | heads
        assert wrong(found.page) == before
