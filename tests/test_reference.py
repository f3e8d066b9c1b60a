"""Each public class and function says what it takes, returns and raises, with an example."""

import inspect

import pytest

pytest.importorskip("numpydoc")

from helpers.public_names import gaps, public_names


def test_the_docstrings_of_public_names_are_complete() -> None:
    found = public_names()
    classes = [public.subject for public in found if inspect.isclass(public.subject)]
    missing = {public.name: lacks for public in found if (lacks := gaps(public, classes))}
    share = 1 - len(missing) / len(found)
    assert not missing, f"{share:.1%} of {len(found)} docstrings are complete; these lack something: {missing}"
