"""The guide to autoencoders, the derivations and the gallery: their code runs, and they say what is so."""

import ast
import re
import sys
from pathlib import Path

import pytest
from helpers.pages import blocks, run_all, use_few_digits
from helpers.paths import ROOT

from npae import gradcheck
from npae.gradcheck.bugs import bugs_of
from npae.network.recipes import RECIPES

DERIVATIONS = sorted(path.stem for path in (ROOT / "docs/derivations").glob("*.md") if path.stem != "index")
GUIDE = sorted(path.stem for path in (ROOT / "docs/autoencoders").glob("*.md"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

#: Pages, and the kinds of computation whose known mistakes they have, each kind all of them.
PAGES_AND_KINDS = [
    (["dense"], ["dense"]),
    (["tied"], ["tied"]),
    (["relu"], ["relu"]),
    (["activations"], ["sigmoid", "tanh"]),
    (["squared_error"], ["mse"]),
    (["cross_entropy_probabilities"], ["bce"]),
    (["cross_entropy_logits"], ["bce-on-logits"]),
    (["convolution"], ["convolution"]),
    (["max_pooling"], ["max-pool"]),
    (["average_pooling"], ["average-pool"]),
    (["upsampling_nearest"], ["nearest-upsampling"]),
    (["upsampling_bilinear"], ["bilinear-upsampling"]),
    (["reshape"], ["flatten"]),
    (["noise_dropout"], ["dropout"]),
    (["reparameterization", "kl"], ["reparameterization"]),
    (["l1_l2"], ["weight-decay"]),
    (["adam"], ["adam"]),
]
WITHOUT_KNOWN_MISTAKES = {"transposed_convolution"}


def listed_mistakes(page: str) -> list[str]:
    """The names in the table of a derivation's section on mistakes."""
    section = (ROOT / f"docs/derivations/{page}.md").read_text(encoding="utf-8").partition("## Mistakes")[2]
    return re.findall(r"^\| `([^`|]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("page", DERIVATIONS)
def test_a_derivation_runs_and_the_checker_finds_its_mistakes(page, monkeypatch):
    """The page asserts what it says of each; here, that it had every gradient and every mistake checked at all."""
    reports = {}

    def recording(check):
        def checked(*arguments, **options):
            report = check(*arguments, **options)
            reports.setdefault(report.passed, []).append(report)
            return report

        return checked

    for name in ("check", "check_optimizer"):
        monkeypatch.setattr(gradcheck, name, recording(getattr(gradcheck, name)))
    names = run_all(f"docs/derivations/{page}.md", {})
    assert list(names["wrong"]) == listed_mistakes(page)
    assert len(reports[False]) == len(names["wrong"])
    assert len(reports[True]) >= 1
    if page not in WITHOUT_KNOWN_MISTAKES:
        found = {match.bug for report in reports[False] for match in report.names}
        assert set(names["wrong"]) <= found


@pytest.mark.parametrize("page", DERIVATIONS)
def test_a_derivation_compares_its_code_with_that_of_npae(page):
    code = "".join(blocks(f"docs/derivations/{page}.md", "python"))
    assert re.search(r"^from npae(\.layers|\.optimizers)? import", code, re.MULTILINE)
    assert re.search(r"^ *assert np\.(allclose|isclose)\(", code, re.MULTILINE)


@pytest.mark.parametrize(("pages", "kinds"), PAGES_AND_KINDS)
def test_derivations_have_all_known_mistakes_of_their_kind(pages, kinds):
    known = sorted(bug.name for kind in kinds for bug in bugs_of(kind))
    assert sorted(name for page in pages for name in listed_mistakes(page)) == known


def test_every_derivation_is_among_those_whose_mistakes_are_compared():
    assert sorted({page for pages, _ in PAGES_AND_KINDS for page in pages} | WITHOUT_KNOWN_MISTAKES) == DERIVATIONS


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


def test_every_type_has_an_example_and_no_example_is_without_a_picture():
    names = [path.stem for path in EXAMPLES]
    assert [name[8:] for name in names[:5]] == list(RECIPES)
    assert len(names) >= 11
    assert all("plt.show()" in path.read_text(encoding="utf-8") for path in EXAMPLES)


@pytest.mark.parametrize("folder", ["autoencoders", "derivations"])
def test_every_page_of_the_book_is_in_the_contents_of_its_section(folder):
    contents = blocks(f"docs/{folder}/index.md", r"\{toctree\}")[0].split()
    pages = [path.stem for path in (ROOT / f"docs/{folder}").glob("*.md")]
    assert sorted(contents[1:]) == sorted(set(pages) - {"index"})  # the first line is an option
