"""Links of the README, of the other texts beside it and of the documentation lead somewhere, anchors included."""

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from helpers.paths import ROOT

#: Folders that are written when the documentation is built.
BUILT = ("_build", "api", "gallery")


def pages() -> list[Path]:
    beside = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
    of_docs = [path for kind in ("md", "ipynb") for path in (ROOT / "docs").rglob(f"*.{kind}")]
    return [*beside, *(path for path in sorted(of_docs) if path.relative_to(ROOT / "docs").parts[0] not in BUILT)]


@cache
def prose(page: Path) -> str:
    """The text of a page, or of the cells of text of a notebook, without code."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
        text = "\n\n".join("".join(source) for source in cells)
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(\s*([^)\s]+)\s*\)", re.sub(r"`[^`\n]*`", "`", prose(page)))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and MyST give to headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        if re.match(r"\w+:", link):
            assert re.fullmatch(r"https?://[\w-]+(\.[\w-]+)+(/[\w.~%/-]*)?(#[\w-]+)?|mailto:\S+@\S+", link), link
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if (ROOT / "docs/gallery") in target.parents:
            assert re.fullmatch(r"gallery/\w+", name), link  # a page of the built documentation
            continue
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link
        elif anchor:
            assert re.fullmatch(r"L[1-9]\d*", anchor), link
            assert int(anchor[1:]) <= len(target.read_text(encoding="utf-8").splitlines()), link


def test_links_are_found_at_all() -> None:
    found = {link for page in pages() for link in links(page)}
    assert len(found) > 100
    assert "docs/reading.md" in found  # of the README
    assert "memorising.md#what-noise-buys" in found


def test_what_a_page_links_to_is_in_the_repository() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    known = set(listed.splitlines())
    for page in pages():
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if not re.match(r"\w+:|#", link) and target.is_file():
                assert target.relative_to(ROOT).as_posix() in known, link
