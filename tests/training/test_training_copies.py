"""What can be copied and pickled of a training, and what cannot."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import npae
from npae.training import Training


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_training_refuses_to_be_copied_in_one_sentence_and_its_network_does_not(
    make: Callable[[Any], Any], n_jobs: int
) -> None:
    net = npae.recipes.vanilla((8,), code_size=2).build((8,))
    training = Training(net, npae.optimizers.SGD(0.1), n_jobs=n_jobs)
    training.fit(np.zeros((4, 8), np.float32), epochs=1)
    with pytest.raises(TypeError, match=r"^a Training cannot be copied or pickled; give fit a Checkpoints"):
        make(training)
    make(training.network)


def test_a_model_is_copied_and_pickled_without_its_training() -> None:
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=4).fit(np.zeros((4, 8), np.float32))
    for made in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert not hasattr(made, "training_")
        assert made.partial_fit(np.zeros((4, 8), np.float32)).n_iter_ == 2
