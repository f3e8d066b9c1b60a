"""The built documentation: its links lead somewhere, its pages can be read by all, and its search finds things.

``NPAE_SITE`` names the folder that ``sphinx-build`` has written; without it these tests are skipped.
"""

import os
from collections.abc import Iterator
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from helpers.browser import PHONE, opened

SITE = Path(os.environ.get("NPAE_SITE", "")).resolve()

pytestmark = pytest.mark.skipif("NPAE_SITE" not in os.environ, reason="NPAE_SITE names no built documentation")

#: A page of each kind: plain, with a table wider than a phone, with equations, of the gallery, of the reference, of the
#: source, and one that Sphinx makes. All 380 take ten minutes.
KINDS = [
    "index",
    "learn",
    "derivations/kl",
    "gallery/index",
    "gallery/plot_05_variational",
    "api/npae.layers.Dense",
    "_modules/npae/layers/dense",
    "search",
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


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, served without a line for each."""

    def do_GET(self) -> None:
        """Send a file; there is no icon, which browsers ask for unasked."""
        if self.path == "/favicon.ico":
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the site is served, as a reader meets it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_initials_of_an_author_begin_no_list() -> None:
    assert not [path.name for path in SITE.rglob("*.html") if 'class="upperalpha' in path.read_text(encoding="utf-8")]


def test_every_link_leads_to_a_file_and_an_anchor_of_the_site() -> None:
    wrong, n_links = [], 0
    for path in SITE.rglob("*.html"):
        folder = path.parts[len(SITE.parts)]
        if folder in ("_static", "_downloads") or path.name == "explorer.html":
            continue
        for link in read(path).links:
            if link.split(":")[0] in ("http", "https", "data", "mailto"):
                continue
            n_links += 1
            name, _, anchor = urljoin(path.as_uri(), link).partition("#")
            target = Path(unquote(name.partition("?")[0].removeprefix("file://")))
            has_anchors = target.suffix == ".html" and target.name != "explorer.html"
            has_anchors &= folder != "_modules"  # Sphinx takes all names of a source file for those of one module
            if not target.is_file() or (has_anchors and unquote(anchor) not in read(target).anchors):
                wrong.append(f"{path.relative_to(SITE)}: {link}")
    assert not wrong
    assert n_links > 5000


@pytest.mark.parametrize("name", KINDS)
def test_a_page_of_each_kind_can_be_read_by_all_in_light_and_dark_and_on_a_phone(
    browser: Any, address: str, name: str
) -> None:
    for options in ({}, {"color_scheme": "dark"}, {"viewport": PHONE}):
        with opened(browser, f"{address}/{name}.html", **options) as found:
            assert not found.violations(), options
            assert not found.scrolls_sideways(), options
            assert not found.messages, options
            assert not [url for url in found.requests if not url.startswith((address, "data:"))], options


@pytest.mark.parametrize(
    ("words", "expected"),
    [("backward", "relu"), ("KL", "kl"), ("log variance", "variational"), ("csv", "guide")],
)
def test_the_search_finds(browser: Any, address: str, words: str, expected: str) -> None:
    with opened(browser, f"{address}/search.html?q={words}") as found:
        found.page.wait_for_selector("#search-results .search li", timeout=60_000)
        found.page.wait_for_function(
            "name => [...document.querySelectorAll('#search-results li a')].some(link => link.href.includes(name))",
            arg=f"{expected}.html",
            timeout=60_000,
        )
