"""The report of ``npae demo`` as a page: valid, accessible, readable on a phone and in the dark."""

import re
from collections import Counter
from pathlib import Path

import pytest
from helpers.browser import DESKTOP, PHONE, opened
from test_demo import demonstration  # noqa: F401 (a fixture)

from npae.cli.demo.page import is_report, report
from npae.utils import charts

HISTORIES = {"a": {"loss": [9.0, 5.0]}, "b": {"loss": [2.0, 1.0]}}


@pytest.fixture(scope="module")
def path(demonstration, tmp_path_factory) -> Path:  # noqa: F811
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report(demonstration), encoding="utf-8")
    return path


def test_ids_are_given_once_and_no_prologue_of_a_file_stands_within_the_page(path):
    page = re.sub(r'srcdoc="[^"]*"', "", path.read_text(encoding="utf-8"))
    assert is_report(path)
    assert [i for i, n in Counter(re.findall(r'\bid="([^"]*)"', page)).items() if n > 1] == []
    assert "<?xml" not in page
    assert page.lower().count("<!doctype") == 1
    assert "<metadata>" not in page
    used = set(re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', page))
    assert {a or b for a, b in used} <= set(re.findall(r'\bid="([^"]*)"', page))


def test_charts_have_a_title_that_cannot_become_markup():
    chart = charts.inline(charts.losses(HISTORIES), "<b>loss</b>", "one")
    assert chart.startswith('<svg role="img" aria-labelledby="one-title"')
    assert '<title id="one-title">&lt;b&gt;loss&lt;/b&gt;</title>' in chart


def test_losses_can_have_one_scale():
    def labels(svg: str) -> int:
        return len(re.findall(r'id="text_', svg))

    apart, together = charts.losses(HISTORIES), charts.losses(HISTORIES, one_scale=True)
    assert labels(together) < labels(apart)  # only the first panel has numbers on its axis


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_the_report_is_accessible_asks_for_nothing_and_fits_a_phone(browser, path, viewport, scheme):
    with opened(browser, path, viewport=viewport, color_scheme=scheme) as found:
        found.page.frame_locator("iframe").get_by_role("button", name="Code on the map").wait_for()
        assert found.violations() == []
        assert not found.scrolls_sideways()
        assert found.messages == []
        assert found.foreign_requests == []
