"""How kernels are compiled: on a thread of its own, so that nothing of the caller is kept."""

import gc
import threading
import weakref
from typing import Any

import numba
import numpy as np
import pytest

from npae.kernels.jit import compiled_apart

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


class Network:
    """Whatever made the first call of a kernel."""


def first_call(kernel: Any) -> "weakref.ref[Network]":
    network = Network()
    kernel(7)
    return weakref.ref(network)


def digits() -> Any:
    """A new function whose types Numba finds by trial and error: it keeps the errors with their frames."""

    def count(n: int) -> int:
        return len(str(n))

    return count


def test_what_makes_the_first_call_of_a_kernel_is_gone_with_its_last_reference() -> None:
    gc.collect()
    gc.disable()
    try:
        assert first_call(numba.njit(digits()))() is not None  # else this test would show nothing
        assert first_call(compiled_apart(numba.njit(digits())))() is None
    finally:
        gc.enable()


def test_a_kernel_that_another_one_calls_is_compiled_on_the_same_thread() -> None:
    compiled: list[tuple[str, threading.Thread]] = []

    def noting(name: str, kernel: Any) -> Any:
        compile_here = kernel.compile

        def compile_and_note(signature: Any) -> Any:
            compiled.append((name, threading.current_thread()))
            return compile_here(signature)

        kernel.compile = compile_and_note
        return compiled_apart(kernel)

    inner = noting("inner", numba.njit(lambda x: x + 1))
    outer = noting("outer", numba.njit(lambda x: 2 * inner(x)))
    assert outer(3) == 8
    assert {name for name, _ in compiled} == {"inner", "outer"}
    threads = {thread for _, thread in compiled}
    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_a_function_of_numbas_that_calls_a_kernel_is_compiled() -> None:
    kernel = compiled_apart(numba.njit(lambda x: x + 1))
    assert numba.njit(lambda x: 2 * kernel(x))(3) == 8


def test_an_error_of_the_compiler_reaches_the_caller() -> None:
    kernel = compiled_apart(numba.njit(lambda x: x.missing))
    with pytest.raises(numba.TypingError, match="missing"):
        kernel(np.ones(3))


def test_a_kernel_is_compiled_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert compiled_apart(numba.njit(lambda x: x + 1))(3) == 4


@pytest.mark.parametrize("is_enabled", [True, False])
def test_pythons_collector_waits_while_a_kernel_compiles_and_is_then_as_before(is_enabled: bool) -> None:
    def noting(function: Any) -> tuple[Any, list[bool]]:
        kernel, found = numba.njit(function), []
        compile_here = kernel.compile

        def compile_and_note(signature: Any) -> Any:
            found.append(gc.isenabled())
            return compile_here(signature)

        kernel.compile = compile_and_note
        return compiled_apart(kernel), found

    kernel, while_compiling = noting(lambda x: x + 1)
    wrong, while_failing = noting(lambda x: x.missing)
    (gc.enable if is_enabled else gc.disable)()
    try:
        assert kernel(3) == 4
        with pytest.raises(numba.TypingError):
            wrong(3)
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()
    assert set(while_compiling + while_failing) == {False}
