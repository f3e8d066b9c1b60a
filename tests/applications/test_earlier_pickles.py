"""Pickles of earlier versions are loaded, although the classes in them are defined elsewhere now."""

import pickle

import numpy as np
import pytest

from npae.applications.generation import Bounds
from npae.applications.retrieval import Index
from npae.applications.texts import TextClassifier, WordWeights


@pytest.mark.parametrize("cls", [Index, WordWeights, TextClassifier, Bounds])
def test_the_name_in_an_earlier_pickle_leads_to_the_same_class(cls):
    earlier = cls.__module__.rpartition(".")[0]
    assert pickle.loads(f"c{earlier}\n{cls.__name__}\n.".encode()) is cls


def test_an_index_in_an_earlier_pickle_is_searched():
    index = Index(np.array([[0, 0], [3, 4]], np.float32), names=("a", "b"))
    content = pickle.dumps(index, protocol=0).replace(
        b"npae.applications.retrieval.index\n", b"npae.applications.retrieval\n"
    )
    again = pickle.loads(content)
    assert again.names == ("a", "b")
    assert again.search([[0, 1]], k=1)[0].tolist() == [[0]]
