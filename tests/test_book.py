"""The guide to autoencoders, the derivations and the gallery: their code runs, and they say what is so."""

import ast
import re
import sys
from pathlib import Path

import pytest
from helpers.pages import run_all, use_few_digits
from helpers.paths import ROOT

from npae.gradcheck import check
from npae.gradcheck.bugs import bugs_of

DERIVATIONS = sorted(path.stem for path in (ROOT / "docs/derivations").glob("*.md") if path.stem != "index")
GUIDE = sorted(path.stem for path in (ROOT / "docs/autoencoders").glob("*.md"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

#: The kinds of computation whose known mistakes a page must have.
KINDS = {
    "dense": ["dense"],
}


def listed_mistakes(page: str) -> list[str]:
    """The names in the table of a derivation's section on mistakes."""
    section = (ROOT / f"docs/derivations/{page}.md").read_text(encoding="utf-8").partition("## Mistakes")[2]
    return re.findall(r"^\| `([^`|]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("page", DERIVATIONS)
def test_a_derivation_runs_and_checks_its_gradient(page, monkeypatch):
    # The page asserts that its gradient passes, equals npae's, and that each mistake is found under its name.
    reports = []

    def recorded(f, backward, inputs, **options):
        reports.append(check(f, backward, inputs, **options))
        return reports[-1]

    monkeypatch.setattr("npae.gradcheck.check", recorded)
    names = run_all(f"docs/derivations/{page}.md", {})
    assert list(names.get("wrong", {})) == listed_mistakes(page)
    if page != "adam":
        assert reports[0].passed
        assert sum(not report.passed for report in reports) >= len(names["wrong"])
    assert "## Mistakes" in (ROOT / f"docs/derivations/{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "kinds"), KINDS.items())
def test_a_derivation_has_all_known_mistakes_of_its_layer(page, kinds):
    known = {bug.name for kind in kinds for bug in bugs_of(kind)}
    assert set(listed_mistakes(page)) == known


@pytest.mark.parametrize("page", GUIDE)
def test_the_guide_to_autoencoders_runs(page, monkeypatch, tmp_path):
    for module in ("matplotlib", "sklearn"):
        pytest.importorskip(module)
    use_few_digits(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    run_all(f"docs/autoencoders/{page}.md", {})
    images = ROOT / "docs/autoencoders/images"
    shown = re.findall(r"\]\(images/(\S+?)\)", (ROOT / f"docs/autoencoders/{page}.md").read_text(encoding="utf-8"))
    # The code on the page makes every picture that the page shows; architectures do not depend on the training.
    assert sorted(shown) == sorted(path.name for path in tmp_path.iterdir())
    for name in shown:
        assert (images / name).exists()
        if name.endswith(".svg"):
            drawn = (tmp_path / name).read_text(encoding="utf-8")
            assert drawn == (images / name).read_text(encoding="utf-8")


def test_no_picture_of_the_guide_is_left_over():
    pages = "".join((ROOT / f"docs/autoencoders/{page}.md").read_text(encoding="utf-8") for page in GUIDE)
    assert all(path.name in pages for path in (ROOT / "docs/autoencoders/images").iterdir())


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_is_short_and_needs_only_plot_and_sklearn(path: Path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 80
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported - set(sys.stdlib_module_names) <= {"npae", "numpy", "matplotlib", "sklearn", "PIL"}
