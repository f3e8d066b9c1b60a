"""Gradescope's file beside the submissions: names of the submitters and the time of each submission.

The file is written by a program, in one form of YAML: ``submission_1234:`` at the margin, two spaces in from it the
keys ``:submitters:`` and ``:created_at:``, and below the first ``- :name: Ada``. Only these lines are read.
"""

import re
from pathlib import Path

from npae.learn.grading.times import time_of

NAME = "submission_metadata.yml"
LARGEST = 32 << 20  # characters that are read
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}


def submitters(path: Path) -> dict[str, tuple[list[str], float | None]]:
    """Names and time, where it is given, of each submission by its folder's name."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read(LARGEST).splitlines()
    told: dict[str, tuple[list[str], float | None]] = {}
    present = key = ""
    for line in lines:
        heading = re.fullmatch(r"(submission_\d+):\s*", line)
        if heading:
            present, key = heading[1], ""
            told[present] = ([], None)
        elif present and (pair := re.fullmatch(r"  :([a-z_]+):\s*(.*)", line)):
            key = pair[1]
            if key == "created_at":
                told[present] = (told[present][0], time_of(pair[2]))
        elif present and key == "submitters" and (name := re.fullmatch(r" +- :name: (.+)", line)):
            told[present][0].append(_scalar(name[1].strip()))
    return told


def _scalar(text: str) -> str:
    """The text of a YAML scalar: plain, in single quotes, or in double quotes with escapes."""
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return ESCAPE.sub(_unescaped, text[1:-1])
    return text


def _unescaped(match: "re.Match[str]") -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return ESCAPED.get(match[4], match[4])
    return chr(int(code, 16)) if int(code, 16) < 0x110000 else "\N{REPLACEMENT CHARACTER}"
