"""A real browser for the tests of pages: Chromium, driven by Playwright."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

#: Where it is set, a missing browser is a failure, not a skip.
REQUIRED = "NPAE_BROWSER_REQUIRED"
NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def missing() -> str:
    """What keeps the tests from running, or an empty text."""
    try:
        import axe_playwright_python  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as error:
        return f"{error.name} is not installed; pip install 'npae[browser]'"
    return "" if any(map(shutil.which, NAMES)) else "no Chromium is installed"


@contextmanager
def started() -> Iterator[Any]:
    """A browser, for as long as the block runs; the test is skipped where there is none."""
    if reason := missing():
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """An open page with all that it requested, said on the console, or failed at."""

    def __init__(self, browser: Any, path: Path | str, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.messages: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.url = path if isinstance(path, str) else path.as_uri()
        self.page.goto(self.url)

    @property
    def foreign_requests(self) -> list[str]:
        """Requests for anything but the page itself."""
        return [url for url in self.requests if url.partition("#")[0] != self.url and not url.startswith("about:")]

    def scrolls_sideways(self) -> bool:
        root = "document.documentElement"
        return bool(self.page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))

    def violations(self) -> list[str]:
        """What axe-core finds, each with the elements it is about."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{v['id']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in found]


@contextmanager
def opened(browser: Any, path: Path | str, **options: Any) -> Iterator[Opened]:
    """The page of a file or an address, in a context of its own."""
    page = Opened(browser, path, **options)
    try:
        yield page
    finally:
        page.context.close()


def until(page: Any, script: str, patience: float = 60.0) -> None:
    """Wait until the script is true; Playwright's own way needs ``eval``, which the pages' policy forbids."""
    end = time.monotonic() + patience
    while not page.evaluate(script):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(20)
