"""The look at the values of a large array: on several threads, one array after the other, by recorded calls."""

import threading
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae import Autoencoder
from npae.layers import Dense
from npae.network import checking

BAD = {"nan": np.nan, "infinite": np.inf, "below": -0.5, "above": 1.5}


@pytest.fixture(autouse=True, scope="module")
def small_is_large() -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checking, "LARGE", 1)
        yield


def network(loss: str = "bce", dtype: str = "float32") -> Autoencoder:
    return Autoencoder([Dense(2)], [Dense(5)], loss=loss).build((5,), dtype=dtype)


@given(data=st.data())
def test_one_bad_value_anywhere_is_found_in_whichever_array_it_is(data: st.DataObject) -> None:
    dtype, loss = data.draw(st.sampled_from(["float32", "float64"])), data.draw(st.sampled_from(["bce", "mse"]))
    net = network(loss, dtype)
    for _ in range(4):
        x = np.random.default_rng(0).random((data.draw(st.integers(1, 200)), 5)).astype(dtype)
        n_jobs, bad = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([None, *BAD]))
        if bad is not None:
            x.reshape(-1)[data.draw(st.integers(0, x.size - 1))] = BAD[bad]
        x.flags.writeable = data.draw(st.booleans())
        is_refused = bad in {"nan", "infinite"} or (bad is not None and loss == "bce")
        try:
            assert net.check(x, as_target=True, n_jobs=n_jobs) is x
            assert not is_refused
        except ValueError:
            assert is_refused


def test_an_array_lives_no_longer_because_its_values_were_looked_at() -> None:
    net, x = network(), np.zeros((40, 5), "float32")
    net.check(x, n_jobs=2)
    gone = weakref.ref(x)
    del x
    assert gone() is None


def test_arrays_of_several_threads_are_each_looked_at() -> None:
    net, wrong = network(), []

    def look(value: float) -> None:
        x = np.full((3000, 5), value, "float32")
        for _ in range(30):
            try:
                net.check(x, as_target=True, n_jobs=2)
                found = True
            except ValueError:
                found = False
            if found != (value <= 1):
                wrong.append(value)

    threads = [threading.Thread(target=look, args=(value,)) for value in (0.0, 2.0, 1.0, 3.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
