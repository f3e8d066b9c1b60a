"""One fitted model among threads, and models in forked and spawned processes."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, unfitted

from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array

MANY = 520  # two blocks and a bit: encoding is recorded, and shared out among ``n_jobs`` threads
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# Python warns of a fork beside other threads, which here is the point.
threads_may_be_there = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def uses(model: AutoencoderEstimator, X: Array) -> list[Callable[[], Array]]:
    """What several threads may do with one model."""
    few = X[:7]
    return [
        lambda: model.transform(X),
        lambda: model.reconstruct(few),
        lambda: model.score_samples(few),
        lambda: model.transform(few),
        lambda: model.inverse_transform(model.transform(few)),
        lambda: model.sample(3),
    ]


def at_once(calls: list[Callable[[], Array]], n_threads: int, rounds: int = 4) -> list[list[Array]]:
    """What each of ``n_threads`` threads got, each beginning with another of the calls."""
    start = threading.Barrier(n_threads)

    def work(first: int) -> list[Array]:
        start.wait()
        results: list[Any] = [None] * len(calls)
        for i in range(first, first + rounds * len(calls)):
            results[i % len(calls)] = calls[i % len(calls)]()
        return results

    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, range(n_threads)))


def assert_same_bits(results: list[Array], expected: list[Array]) -> None:
    assert [np.asarray(a).tobytes() for a in results] == [np.asarray(a).tobytes() for a in expected]


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("n_threads", [2, 8])
@pytest.mark.parametrize("kind", TYPES)
def test_threads_that_share_a_fitted_model_get_what_one_thread_gets(
    kind: str, n_threads: int, n_jobs: int | None
) -> None:
    X = data_for(kind, MANY)
    expected = [use() for use in uses(fitted(kind, n_jobs=n_jobs), X)]
    model = fitted(kind, n_jobs=n_jobs)  # the first use, too, is everybody's
    for results in at_once(uses(model, X), n_threads):
        assert_same_bits(results, expected)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("kind", TYPES)
def test_a_model_may_be_used_while_another_is_trained(kind: str, n_jobs: int | None) -> None:
    X = data_for(kind, MANY)
    model = fitted(kind, n_jobs=n_jobs)
    calls = uses(model, X)
    expected = [use() for use in calls]

    def train() -> Array:
        other: Array = unfitted(kind, n_jobs=n_jobs, random_state=5).fit(data_for(kind)).network_.theta
        return other

    for results in at_once([*calls, train], 3, rounds=2):
        assert_same_bits(results, [*expected, train()])


def used_and_trained(model: AutoencoderEstimator, X: Array) -> list[bytes]:
    """Codes, and the parameters after training anew and after going on, as bits; in whichever process it is called."""
    codes = model.transform(X).tobytes()
    anew = type(model)(**model.get_params()).fit(X[:24])
    return [codes, anew.network_.theta.tobytes(), anew.partial_fit(X[:24]).network_.theta.tobytes()]


@forks
@threads_may_be_there
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("kind", TYPES)
def test_a_forked_process_uses_and_trains_models_as_its_parent_does(kind: str, n_jobs: int | None) -> None:
    X = data_for(kind, MANY)
    model = fitted(kind, n_jobs=n_jobs)
    expected = used_and_trained(model, X)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        given = [pool.apply_async(used_and_trained, (model, X)) for _ in range(2)]
        assert [g.get(120) for g in given] == [expected] * 2
    assert used_and_trained(model, X) == expected


def test_a_spawned_process_gets_a_model_by_pickle_and_uses_it_alike() -> None:
    models = [fitted(kind, n_jobs=2) for kind in TYPES]
    data = [data_for(kind, MANY) for kind in TYPES]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        given = [pool.apply_async(model.transform, (X,)) for model, X in zip(models, data, strict=True)]
        for g, model, X in zip(given, models, data, strict=True):
            assert_same_bits([g.get(120)], [model.transform(X)])


@forks
@threads_may_be_there
def test_a_process_that_is_forked_while_a_thread_uses_the_model_does_not_wait_for_that_thread() -> None:
    X = data_for("vanilla", MANY)
    model = fitted("vanilla")
    expected = model.transform(X)
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        with model.network_.arena.lock:
            held.set()
            enough.wait(120)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    receive, send = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:  # pragma: no cover (coverage does not look into it)
        try:
            send.send_bytes(model.transform(X).tobytes())
        finally:
            os._exit(0)
    try:
        assert receive.poll(60)
        assert receive.recv_bytes() == expected.tobytes()
    finally:
        enough.set()
        thread.join()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_model_may_be_pickled_while_threads_use_it() -> None:
    X = data_for("variational", MANY)
    model = fitted("variational", n_jobs=2)
    expected = model.transform(X)

    def copied() -> Array:
        codes: Array = pickle.loads(pickle.dumps(model)).transform(X)
        return codes

    for results in at_once([copied, lambda: model.transform(X)], 4, rounds=3):
        assert_same_bits(results, [expected, expected])


@threads_may_be_there
def test_a_grid_search_of_two_processes_finds_what_one_finds() -> None:
    model_selection = pytest.importorskip("sklearn.model_selection")
    X = data_for("vanilla", 48)
    searches = [
        model_selection.GridSearchCV(
            unfitted("vanilla", n_jobs=2), {"code_size": [2, 4]}, cv=2, n_jobs=n_jobs, error_score="raise"
        ).fit(X)
        for n_jobs in (1, 2)
    ]
    one, two = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(one, two)
    assert_same_bits([searches[1].transform(X)], [searches[0].transform(X)])
