"""A lock whose holder knows whether others wait."""

import threading
import time
from types import SimpleNamespace

import pytest

from npae.kernels.execution import shared_lock
from npae.kernels.execution.shared_lock import SharedLock


def until(condition: object) -> None:
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_thread_that_holds_it_may_take_it_again_and_others_wait_until_it_is_free() -> None:
    lock, entered = SharedLock(), threading.Event()

    def enter() -> None:
        with lock:
            entered.set()

    with lock:
        with lock:
            thread = threading.Thread(target=enter)
            thread.start()
            until(lambda: lock.waiting[0] == 1)
        assert not entered.is_set()
    thread.join(60)
    assert entered.is_set()
    assert lock.waiting[0] == 0


def test_those_that_wait_go_first_where_the_holder_lets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_lock, "LONGEST", 60.0)
    lock, order = SharedLock(), []

    def enter() -> None:
        with lock:
            order.append("other")

    threads = [threading.Thread(target=enter) for _ in range(3)]
    with lock:
        for thread in threads:
            thread.start()
        until(lambda: lock.waiting[0] == 3)
    lock.let_others()
    with lock:
        order.append("holder")
    for thread in threads:
        thread.join(60)
    assert order == ["other"] * 3 + ["holder"]


def test_a_holder_waits_no_longer_than_a_while_for_others_and_not_at_all_where_none_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(shared_lock, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    lock = SharedLock()
    lock.let_others()
    assert now == 0
    lock.waiting[0] = 1  # a thread that never comes
    lock.let_others()
    assert shared_lock.LONGEST <= now < 1.1 * shared_lock.LONGEST


def test_a_wait_that_is_broken_off_counts_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def acquire(self, timeout: float | None = None) -> bool:
            if timeout is None:
                raise KeyboardInterrupt
            return False

    lock = SharedLock()
    monkeypatch.setattr(lock, "_lock", Interrupted())
    with pytest.raises(KeyboardInterrupt), lock:
        pass
    assert lock.waiting[0] == 0
