"""The code that pages of the documentation show: found, and run as a reader would run it, on little data."""

import re

from helpers.paths import ROOT
from npae import datasets
from npae.datasets import Digits, load_digits


def blocks(path: str, language: str) -> list[str]:
    """The blocks of code of one language on a page, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(encoding="utf-8"), re.DOTALL)


def run_all(path: str, names: dict) -> dict:
    """Run a page's Python from top to bottom, with one epoch wherever more are shown; returns the names it defines."""
    for block in blocks(path, "python"):
        exec(re.sub(r"epochs=\d+", "epochs=1", block).replace("verbose=True", "verbose=False"), names)
    return names


def use_few_digits(monkeypatch) -> Digits:
    """300 digits to train on and 150 to test in place of all of them."""
    digits = load_digits()
    few = Digits(
        digits.train_images[:300], digits.train_labels[:300], digits.test_images[:150], digits.test_labels[:150]
    )
    monkeypatch.setattr(datasets, "load_digits", lambda: few)
    return few
