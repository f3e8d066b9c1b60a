"""Training with ``recorded=False``: every layer is called from Python at every step, with identical results."""

import gc
import weakref
from typing import Any

import pytest
from helpers.small_models import TYPES, samples

from npae.estimators import ESTIMATORS
from npae.layers import Dense
from npae.utils.types import Array

QUICK: dict[str, Any] = {"code_size": 3, "epochs": 3, "batch_size": 8, "random_state": 0}


def trained(kind: str, X: Array, **options: Any) -> Any:
    return ESTIMATORS[kind](**QUICK, **options).fit(X)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", TYPES)
def test_the_bits_are_those_of_recorded_steps(kind: str, n_jobs: int) -> None:
    X = samples(30, 5, 4)
    recorded, plain = (trained(kind, X, n_jobs=n_jobs, recorded=value) for value in (True, False))
    assert recorded.network_.theta.tobytes() == plain.network_.theta.tobytes()
    assert recorded.history_["loss"] == plain.history_["loss"]
    assert recorded.transform(X).tobytes() == plain.transform(X).tobytes()


@pytest.mark.parametrize(("recorded", "calls_an_epoch"), [(True, 0), (False, 4)])
def test_forward_is_called_at_every_step_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, recorded: bool, calls_an_epoch: int
) -> None:
    seen: list[int] = []
    forward = Dense.forward

    def watched(layer: Dense, x: Array) -> Array:
        if layer.name == "encoder.1" and layer.run.training:
            seen.append(len(x))
        return forward(layer, x)

    monkeypatch.setattr(Dense, "forward", watched)
    X = samples(30, 5, 4)
    trained("vanilla", X, recorded=recorded)
    recordings = 2  # of batches of 8 and of 6
    assert len(seen) == (QUICK["epochs"] * calls_an_epoch if calls_an_epoch else recordings)


def test_a_copy_of_a_network_keeps_the_choice() -> None:
    model = trained("vanilla", samples(16, 5, 4), recorded=False)
    assert not model.network_.replica(1).recorded


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_encoded_network_keeps_no_reference_to_the_samples_and_the_codes(n_jobs: int) -> None:
    net = trained("vanilla", samples(16, 5, 4)).network_
    x = samples(600, 5, 4)  # so many are encoded by a recording
    z = net.encode(x, n_jobs=n_jobs)
    arrays = [weakref.ref(x), weakref.ref(z)]
    del x, z
    gc.collect()
    assert [array() for array in arrays] == [None, None]
