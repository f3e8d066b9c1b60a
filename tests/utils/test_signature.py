"""Parameters of functions whose annotations use names that only type checkers import."""

import sys

import numpy as np
import pytest

from npae import gradcheck
from npae.layers import Layer
from npae.learn.judging.cases import argument_names
from npae.utils.signature import arguments_of

#: Before Python 3.14, such annotations are evaluated with the function, and must be text.
FUTURE = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"
SOURCE = f"""{FUTURE}
def scaled(x: OnlyForCheckers, factor: OnlyForCheckers = 2.0) -> OnlyForCheckers:
    return factor * x

class Scale(Layer):
    def __init__(self, factor: OnlyForCheckers) -> None:
        self.factor = factor
"""


@pytest.fixture(scope="module")
def theirs():
    names = {"Layer": Layer}
    exec(compile(SOURCE, "theirs.py", "exec", dont_inherit=True), names)
    return names


def test_names_and_defaults_are_returned(theirs):
    arguments = arguments_of(theirs["scaled"])
    assert list(arguments) == ["x", "factor"]
    assert arguments["factor"].default == 2.0


def test_gradients_of_such_a_function_are_checked_under_its_own_names(theirs):
    report = gradcheck.check(theirs["scaled"], lambda g, x: 2 * g, [np.arange(1.0, 4.0)])
    assert report.passed
    assert "x" in str(report)
    assert argument_names(theirs["scaled"], {"x": np.ones(2)}) == ["x"]


def test_such_a_layer_has_a_configuration(theirs):
    assert theirs["Scale"](3.0).config() == {"factor": 3.0}


def test_a_function_without_a_signature_raises_an_error_that_the_checker_handles():
    with pytest.raises((TypeError, ValueError)):
        arguments_of(3)
