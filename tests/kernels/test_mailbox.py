"""Mailboxes: what one thread writes is visible to the other, also on processors that reorder loads and stores."""

import re
from typing import Any

import pytest

from npae.kernels import default_kernels, reference_kernels

if default_kernels() is reference_kernels():
    pytest.skip("there is nothing to compile", allow_module_level=True)

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import registry, types

from npae.kernels.execution import mailbox
from npae.kernels.execution.mailbox import CALLS, DONE, FAILED, MAILBOX, POSTED, TABLE

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()

TRIPLE = "aarch64-unknown-linux-gnu"
BOX = types.Array(types.int64, 1, "C")
WORD = ir.IntType(64)
_registry: Any = registry


def on_arm(access: Any, *values: Any) -> str:
    """The assembly for ARM of an access to a mailbox, with a plain store before it and a plain load after it."""
    context = _registry.cpu_target.target_context
    module: Any = ir.Module()
    module.triple = TRIPLE
    plain = WORD.as_pointer()
    kinds = [context.get_value_type(BOX), plain, plain]
    function: Any = ir.Function(module, ir.FunctionType(WORD, kinds), "call")
    builder: Any = ir.IRBuilder(function.append_basic_block())
    box, before, after = function.args
    builder.store(WORD(7), before)
    signature, emit = access._defn(None, BOX, types.intp, *(types.int64 for _ in values))
    emit(context, builder, signature, [box, WORD(3), *values])
    builder.ret(builder.load(after))
    machine: Any = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu="generic", opt=3)
    return str(machine.emit_assembly(llvm.parse_assembly(str(module))))


def test_a_number_of_another_thread_is_loaded_before_all_that_is_read_after_it() -> None:
    written = on_arm(mailbox._read)
    ordered, plain = re.search(r"\tldap?r\t", written), re.search(r"\tldr\tx0", written)
    assert ordered is not None
    assert plain is not None
    assert ordered.start() < plain.start()


def test_a_number_for_another_thread_is_stored_after_all_that_was_written_before_it() -> None:
    written = on_arm(mailbox._write, WORD(9))
    plain, ordered = re.search(r"\tstr\t", written), re.search(r"\tstlr\t", written)
    assert plain is not None
    assert ordered is not None
    assert plain.start() < ordered.start()


@pytest.mark.parametrize("line", [64, 128])
def test_leader_and_follower_never_write_to_the_same_cache_line(line: int) -> None:
    """Wherever the array begins; the second mailbox of an array follows the first."""
    of_leader, of_follower = (POSTED, TABLE, CALLS), (DONE, FAILED)
    for begin in range(0, line, 8):
        leaders, *followers = (
            {(begin + 8 * (place + box * MAILBOX)) // line for place in places for box in boxes}
            for places, boxes in ((of_leader, (0, 1)), (of_follower, (0,)), (of_follower, (1,)))
        )
        assert not leaders & followers[0]
        assert not leaders & followers[1]
        assert not followers[0] & followers[1]
