"""Thread team: programs run in parallel, errors are raised, and idle threads sleep."""

import os
import signal
import subprocess
import sys
import threading
import time

import numba
import numpy as np
import pytest
from helpers.small_models import samples

from npae.kernels import compiled, reference
from npae.kernels.execution import thread_team
from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import Plan, ThreadTeam, shared_team
from npae.network import recipes
from npae.training.optimizers import Adam
from npae.training.trainer import Training

COMPILES = not numba.config.DISABLE_JIT
SIZES = [1, 2, 3]


def adding(n, y, kernels=compiled):
    """A program that adds 1 to y ``n`` times."""
    program = Program()
    for _ in range(n):
        Recorder(kernels, program).add_scaled(np.ones(y.size), 1.0, y)
    return program


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kernels", [compiled, reference])
def test_every_program_has_been_run_once_when_carry_out_returns(size, kernels):
    team, ys = shared_team(size), np.zeros((size, 50))
    programs = [adding(i + 1, y, kernels) for i, y in enumerate(ys)]
    for repetition in range(1, 300):
        team.carry_out(Plan(programs))
        assert ys[:, 0].tolist() == [repetition * (i + 1) for i in range(size)]


@pytest.mark.parametrize("lengths", [[], [0], [3], [0, 0, 0], [0, 2, 3], [2, 0, 3], [2, 3], [0, 4, 0], [1, 2, 3]])
def test_programs_may_be_fewer_than_threads_and_empty(lengths):
    ys = np.zeros((3, 7))
    shared_team(3).carry_out(Plan([adding(n, y) for n, y in zip(lengths, ys, strict=False)]))
    assert ys[: len(lengths), 0].tolist() == lengths


def test_long_programs_and_short_ones_wait_for_each_other():
    ys = np.zeros((2, 200_000))
    for lengths in ([1, 60], [60, 1]):
        ys[...] = 0
        shared_team(2).carry_out(Plan([adding(n, y) for n, y in zip(lengths, ys, strict=True)]))
        assert ys[:, -1].tolist() == lengths


def test_all_in_a_process_share_one_team_of_a_size():
    assert shared_team(2) is shared_team(2)
    assert shared_team(2) is not shared_team(3)
    before = threading.active_count()
    for _ in range(3):
        shared_team(2).carry_out(Plan([adding(1, np.zeros(3)) for _ in range(2)]))
    assert threading.active_count() <= before + 1


def test_a_team_of_one_thread_works_for_several_at_a_time():
    team, y = shared_team(1), np.zeros(50)
    with team.lock:  # as while it works for another thread
        worker = threading.Thread(target=team.carry_out, args=(Plan([adding(1, y)]),), daemon=True)
        worker.start()
        worker.join(60)
    assert y[0] == 1


def seconds_of_work_in(pause):
    before = time.process_time()
    time.sleep(pause)
    return time.process_time() - before


def test_threads_that_have_nothing_to_do_sleep_and_wake_again():
    team, ys = shared_team(3), np.zeros((3, 50))
    programs = [adding(1, y) for y in ys]
    for repetition in range(1, 4):
        team.carry_out(Plan(programs))
        deadline = time.monotonic() + 60  # they look around for a millisecond or two, when they are let
        while seconds_of_work_in(0.2) > 0.05:
            assert time.monotonic() < deadline
        assert (ys == repetition).all()


@pytest.mark.skipif(not COMPILES, reason="Python has the memory it needs")
@pytest.mark.parametrize("greedy_one", [0, 1])
def test_an_error_is_raised_after_all_have_finished_and_the_team_can_be_used_again(greedy_one):
    @numba.njit(nogil=True)
    def greedy(n, y):
        y[0] = np.ones(n)[-1]

    greedy_program, y = Program(), np.zeros(100_000)
    greedy_program.add(greedy, 2**60, np.zeros(1))
    programs = [adding(40, y), adding(40, y)]
    programs[greedy_one] = greedy_program
    with pytest.raises(MemoryError, match="choose a smaller batch or network"):
        shared_team(2).carry_out(Plan(programs))
    assert (y == 40).all()
    programs[greedy_one] = adding(1, np.zeros(5))
    shared_team(2).carry_out(Plan(programs))
    assert (y == 80).all()


def allow(monkeypatch, n):
    """Let the system start only so many threads of a team."""
    start, started = threading.Thread.start, []

    def start_or_refuse(thread):
        if thread.name == "npae thread team":
            if len(started) == n:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)


@pytest.mark.skipif(not COMPILES, reason="there are no threads then")
@pytest.mark.parametrize("n_started", [0, 1, 2])
def test_threads_that_cannot_be_started_are_told_of_once_and_others_do_their_work(monkeypatch, n_started):
    allow(monkeypatch, n_started)
    team, ys = ThreadTeam(6), np.zeros((6, 50))
    programs = [adding(i + 1, y) for i, y in enumerate(ys)]
    words = rf"only {1 + n_started} of 6 threads can be used \(can't start new thread\), .*; lower n_jobs, or let"
    with pytest.warns(RuntimeWarning, match=words) as caught:
        team.carry_out(Plan(programs, programs[:4]))
    assert len(caught) == 1
    assert ys[:, 0].tolist() == [2, 4, 6, 8, 5, 6]
    for _ in range(20):
        team.carry_out(Plan(programs))
    assert ys[:, 0].tolist() == [22, 44, 66, 88, 105, 126]


@pytest.mark.skipif(not COMPILES, reason="there are no threads then")
@pytest.mark.parametrize("n_started", [0, 1])
def test_training_on_fewer_threads_than_asked_for_gives_the_same_bits(monkeypatch, n_started):
    expected = fit(seed=2, n_jobs=3)
    monkeypatch.setattr(thread_team, "_teams", {})
    allow(monkeypatch, n_started)
    with pytest.warns(RuntimeWarning, match=f"only {1 + n_started} of 3 threads"):
        assert fit(seed=2, n_jobs=3) == expected


@pytest.mark.skipif(not COMPILES, reason="there are no threads then")
def test_nothing_is_said_where_all_threads_are_started():
    ThreadTeam(3).carry_out(Plan([adding(1, np.zeros(5)) for _ in range(3)]))


def fit(seed, n_jobs):
    net = recipes.variational((12,), hidden=(9,), code_size=3).build((12,), seed=seed)
    Training(net, Adam(), batch_size=10, n_jobs=n_jobs).fit(samples(95, 12), 8)
    return net.theta.tobytes()


@pytest.mark.parametrize("n_jobs", SIZES)
def test_two_threads_of_a_program_may_train_at_once(n_jobs):
    expected, found = [fit(seed, n_jobs) for seed in (0, 1)], {}
    threads = [threading.Thread(target=lambda s=seed: found.update({s: fit(s, n_jobs)})) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found.get(seed) for seed in (0, 1)] == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_starts_its_own_team():
    expected = fit(0, 2)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if fit(0, 2) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert fit(0, 2) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_at_any_moment_leaves_a_model_that_can_be_trained_further():
    program = """
import os, signal, threading, time, warnings
import numpy as np
import npae
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background process inherits that it is ignored
x = np.random.default_rng(0).random((200, 12)).astype("float32")
model = npae.VanillaAutoencoder(code_size=2, batch_size=10, n_jobs=2, random_state=0, epochs=1).fit(x)
model.epochs = 100_000
for delay in (0.0, 0.01, 0.02, 0.033, 0.05, 0.071):
    started = threading.Event()
    press = lambda: (started.wait(), time.sleep(delay), os.kill(os.getpid(), signal.SIGINT))
    threading.Thread(target=press).start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, callbacks=[lambda training: started.set()])
    assert model.training_.interrupted  # warnings are not recorded reliably while another thread compiles
    assert np.isfinite(model.network_.theta).all()
    n = model.n_iter_
    model.partial_fit(x)
    assert model.n_iter_ == n + 1
    assert np.isfinite(model.score(x))
print("done")
"""
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert result.stdout == "done\n", result.stderr
