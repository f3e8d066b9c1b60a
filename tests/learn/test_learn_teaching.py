"""The examples of docs/teaching.md and of the notebook run, with the output shown there."""

import ast
import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from helpers.paths import ROOT

from npae.cli import main
from npae.learn import authoring
from npae.learn.grading.gradebook import COLUMNS
from npae.learn.judging import outcome

DOCS = ROOT / "docs"
PAGE = (DOCS / "teaching.md").read_text(encoding="utf-8")
NOTEBOOK = DOCS / "notebooks" / "gradient_check.ipynb"
CLASS = DOCS / "notebooks" / "grade_a_class.ipynb"
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")


def run_notebook(path: Path) -> list[tuple[str, object]]:
    """What each code cell prints, and the value of its last line where that is an expression."""
    names: dict[str, object] = {}
    results = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        lines, last = ast.parse("".join(cell["source"])), None
        if isinstance(lines.body[-1], ast.Expr):
            last = ast.Expression(lines.body.pop().value)
        printed, value = StringIO(), None
        with redirect_stdout(printed):
            exec(compile(lines, path.name, "exec"), names)
            if last is not None:
                value = eval(compile(last, path.name, "eval"), names)
        results.append((printed.getvalue(), value))
    return results


def stored(path: Path) -> list[tuple[str, str]]:
    """What a reader of the notebook sees under each code cell: the text printed, and the HTML."""
    results = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            text = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
            html = "".join("".join(o["data"].get("text/html", "")) for o in cell["outputs"] if "data" in o)
            results.append((text, html))
    return results


def without_numbers(text: str) -> str:
    """Rounding errors differ from one machine to the next."""
    return NUMBER.sub("#", text)


def test_the_notebook_runs_with_the_output_it_shows():
    results = run_notebook(NOTEBOOK)
    for (printed, value), (text, html) in zip(results, stored(NOTEBOOK), strict=True):
        assert without_numbers(printed) == without_numbers(text)
        assert bool(html) == (value is not None)
        if value is not None:
            assert "db-mean" in html
            assert "db-mean" in value._repr_html_()
    assert "Looks like: db-mean" in results[0][0]
    assert "Looks like: dW-transposed" in results[2][0]
    assert "known mistakes are excluded" in results[3][0]
    assert results[4][0].startswith("True\n")
    assert "drops-upstream" in results[4][0]


def test_the_notebook_of_a_class_runs_with_the_output_it_shows(tmp_path, monkeypatch):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    results = run_notebook(CLASS)
    pyplot.close("all")
    assert [text for text, _ in results] == [text for text, _ in stored(CLASS)]
    assert "ben                            0       4       4" in results[2][0]
    assert "db-mean 2" in results[4][0]


@pytest.fixture
def softplus(tmp_path, monkeypatch) -> Path:
    """The exercise of the page, as a folder."""
    files = dict(re.findall(r"`softplus/(\S+)` [^\n]*\n\n```\w+\n(.*?)```", PAGE, re.DOTALL))
    assert sorted(files) == ["exercise.toml", "hints.md", "mutants.py", "reference.py", "stub.py", "text.md"]
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "softplus"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_the_exercise_of_the_page_is_fit(softplus):
    fitness = authoring.check(softplus)
    assert fitness.faults == []
    assert (fitness.mistakes, fitness.named) == (3, 3)


def test_the_exercise_of_the_page_can_be_marked(softplus, tmp_path, capsys):
    right = (softplus / "reference.py").read_text(encoding="utf-8")
    wrong = right.replace("g / (1.0 + np.exp(-x))", "g * (x > 0)")
    for name, source in (("anna", right), ("ben", wrong), ("cleo", (softplus / "stub.py").read_text())):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "softplus.py").write_text(source, encoding="utf-8")
    assert main(["grade", "class", "--exercise", "./softplus"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split() for line in told[:2]] == [
        ["exercise", "pass", "wrong", "missing"],
        ["softplus", "1", "1", "1"],
    ]
    assert told[-1].split()[:3] == ["as-relu", "softplus", "1"]


def test_the_page_names_every_column_and_every_status():
    for name in (*COLUMNS, *outcome.STATUSES):
        assert re.search(rf"^\|[^|]*\b{name}\b", PAGE, re.MULTILINE), name
