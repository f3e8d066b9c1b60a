"""Mailboxes: pass programs between threads in a microsecond, by busy-waiting on a number in memory.

Putting a thread to sleep and waking it takes the operating system 50 to 100 µs, as long as a layer. Here a waiting
thread *spins*, without the GIL or a lock. From time to time it yields the processor, in case the thread that it waits
for needs it, and after a while a follower stops spinning, so that idle threads use no processor time.

A mailbox is an array of int64; leader and follower write to different cache lines, also where lines have 128 bytes and
wherever the array begins::

    POSTED    number of tables of calls that the leader has posted
    TABLE     address of the last one
    CALLS     its number of calls
    DONE      number of tables that the follower has run
    FAILED    not 0 if a call of the last one failed
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from npae.kernels.execution.trampoline import run_calls
from npae.kernels.jit import jit
from npae.kernels.reference.array import Array

POSTED, TABLE, CALLS = 0, 1, 2
DONE, FAILED = 32, 33
MAILBOX = 64  # numbers in a mailbox

_numba: Any = numba  # only some versions of Numba have type annotations
_types: Any = types
_cgutils: Any = cgutils
_carray: Any = _numba.carray
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic

YIELD = (
    "SwitchToThread" if sys.platform == "win32" else "sched_yield"
)  # function of the operating system, without arguments
if sys.platform == "win32":  # LLVM searches the C library only; this function is in kernel32
    binding.add_symbol(YIELD, ctypes.cast(ctypes.windll.kernel32.SwitchToThread, ctypes.c_void_p).value)

LOOKS = 4096  # polls between two yields of the processor: a few microseconds


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Emit the address of an element of a mailbox."""
    mailbox = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(mailbox.data, [arguments[1]])


@_intrinsic
def _read(typing_context: Any, mailbox: Any, place: Any) -> tuple[Any, Callable[..., Any]]:
    """Read an element that another thread writes (acquire: its earlier writes are visible after this)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_pointer(context, builder, signature, arguments), ordering="acquire", align=8)

    return types.int64(mailbox, types.intp), emit


@_intrinsic
def _write(typing_context: Any, mailbox: Any, place: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Write an element that another thread reads (release: earlier writes are visible to it)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments)
        builder.store_atomic(arguments[2], pointer, ordering="release", align=8)
        return context.get_dummy_value()

    return types.void(mailbox, types.intp, types.int64), emit


@_intrinsic
def _as_pointer(typing_context: Any, address: Any) -> tuple[Any, Callable[..., Any]]:
    """Convert an address to a pointer to int64, for ``carray``."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())

    return _types.CPointer(types.int64)(types.int64), emit


@_intrinsic
def _offer_processor(typing_context: Any) -> tuple[Any, Callable[..., Any]]:
    """Yield the processor to another thread."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        status = ir.FunctionType(ir.IntType(32), [])
        builder.call(_cgutils.get_or_insert_function(builder.module, status, YIELD), [])
        return context.get_dummy_value()

    return types.void(), emit


@jit
def _table(address: int, calls: int) -> Array:
    """The table (calls, 2) at an address, as an array."""
    table: Array = _carray(_as_pointer(address), (calls, 2))
    return table


@jit
def follow(mailbox: Array, patience: int) -> None:
    """Run posted tables until ``patience`` · ``LOOKS`` polls in a row find nothing new."""
    done = mailbox[DONE]
    waited = 0
    while waited < patience * LOOKS:
        if _read(mailbox, POSTED) == done:
            waited += 1
            if waited % LOOKS == 0:
                _offer_processor()
            continue
        mailbox[FAILED] = run_calls(_table(mailbox[TABLE], mailbox[CALLS]))
        done += 1
        _write(mailbox, DONE, done)
        waited = 0


@jit
def lead(stages: Array, mailboxes: Array) -> int:
    """For each stage, post a table into every mailbox, run the first table here, and wait for all; 0 means success.

    ``stages`` (n, 1 + mailboxes, 2) has the address of each table and its number of calls.
    """
    failed = 0
    for stage in stages:
        for i in range(len(mailboxes)):
            mailbox = mailboxes[i]
            mailbox[TABLE], mailbox[CALLS] = stage[i + 1, 0], stage[i + 1, 1]
            _write(mailbox, POSTED, mailbox[POSTED] + 1)
        failed |= run_calls(_table(stage[0, 0], stage[0, 1]))
        for mailbox in mailboxes:
            waited = 0
            while _read(mailbox, DONE) != mailbox[POSTED]:
                waited += 1
                if waited % LOOKS == 0:
                    _offer_processor()
            failed |= mailbox[FAILED]
    return failed


@jit
def lead_steps(
    passes: Array,
    first_update: Array,
    update: Array,
    mailboxes: Array,
    waiting_for_team: Array,
    totals: Array,
    rates: Array,
    log: Array,
    rate: Array,
    count: Array,
    waiting: Array,
) -> int:
    """Take training steps without Python; returns how many.

    A step is the stages ``passes``, which write the terms of the loss to ``totals`` (parts, terms), and then those of
    ``update``, in the first step ``first_update``, for which ``rate`` (1,) and ``count`` (1,) are set before. ``log``
    (steps, parts, terms) takes the totals of each step, ``rates`` (steps,) has the rates; ``mailboxes`` are those of
    ``lead``. It ends early where a kernel fails, before an update if the loss is not finite, and after a step if
    another thread waits: if ``waiting`` (1,) or ``waiting_for_team`` (1,) is not 0.
    """
    for step in range(len(rates)):
        failed = lead(passes, mailboxes[: passes.shape[1] - 1])
        loss = 0.0
        # Number by number: where an array is assigned, Numba compiles the text of an error, which takes 2.5 s.
        for part in range(totals.shape[0]):
            for term in range(totals.shape[1]):
                log[step, part, term] = totals[part, term]
                loss += totals[part, term]
        if failed or not np.isfinite(loss):
            return step
        rate[0] = rates[step]
        count[0] += 1
        stages = first_update if step == 0 else update
        if lead(stages, mailboxes[: stages.shape[1] - 1]):
            return step
        if _read(waiting, 0) or _read(waiting_for_team, 0):
            return step + 1
    return len(rates)


@cache
def loops(threads: int) -> list[tuple[Any, tuple[Any, ...]]]:
    """What so many threads run, with Numba's types of the arguments."""
    mailboxes, stages = np.zeros((1, MAILBOX), np.int64), np.zeros((1, 2, 2), np.int64)
    leading = (lead, (_numba.typeof(stages), _numba.typeof(mailboxes)))
    following = (follow, (_numba.typeof(mailboxes[0]), types.int64))
    return [leading, following] if threads > 1 else [leading]


@cache
def loop_of_steps() -> tuple[Any, tuple[Any, ...]]:
    """``lead_steps`` with Numba's types of its arguments."""
    table, boxes, count = (np.zeros(shape, np.int64) for shape in ((1, 1, 2), (1, MAILBOX), 1))
    one, totals, log = (np.zeros(shape) for shape in (1, (1, 1), (1, 1, 1)))
    arguments = (table, table, table, boxes, count, totals, one, log, one, count, count)
    return lead_steps, tuple(map(_numba.typeof, arguments))
