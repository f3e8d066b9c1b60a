"""The examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil
from importlib.util import find_spec

import pytest
from helpers.public_names import by_qualified_name

import npae

MODULES = [
    found.name
    for found in pkgutil.walk_packages(npae.__path__, "npae.")
    if not any(part in found.name for part in (".exercises", ".peers", "__main__"))
]
#: Packages that the tests do without, and the objects whose examples need them.
NEEDED = {
    "npae.applications.embed.map": "dask",
    "npae.applications.encoded_parts.encode_parts": "distributed",
    "npae.applications.retrieval.index.Index.to_faiss": "faiss",
    "npae.storage.export.onnx.export_onnx": "onnx",
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    public = by_qualified_name()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        if example.name in public:  # it runs where nothing is imported: a reader may copy it
            example.globs = {"__name__": "__main__"}
        if example.name not in NEEDED or find_spec(NEEDED[example.name]) is not None:
            runner.run(example)
    assert runner.summarize(verbose=False).failed == 0
