"""Classes in the layouts in which learning platforms export them."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

LAYOUTS = ("folders", "zips", "notebooks", "Moodle", "Canvas", "Gradescope", "nbgrader", "exchange")
Files = Mapping[str, Mapping[str, bytes]]  # of each learner, by name


def notebook(*cells: str) -> bytes:
    """A notebook with these code cells, after one of text."""
    told = [{"cell_type": "markdown", "metadata": {}, "source": ["# npae-exercise: dense v1\n", "text"]}]
    told += [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell.splitlines(True)}
        for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": told}).encode()


def zipped(files: Mapping[str, bytes], path: Path, folder: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(folder + name, content)
    return path


def laid(files: Mapping[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def write(layout: str, root: Path, files: Files) -> dict[str, str]:
    """Write a class into ``root``; returns the name that each learner is expected to have in the marks."""
    root.mkdir(parents=True, exist_ok=True)
    names = {}
    metadata = []
    for i, (who, content) in enumerate(files.items(), 1000):
        names[who] = who
        if layout == "folders":
            laid(content, root / who)
        elif layout == "zips":
            zipped(content, root / f"{who}.zip", "homework/")
        elif layout == "notebooks":
            code = {f"{name}.ipynb": notebook("1 / 0", text.decode(errors="replace")) for name, text in content.items()}
            laid(code, root / who)
        elif layout == "Moodle":
            names[who] = f"{who}_{i}"
            laid({"onlinetext.html": b"<p>mine</p>"}, root / f"{who}_{i}_assignsubmission_onlinetext_")
            laid(content, root / f"{who}_{i}_assignsubmission_file_")
        elif layout == "Canvas":
            key = who.lower().replace(" ", "")
            names[who] = f"{key}_{i}"
            for name, text in content.items():
                (root / f"{key}_{i}_{i + 5000}_{name}").write_bytes(text)
        elif layout == "Gradescope":
            laid(content, root / f"submission_{i}")
            metadata.append(
                f'submission_{i}:\n  :submitters:\n  - :name: {who}\n    :email: a@b.c\n  :created_at: "x"\n'
            )
        elif layout == "nbgrader":
            laid({**content, "timestamp.txt": b"2026-03-01 10:00:00.000000 UTC"}, root / "submitted" / who / "ps1")
            (root / "source").mkdir(exist_ok=True)
        elif layout == "exchange":
            old = dict.fromkeys(content, b"raise ValueError('an older one')")
            laid(old, root / "inbound" / f"{who}+ps1+2026-03-01 10:00:00.000000 UTC+ab1")
            laid(content, root / "inbound" / f"{who}+ps1+2026-03-02 09:00:00.000000 UTC+ab2")
            (root / "outbound").mkdir(exist_ok=True)
    if metadata:
        (root / "submission_metadata.yml").write_text("---\n" + "".join(metadata), encoding="utf-8")
    return names
