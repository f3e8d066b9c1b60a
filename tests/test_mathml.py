"""Equations of the documentation as MathML: what cannot be converted is a warning, which ends the build."""

import importlib.util
from types import SimpleNamespace

import pytest
from helpers.paths import ROOT


@pytest.fixture
def mathml(monkeypatch):
    pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location("mathml", ROOT / "docs/_ext/mathml.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.warned = []
    monkeypatch.setattr(module.logger, "warning", lambda *words, location: module.warned.append(location))
    return module


def equation(text: str) -> SimpleNamespace:
    return SimpleNamespace(astext=lambda: text)


def test_an_equation_becomes_markup_and_needs_no_script(mathml):
    markup = mathml.markup(equation(r"\frac{1}{2} \sum_n x_n"), as_block=True)
    assert markup.startswith("<math")
    assert 'display="block"' in markup
    assert "<mfrac>" in markup
    assert mathml.warned == []


@pytest.mark.parametrize("text", [r"\frac12 x", r"\unknown x", "½"])
def test_what_would_come_out_wrong_is_a_warning_at_its_place(mathml, text):
    node = equation(text)
    assert mathml.markup(node, as_block=False) == ""
    assert mathml.warned == [node]


@pytest.mark.parametrize("text", [r"\hat x_i", r"\hat{x}_i", r"\bar x_{si + k, j}"])
def test_the_index_of_a_letter_with_an_accent_stands_beside_it(mathml, text):
    markup = "".join(mathml.markup(equation(text), as_block=False).split())
    assert '<msub><moveraccent="true"><mi>x</mi>' in markup
    assert "munder" not in markup


def test_a_function_stands_apart_from_its_argument(mathml):
    assert "<mspace" in mathml.markup(equation(r"\log p"), as_block=False)
    assert "<mspace" not in mathml.markup(equation(r"\log(p)"), as_block=False)
