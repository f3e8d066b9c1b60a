"""Pages that show Python or commands are each run by a test, and the commands in their texts can be typed."""

import re
import shlex

import numpy as np
import pytest
from helpers.pages import blocks
from helpers.paths import ROOT

from npae.cli import main, make_parser

PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md"))]
FOLDERS = {"autoencoders": "test_book.py", "derivations": "test_book.py"}

#: The test that runs a page, from top to bottom.
RUN_BY = {
    "README.md": "test_documentation.py",
    "applications.md": "test_documentation.py",
    "command_line.md": "test_documentation.py",
    "explore.md": "test_explore_page.py",
    "faces.md": "test_faces_page.py",
    "gradcheck.md": "test_documentation.py",
    "guide.md": "test_documentation.py",
    "learn.md": "test_documentation.py",
    "music.md": "test_music_documentation.py",
    "reading.md": "test_documentation.py",
    "scale.md": "test_snippets.py",
    "teaching.md": "learn/test_learn_teaching.py",
}


def test_every_page_with_code_is_run_by_a_test() -> None:
    shown = {
        page.name for page in PAGES if re.search(r"^```(python|sh)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert shown == set(RUN_BY)
    for page, test in RUN_BY.items():
        assert page in (ROOT / "tests" / test).read_text(encoding="utf-8")
    below = {path.parent.name for path in (ROOT / "docs").glob("*/*.md")} - {"_build", "api", "gallery"}
    assert below == set(FOLDERS)


def test_every_block_says_what_it_is() -> None:
    kinds = {"python", "sh", "text", "toml", "md", "{toctree}", "{eval-rst}", "{raw} html"}
    for page in [*PAGES, *(path for folder in FOLDERS for path in (ROOT / "docs" / folder).glob("*.md"))]:
        opened = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)[::2]
        assert set(opened) <= kinds, page.name


def commands() -> list[str]:
    """The commands of npae in blocks of all pages, without the programs and files before and after them."""
    found = []
    for page in PAGES:
        for kind in ("sh", "text"):
            for line in "\n".join(blocks(page.relative_to(ROOT).as_posix(), kind)).replace("\\\n", " ").splitlines():
                parts = (part.strip() for part in re.split(r"[|<>]", re.sub(r"^mpiexec -n \d+ ", "", line)))
                found += [part for part in parts if re.match(r"npae [a-z]+( |$)", part) and ": " not in part]
    return found


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_that_a_page_shows_can_be_typed(command: str) -> None:
    words = shlex.split(command)[1:]
    if words[0] == "help":
        words = [*words[1:], "--help"]
        with pytest.raises(SystemExit) as ended:
            make_parser().parse_args(words)
        assert ended.value.code == 0
    else:
        assert make_parser().parse_args(words).verb == words[0]


def test_the_page_on_scale_runs(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = "docs/scale.md"
    names: dict = {}
    *first, with_ranks, with_dask = blocks(page, "python")
    for code in first:
        exec(code, names)
    assert names["codes"].shape == (2000, 4)
    assert names["model"].n_iter_ == 2
    assert 'ranks="mpi"' in with_ranks  # which mpiexec starts: tests/training/test_mpi.py
    for line in "\n".join(blocks(page, "sh")).splitlines():
        if line.startswith("npae "):  # others install, or begin with mpiexec
            small = ["--epochs", "1", "--no-verbose"] if line.startswith("npae train") else []
            assert main([*shlex.split(line)[1:], *small]) == 0, line
    pytest.importorskip("zarr")
    import dask.array as da

    names["model"].save("model.safetensors")
    images = np.load("big.npy").astype("float32") / 255
    da.from_array(images, chunks=(500, 8, 8)).to_zarr("images.zarr")
    exec(with_dask, names)
    assert da.from_zarr("codes.zarr").shape == (2000, 32)
