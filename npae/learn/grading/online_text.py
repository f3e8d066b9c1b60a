"""Code that was typed into the editor of a learning platform, exported as HTML: the lines below an exercise's header.

Moodle writes ``onlinetext.html``, Canvas ``…_text.html``. A line ends with a paragraph or ``<br>``; spaces at its start
are there as ``&nbsp;`` or within ``<pre>``.
"""

import re
from html.parser import HTMLParser

from npae.learn.grading.notebooks import header

NAMES = ("onlinetext.html", "text.html")
LARGEST = 1 << 20  # bytes
BLOCKS = {"p", "div", "br", "li", "ul", "ol", "pre", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}
HIDDEN = {"title", "style", "script"}


class _Text(HTMLParser):
    """The text of a page, with its lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines = [""]
        self._open: list[str] = []  # of pre and HIDDEN

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in BLOCKS and (tag == "br" or self.lines[-1]):
            self.lines.append("")
        if tag == "pre" or tag in HIDDEN:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)
        if tag in BLOCKS - {"br"} and self.lines[-1]:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if HIDDEN & set(self._open):
            return
        if "pre" in self._open:
            first, *others = data.replace("\r\n", "\n").split("\n")
            self.lines[-1] += first
            self.lines += others
            return
        text = re.sub(r"[ \t\r\n]+", " ", data)
        self.lines[-1] += text if self.lines[-1] else text.lstrip(" ")


def exercises_of(content: bytes) -> dict[str, bytes]:
    """The source of each exercise in a page, by the exercise's name: the lines from its header to the next one."""
    page = _Text()
    page.feed(content.decode("utf-8-sig", "replace"))
    page.close()
    found: dict[str, list[str]] = {}
    present: list[str] | None = None
    for line in page.lines:
        text = line.replace("\N{NO-BREAK SPACE}", " ").rstrip()
        name, _ = header(text.encode("utf-8", "replace"))
        if name:
            present = found.setdefault(name, [])
        if present is not None:
            present.append(text)
    return {name: ("\n".join(lines) + "\n").encode("utf-8", "replace") for name, lines in found.items()}
