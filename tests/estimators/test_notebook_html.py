"""How estimators and reports of gradient checks show themselves in a notebook."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from helpers.browser import opened
from helpers.small_models import TYPES, fitted, unfitted

from npae.gradcheck import check
from npae.gradcheck.report import html as report_html
from npae.utils.curves import loss_curves


def wrong_report() -> str:
    rng = np.random.default_rng(0)
    x, W, b = rng.standard_normal((3, 4)), rng.standard_normal((4, 5)), rng.standard_normal(5)
    report = check(lambda x, W, b: x @ W + b, lambda g, x, W, b: (g @ W.T, -x.T @ g, g.sum(axis=0)), [x, W, b])
    return report._repr_html_()


def test_only_parameters_that_differ_from_their_defaults_are_shown():
    html = unfitted("vanilla", loss="mse")._repr_html_()
    shown = re.findall(r'<th scope="row"[^>]*>([^<]*)</th><td[^>]*>([^<]*)</td>', html)
    assert shown == [
        ("code_size", "4"),
        ("loss", "&#x27;mse&#x27;"),
        ("epochs", "2"),
        ("batch_size", "8"),
        ("random_state", "0"),
    ]
    assert "Not fitted yet." in html


@pytest.mark.parametrize("kind", TYPES)
def test_a_fitted_estimator_shows_its_network_and_its_loss(kind):
    html = fitted(kind)._repr_html_()
    assert "input x" in html
    assert "<svg" in html
    assert "2 epochs." in html


def test_it_needs_no_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert "VanillaAutoencoder" in unfitted("vanilla")._repr_html_()


def test_texts_in_parameters_cannot_become_markup():
    assert "<script>" not in unfitted("vanilla", activation="<script>")._repr_html_()


def test_a_curve_of_one_epoch_is_a_dot_and_values_that_are_not_finite_are_left_out():
    points = re.findall(r'points="([^"]*)"', loss_curves({"loss": [2.0]}))
    assert points == ["52.0,8.0 52.0,8.0"]
    assert "nan" not in loss_curves({"loss": [2.0, float("nan"), 1.0], "validation_loss": [float("inf")] * 3})
    assert loss_curves({"loss": [float("nan")]}) == ""


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_verdicts_have_a_contrast_of_at_least_four_and_a_half():
    for paper in report_html.PAPER.values():
        light, dark = sorted((luminance(paper), luminance(report_html.INK)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


class Balanced(HTMLParser):
    """Checks that tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


NOTEBOOK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>notebook</title>
<style>:root {{ color-scheme: light dark }} body {{ background: {ground}; color: {text} }}</style>
<body><main><h1>Notebook</h1>{html}</main></body></html>"""


@pytest.mark.parametrize(("ground", "text"), [("#ffffff", "#000000"), ("#111111", "#eeeeee")], ids=["light", "dark"])
def test_estimators_and_reports_are_accessible_in_light_and_dark_notebooks(browser, tmp_path, ground, text):
    html = fitted("variational")._repr_html_() + wrong_report().replace("<details>", "<details open>")
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    path = Path(tmp_path / "notebook.html")
    path.write_text(NOTEBOOK.format(ground=ground, text=text, html=html), encoding="utf-8")
    with opened(browser, path) as found:
        assert found.violations() == []
