"""The built documentation: its links lead somewhere, its pages can be read by all, and its search finds things.

``NPAE_SITE`` names the folder that ``sphinx-build`` has written; without it these tests are skipped.
"""

import os
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from helpers.browser import PHONE, opened

SITE = Path(os.environ.get("NPAE_SITE", "")).resolve()

pytestmark = pytest.mark.skipif("NPAE_SITE" not in os.environ, reason="NPAE_SITE names no built documentation")

#: A page of each kind: plain, with equations, with pictures, with a table wider than a phone, of the gallery, of the
#: reference, of the source, and those that Sphinx itself makes.
KINDS = [
    "index",
    "applications",
    "explore",
    "autoencoders/memorising",
    "derivations/kl",
    "gallery/index",
    "gallery/plot_05_variational",
    "reference",
    "api/npae.VariationalAutoencoder",
    "_modules/npae/layers/dense",
    "search",
    "genindex",
]


class Page(HTMLParser):
    """The anchors of a page, and what it links to and loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors, self.links = {""}, set[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note the anchor and the link of one element."""
        named = dict(attributes)
        self.anchors |= {named.get("id") or "", (named.get("name") or "") if tag == "a" else ""}
        if tag != "link" or named.get("rel") == "stylesheet":
            self.links |= {named.get(name) or "" for name in ("href", "src")} - {""}


@cache
def read(path: Path) -> Page:
    return Page(path)


def test_every_link_leads_to_a_file_and_an_anchor_of_the_site() -> None:
    wrong, n_links = [], 0
    for path in SITE.rglob("*.html"):
        if path.parts[len(SITE.parts)] in ("_static", "_downloads") or path.name == "explorer.html":
            continue
        for link in read(path).links:
            if link.split(":")[0] in ("http", "https", "data", "mailto"):
                continue
            n_links += 1
            name, _, anchor = urljoin(path.as_uri(), link).partition("#")
            target = Path(unquote(name.partition("?")[0].removeprefix("file://")))
            is_page = target.suffix == ".html" and target.name != "explorer.html"
            if not target.is_file() or (is_page and unquote(anchor) not in read(target).anchors):
                wrong.append(f"{path.relative_to(SITE)}: {link}")
    assert not wrong
    assert n_links > 5000


@pytest.mark.parametrize("name", KINDS)
def test_a_page_of_each_kind_can_be_read_by_all_in_light_and_dark_and_on_a_phone(browser: Any, name: str) -> None:
    path = SITE / f"{name}.html"
    for options in ({}, {"color_scheme": "dark"}, {"viewport": PHONE}):
        with opened(browser, path, **options) as found:
            assert not found.violations(), options
            assert not found.scrolls_sideways(), options
            assert not found.messages, options
            assert not [url for url in found.requests if url.startswith("http")], options


@pytest.mark.parametrize(
    ("words", "expected"),
    [("backward", "relu"), ("KL", "kl"), ("log variance", "variational"), ("csv", "guide")],
)
def test_the_search_finds(browser: Any, words: str, expected: str) -> None:
    with opened(browser, SITE / "search.html") as found:
        found.page.goto(f"{found.url}?q={words}")
        found.page.wait_for_selector("#search-results .search li", timeout=60_000)
        found.page.wait_for_function(
            "name => [...document.querySelectorAll('#search-results li a')].some(link => link.href.includes(name))",
            arg=f"{expected}.html",
            timeout=60_000,
        )
