"""A fault in the library of known mistakes is seen, and ends no check of other people's code."""

import numpy as np
import pytest

from npae.gradcheck import Verdict, check
from npae.gradcheck.bugs import KINDS, Kind
from npae.gradcheck.bugs.identify import Call, names_of, recognize
from npae.gradcheck.bugs.registry import Bug

X = np.random.default_rng(0).normal(size=(3, 4))


class Cube(Kind):
    """y = x³."""

    name = "cube"
    inputs = blocks = ("x",)

    def forward(self, c):
        return c.x**3

    def backward(self, c):
        return {"x": 3 * c.x**2 * c.g}


def wrong(g, x):
    return x**2 * g


@pytest.fixture
def cube(monkeypatch):
    monkeypatch.setitem(KINDS, "cube", Cube())
    return KINDS["cube"]


def test_a_misspelt_name_in_a_kind_is_an_error(cube, monkeypatch):
    monkeypatch.setattr(cube, "forward", lambda c: c.xx**3)
    with pytest.raises(AttributeError, match="this case has no xx"):
        list(recognize({"x": X}, [X**3]))


def test_a_misspelt_name_in_a_mistake_is_an_error(cube, monkeypatch):
    broken = Bug("broken", "dx = …", "…", "cube", ("x",), lambda c: c.gg, 0)
    monkeypatch.setattr("npae.gradcheck.bugs.identify.bugs_of", lambda kind: [broken] if kind == "cube" else [])
    with pytest.raises(AttributeError, match="this case has no gg"):
        names_of([Call({"x": X}, [X**3], np.ones_like(X), {"x": X**2})], {"x"})


def test_a_fault_in_a_kind_ends_no_check(cube, monkeypatch):
    monkeypatch.setattr(cube, "forward", lambda c: c.xx**3)
    report = check(lambda x: x**3, wrong, [X])
    assert report.verdict is Verdict.WRONG
    assert any("no name: the search for known mistakes ended with AttributeError" in note for note in report.notes)


def test_shapes_that_do_not_fit_a_kind_are_no_error(cube):
    assert [found.kind.name for found in recognize({"x": X}, [X**3])] == ["cube"]
    for shape in ((), (2, 3, 4), (1, 2, 3, 4, 5)):
        assert list(recognize({"x": np.full(shape, 2.0)}, [np.full(shape, 3.0)])) == []


def test_no_kind_raises_for_the_arrays_of_another():
    for kind in [kind for kind in KINDS.values() if len(kind.inputs) <= 2]:
        drawn = kind.draw(np.random.default_rng(1))
        arrays = {name: np.asarray(drawn[name]) for name in kind.inputs if drawn.get(name) is not None}
        assert list(recognize(arrays, [np.full((2, 2), 7.0)])) == []


def test_a_gradient_by_an_input_that_has_none_in_the_kind_ends_no_search():
    t = np.random.default_rng(1).normal(size=X.shape)
    report = check(
        lambda p, t: ((p - t) ** 2).mean(), lambda g, p, t: (2 * g * (p - t), g * (p - t)), [X, t], wrt=["p", "t"]
    )
    assert not any("no name" in note for note in report.notes)
    assert [(name.bug, name.blocks) for name in report.names] == [("no-average", ("p",))]
