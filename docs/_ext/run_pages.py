"""Run the Python of pages, save the pictures that it makes, and write what it prints into the pages.

``python docs/_ext/run_pages.py docs/autoencoders/*.md`` measures every figure of these pages again: a block of text
that follows a block of Python is replaced by what the Python printed, and pictures are written into the folder
``images`` beside the page.
"""

import io
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

SHOWN = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def run(page: Path) -> None:
    """Run one page, and write it with what was printed."""
    names: dict[str, object] = {}

    def measured(match: re.Match[str]) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            above = "\n" * match.string.count("\n", 0, match.start(1))  # so that errors name the line of the page
            exec(compile(above + match[1], str(page), "exec"), names)
        code = f"```python\n{match[1]}```"
        return code if match[2] is None else f"{code}\n\n```text\n{printed.getvalue()}```"

    page = page.resolve()
    (page.parent / "images").mkdir(exist_ok=True)
    os.chdir(page.parent / "images")
    page.write_text(SHOWN.sub(measured, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    for path in [Path(argument).resolve() for argument in sys.argv[1:]]:
        run(path)
