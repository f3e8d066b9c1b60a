"""The examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import npae

MODULES = [
    found.name
    for found in pkgutil.walk_packages(npae.__path__, "npae.")
    if not any(part in found.name for part in (".exercises", ".peers", "__main__"))
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0
