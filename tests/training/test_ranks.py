"""Ranks that are threads of this process: their bits are those of as many threads of one model, and none waits."""

import warnings
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from helpers.rank_threads import on_ranks
from helpers.small_models import samples
from hypothesis import given
from hypothesis import strategies as st

import npae
from npae import Checkpoints
from npae.training.ranks.agreement import INLINE, RECORD, Ranks
from npae.training.replicas import ThreadReplicas, shard_bounds
from npae.utils.errors import NonFiniteError, RankError

ROWS, IMAGES = samples(43, 12), samples(43, 7, 6)
#: Each with a last batch that is smaller; noise, clipping, penalties and early stopping are in some.
TYPES = {
    "vanilla": (lambda **k: npae.VanillaAutoencoder(code_size=3, clip_norm=0.01, **k), ROWS),
    "deep": (lambda **k: npae.DeepAutoencoder(hidden=(8,), code_size=3, optimizer="adamw", **k), ROWS),
    "convolutional": (lambda **k: npae.ConvolutionalAutoencoder(filters=(2, 3), code_size=4, **k), IMAGES),
    "denoising": (
        lambda **k: npae.DenoisingAutoencoder(
            hidden=(8,), code_size=3, noise_level=0.4, schedule="cosine", validation_fraction=0.2, **k
        ),
        ROWS,
    ),
    "variational": (
        lambda **k: npae.VariationalAutoencoder(
            hidden=(8,), code_size=3, early_stopping=True, patience=1, learning_rate=0.3, weight_decay=0.01, **k
        ),
        ROWS,
    ),
}


def new_model(name, **parameters):
    return TYPES[name][0](**{"epochs": 3, "batch_size": 10, "random_state": 4, **parameters})


def bits(model):
    history = {name: np.array(values).tobytes() for name, values in model.history_.items() if name != "seconds"}
    drawn = np.asarray(model.sample(3, random_state=1)).tobytes()
    return {"theta": model.network_.theta.tobytes(), "samples": drawn, **history}


@cache
def of_threads(name, n_jobs, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bits(new_model(name, n_jobs=n_jobs, **parameters).fit(TYPES[name][1]))


def fitted(name, size, checkpoints=lambda rank: None, **parameters):
    """What each of ``size`` ranks has, or the exception that it raised."""

    def work(communicator):
        model = new_model(name, **parameters)
        model.fit(TYPES[name][1], ranks=communicator, checkpoints=checkpoints(communicator.rank))
        return bits(model)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return on_ranks(size, work)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_ranks_give_the_bits_of_as_many_threads(name, size):
    assert fitted(name, size) == [of_threads(name, size)] * size


@pytest.mark.parametrize("size", [5, 8])
def test_more_ranks_than_the_last_batch_has_samples_give_the_bits_of_as_many_threads(size):
    assert fitted("denoising", size) == [of_threads("denoising", size)] * size


def test_ranks_of_two_threads_each_give_the_bits_of_twice_as_many_threads():
    assert fitted("deep", 2, n_jobs=2) == [of_threads("deep", 4)] * 2


def test_another_number_of_ranks_gives_other_bits():
    assert of_threads("vanilla", 2) != of_threads("vanilla", 4)


def test_without_a_seed_all_ranks_have_that_of_the_first():
    first, second = fitted("vanilla", 2, random_state=None)
    assert first == second != of_threads("vanilla", 2)


@given(n=st.integers(1, 300), n_shards=st.integers(1, 70))
def test_every_row_of_a_batch_is_in_one_shard_of_one_rank(n, n_shards):
    bounds = shard_bounds(n, n_shards)
    rows = [row for start, stop in pairwise(bounds) for row in range(start, stop)]
    assert rows == list(range(n))
    assert bounds[1] > 0
    assert max(np.diff(bounds)) - min(np.diff(bounds)) <= 1


# Agreement


@given(st.lists(st.sampled_from([0, 1, INLINE - 1, INLINE, INLINE + 1, 3 * INLINE]), min_size=1, max_size=4))
def test_an_exchange_brings_every_rank_the_bytes_of_all(lengths):
    sent = [bytes([65 + rank]) * length for rank, length in enumerate(lengths)]
    for received in on_ranks(len(lengths), lambda communicator: Ranks(communicator).exchange(sent[communicator.rank])):
        assert received == sent


@given(st.integers(1, 4), st.sampled_from([0, 1, RECORD, 10_000]))
def test_all_have_the_bytes_of_the_first_rank(size, length):
    content = bytes(range(256)) * (length // 256 + 1)

    def work(communicator):
        return Ranks(communicator).first(content[:length] if communicator.rank == 0 else b"another")

    assert on_ranks(size, work) == [content[:length]] * size


@pytest.mark.parametrize("guilty", [0, 1, 3])
def test_an_error_on_one_rank_ends_all_at_once_and_names_it(guilty):
    def work(communicator):
        def fail(training):
            if communicator.rank == guilty and training.epoch == 2:
                raise KeyError("the third drawer")

        new_model("vanilla").fit(ROWS, ranks=communicator, callbacks=[fail])

    ended = on_ranks(4, work)
    for rank, error in enumerate(ended):
        assert isinstance(error, KeyError if rank == guilty else RankError)
        assert rank == guilty or f"rank {guilty} of 4 ended with KeyError: 'the third drawer'" in str(error)


@pytest.mark.parametrize("guilty", [0, 1])
def test_an_error_before_the_first_step_ends_all(guilty):
    ended = fitted_with(2, lambda rank: ROWS if rank != guilty else np.full_like(ROWS, np.nan))
    assert isinstance(ended[guilty], ValueError)
    assert f"rank {guilty} of 2 ended with ValueError" in str(ended[1 - guilty])


def fitted_with(size, data, **parameters):
    def work(communicator):
        return new_model("vanilla", **parameters).fit(data(communicator.rank), ranks=communicator)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return on_ranks(size, work)


def test_a_rank_with_other_data_is_named_by_all():
    for ended in fitted_with(3, lambda rank: ROWS if rank != 2 else ROWS[::-1]):
        assert isinstance(ended, RankError)
        assert "rank 2 is not about to run what rank 0 is: content of the training data" in str(ended).replace(
            "data.", ""
        )


def test_a_rank_whose_parameters_differ_is_named_by_all():
    def work(communicator):
        def disturb(training):
            training.network.theta[0] += 0.5 * (communicator.rank == 1)

        new_model("vanilla").fit(ROWS, ranks=communicator, callbacks=[disturb])

    for ended in on_ranks(2, work):
        assert isinstance(ended, RankError)
        assert "rank 1 of 2 has other parameters than rank 0" in str(ended)


@pytest.mark.parametrize("guilty", [0, 1])
def test_nan_on_one_rank_ends_all_at_the_same_step(monkeypatch, guilty):
    passes = ThreadReplicas.passes

    def poisoned(self, chosen):
        totals = passes(self, chosen)
        return totals * (np.nan if self.first_shard == guilty and self.networks[0].run.step == 6 else 1)

    monkeypatch.setattr(ThreadReplicas, "passes", poisoned)
    for ended in fitted_with(2, lambda rank: ROWS):
        assert isinstance(ended, NonFiniteError)
        assert "epoch 2, step 2" in str(ended)


def test_the_first_rank_decides_whether_a_callback_stops_all():
    def work(communicator):
        model = new_model("vanilla")
        stops_at = {0: 2, 1: 1}[communicator.rank]
        model.fit(ROWS, ranks=communicator, callbacks=[lambda training: training.epoch == stops_at])
        return model.n_iter_

    assert on_ranks(2, work) == [2, 2]


def test_a_step_takes_one_exchange_beside_that_of_gradients():
    def work(communicator):
        counts = []
        new_model("vanilla").fit(
            ROWS, ranks=communicator, callbacks=[lambda training: counts.append(communicator.n_exchanges)]
        )
        return counts

    for counts in on_ranks(2, work):
        assert np.diff(counts).tolist() == [5 + 1, 5 + 1]  # steps, and the end of the epoch


# Checkpoints


def stop_on(rank, step):
    """A callback after whose epoch the rank receives Ctrl-C, as if amid the next step."""

    def callback(training):
        if training.epoch == step and training._replicas.ranks.rank == rank:
            training._replicas.ranks.stop.take(2, None)

    return callback


@pytest.mark.parametrize("name", ["variational", "denoising"])
@pytest.mark.parametrize("guilty", [0, 1])
def test_a_run_that_a_signal_on_any_rank_stops_is_resumed_to_the_same_bits(name, guilty, tmp_path):
    def work(communicator):
        model = new_model(name, epochs=4)
        checkpoints = Checkpoints(tmp_path / str(communicator.rank), every=50)
        model.fit(TYPES[name][1], ranks=communicator, checkpoints=checkpoints, callbacks=[stop_on(guilty, 1)])
        return model.n_iter_, model.network_.run.step, model.training_.interrupted

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = on_ranks(2, work)
    assert first == second
    assert first[0] == 1
    assert first[2]
    assert [path.name for path in tmp_path.iterdir()] == ["0"]  # the others write nothing
    resumed = fitted(name, 2, lambda rank: Checkpoints(tmp_path / str(rank), resume=True), epochs=4)
    assert resumed == [of_threads(name, 2, epochs=4)] * 2


def test_a_run_of_ranks_is_resumed_by_as_many_threads_to_the_same_bits(tmp_path):
    def work(communicator):
        return new_model("denoising", epochs=4).fit(
            ROWS, ranks=communicator, checkpoints=Checkpoints(tmp_path / "0"), callbacks=[stop_on(1, 2)]
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        on_ranks(2, work)
        model = new_model("denoising", epochs=4, n_jobs=2).fit(
            ROWS, checkpoints=Checkpoints(tmp_path / "0", resume=True)
        )
    assert bits(model) == of_threads("denoising", 2, epochs=4)


def test_a_failing_rank_leaves_a_checkpoint_to_go_on_from(tmp_path):
    def work(communicator):
        def fail(training):
            if communicator.rank == 1 and training.epoch == 2:
                raise ValueError("no more")

        new_model("denoising", epochs=4).fit(
            ROWS, ranks=communicator, checkpoints=Checkpoints(tmp_path, every=50), callbacks=[fail]
        )

    first, second = on_ranks(2, work)
    assert isinstance(second, ValueError)
    assert "the checkpoint of step" in str(first)
    resumed = fitted("denoising", 2, lambda rank: Checkpoints(tmp_path, resume=True), epochs=4)
    assert resumed == [of_threads("denoising", 2, epochs=4)] * 2


def test_where_the_checkpoint_of_a_failed_run_cannot_be_written_none_waits(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError("the disk is full")

    def work(communicator):
        def fail(training):
            if communicator.rank == 1:
                monkeypatch.setattr("npae.training.checkpoint_file.write", full)
                raise ValueError("no more")

        new_model("denoising").fit(
            ROWS, ranks=communicator, checkpoints=Checkpoints(tmp_path, every=50), callbacks=[fail]
        )

    first, second = on_ranks(2, work)
    assert isinstance(second, ValueError)
    assert "the disk is full" in str(first)


def test_a_rank_that_fails_amid_the_sum_ends_all():
    def work(communicator):
        def fail(*arguments):
            raise MemoryError

        if communicator.rank == 1:
            communicator.exchange_parts = fail
        new_model("vanilla").fit(ROWS, ranks=communicator)

    first, second = on_ranks(2, work)
    assert "rank 1 of 2 is gone" in str(first)
    assert "rank 1 of 2 ended amid a step with MemoryError" in str(second)


def test_checkpoints_of_another_run_are_refused_on_all_ranks(tmp_path):
    fitted("vanilla", 2, lambda rank: Checkpoints(tmp_path))
    ended = fitted("vanilla", 3, lambda rank: Checkpoints(tmp_path, resume=True))
    assert all("n_jobs was 2, now 3" in str(error) for error in ended)


def test_after_fit_each_rank_goes_on_alone():
    def work(communicator):
        model = new_model("vanilla").fit(ROWS, ranks=communicator)
        before = communicator.n_exchanges
        model.partial_fit(ROWS)
        return communicator.n_exchanges - before

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert on_ranks(2, work) == [0, 0]
